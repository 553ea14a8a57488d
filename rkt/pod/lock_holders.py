"""Which processes hold the lock of a pod: those with a descriptor whose open file description has it.

/proc/PID/fdinfo/N shows the locks of a description (proc(5)), and the number in /proc/locks is that of the process that
once took the lock, not of the one that holds it now: so descriptors are looked at, not /proc/locks. Needs the right to
look at those processes (root, or the same user); others are passed over.
"""

from __future__ import annotations

import os


def holds_lock(pid: int, *, directory: os.stat_result) -> bool:
    """Whether process ``pid`` has the directory open through a description that is exclusively flock'ed."""
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    return any(_is_locked_descriptor(pid, descriptor, directory) for descriptor in descriptors)


def find_lock_holders(fd: int) -> list[int]:
    """The processes, other than the caller, that hold the lock of the directory ``fd`` exclusively; in order of pid."""
    directory = os.fstat(fd)
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
    own = os.getpid()
    return [pid for pid in pids if pid != own and holds_lock(pid, directory=directory)]


def _is_locked_descriptor(pid: int, descriptor: str, directory: os.stat_result) -> bool:
    try:
        seen = os.stat(f"/proc/{pid}/fd/{descriptor}")
        if (seen.st_dev, seen.st_ino) != (directory.st_dev, directory.st_ino):
            return False
        with open(f"/proc/{pid}/fdinfo/{descriptor}", "rb") as file:
            return any(_is_write_flock(line) for line in file)
    except OSError:
        return False


def _is_write_flock(line: bytes) -> bool:
    # lock:	1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF
    return line.startswith(b"lock:") and b"FLOCK" in line and b" WRITE " in line
