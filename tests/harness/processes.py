"""The processes that belong to this test run: descendants, orphans included, and whoever carries the test's path.

It relies on :func:`adopt_orphans`: with it a process whose parent ended becomes a child of the test process, so that
nothing that a test started can hide.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def reap_orphans() -> None:
    """Collect the zombies that were adopted. Only between tests: it takes the status of a child that is waited for."""
    for pid in _children():
        if _state(pid) == "Z":
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def find_processes(mark: str) -> dict[int, str]:
    """Descendants of this process and those with ``mark`` in command line, environment or current directory."""
    parents = _parents()
    own = os.getpid()
    found: dict[int, str] = {}
    for pid in parents:
        if pid != own and _state(pid) != "Z" and (_descends(pid, own, parents) or _carries(pid, mark)):
            found[pid] = _command_line(pid)
    return found


def _parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat_fields(int(entry))
            if fields:
                parents[int(entry)] = int(fields[1])
    return parents


def _children() -> list[int]:
    own = os.getpid()
    return [pid for pid, parent in _parents().items() if parent == own]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, ...; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str:
    return (_stat_fields(pid) or ["Z"])[0]


def _carries(pid: int, mark: str) -> bool:
    wanted = os.fsencode(mark)
    for name in ("cmdline", "environ"):
        try:
            if wanted in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
        except OSError:
            continue
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(mark)
    except OSError:
        return False


def _command_line(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return os.fsdecode(b" ".join(words)).strip() or Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"
