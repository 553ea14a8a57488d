"""How long a pod has been in its phase, told by a clock that nobody sets.

A directory's ctime is when it was renamed into its phase, but the wall clock that made it may jump (no RTC at boot,
NTP, an administrator). So a pod that enters a phase with a deadline carries a stamp: the boot's ID and CLOCK_BOOTTIME.
Within one boot the stamp decides; after a reboot, or for pods of other versions, the ctime does, and an age is never
negative. The stamp is advice, not state: a torn or missing one costs nothing, hence no fsync.
"""

from __future__ import annotations

import os
import time

from rkt.pod.errors import PodContentError
from rkt.pod.files import find_file

STAMP = "phase-entered"
#: phases that gc leaves after a while
STAMPED_PHASES = ("prepared", "exited-garbage")
_LIMIT_BYTES = 256


def stamp_phase(directory_fd: int, phase: str) -> None:
    """Note that the pod enters ``phase`` now. Errors are ignored: the ctime remains."""
    text = f"{phase} {_boot_id()} {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(STAMP, flags, 0o640, dir_fd=directory_fd)
    except OSError:
        return
    try:
        os.write(fd, text.encode())
    except OSError:
        pass
    finally:
        os.close(fd)


def phase_age_seconds(directory_fd: int, phase: str) -> float:
    """Seconds since the pod entered ``phase``, at least 0."""
    entered_ns = _find_stamp(directory_fd, phase)
    if entered_ns is not None:
        return max(0.0, (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - entered_ns) / 1e9)
    return max(0.0, (time.time_ns() - os.fstat(directory_fd).st_ctime_ns) / 1e9)


def _find_stamp(directory_fd: int, phase: str) -> int | None:
    """CLOCK_BOOTTIME of a stamp of this boot for this phase."""
    try:
        data = find_file(directory_fd, STAMP, limit=_LIMIT_BYTES)
    except PodContentError:
        return None
    words = (data or b"").split()
    if len(words) != 3 or words[:2] != [phase.encode(), _boot_id().encode()] or not words[2].isdigit():
        return None
    return int(words[2])


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"
