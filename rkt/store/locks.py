"""flock(2) on lock files: bounded waits that name the holder, and no lock on a file that is no longer there.

The kernel drops a lock when its holder dies, so nothing here can be stale. It knows nothing about what is locked.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from errno import EACCES, EROFS

from rkt import diagnostics
from rkt.store.errors import StorageErrors, StoreBusyError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05
_TELL_AFTER_SECONDS = 2.0


class FileLock:
    """A held lock; closing it (or the end of the process) gives it back. ``fd`` is -1 where none was needed."""

    __slots__ = ("fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    def close(self) -> None:
        """Give the lock back. Idempotent."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_lock(path: str, *, exclusive: bool, wait_seconds: float) -> FileLock:
    """Take the lock ``path``, creating the file; waits at most ``wait_seconds``.

    Raises StoreBusyError, which names the process that holds the lock, and StoreError.
    """
    deadline = time.monotonic() + wait_seconds
    tell = time.monotonic() + _TELL_AFTER_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while True:
        lock = find_lock(path, exclusive=exclusive)
        if lock is not None:
            return lock
        now = time.monotonic()
        if now >= deadline:
            raise StoreBusyError(
                f'cannot lock "{path}": held by {_holder(path)} for more than {wait_seconds:g} seconds',
                "wait for that process, or end it if it hangs",
            )
        if now >= tell:
            diagnostics.line(f'waiting for lock "{path}", held by {_holder(path)}')
            tell = deadline
        time.sleep(min(pause, deadline - now))
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def find_lock(path: str, *, exclusive: bool) -> FileLock | None:
    """Take the lock without waiting; None if another process holds it. Raises StoreError.

    On a read-only store a shared lock of a file that does not exist is granted without a file.
    """
    operation = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    with StorageErrors("lock", path):
        while True:
            fd = _open_lock_file(path, exclusive=exclusive)
            if fd < 0:
                return FileLock(path, -1)
            kept = False
            try:
                fcntl.flock(fd, operation | fcntl.LOCK_NB)
                kept = _is_at(fd, path)
            except BlockingIOError:
                return None
            finally:
                if not kept:
                    os.close(fd)
            if kept:
                return FileLock(path, fd)


def _open_lock_file(path: str, *, exclusive: bool) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except OSError as error:
        if exclusive or error.errno not in (EROFS, EACCES):
            raise
        try:
            fd = os.open(path, os.O_RDONLY | flags)
        except FileNotFoundError:
            return -1
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StoreError(f'cannot lock "{path}": not a regular file', "remove it")
    return fd


def _is_at(fd: int, path: str) -> bool:
    """Whether the locked file still has that name: its last holder may have deleted it."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _holder(path: str) -> str:
    pid = find_holder(path)
    return f"process {pid}" if pid else "another process"


def find_holder(path: str) -> int | None:
    """The process that took the lock, as /proc/locks has it (proc(5)); None if it cannot be told."""
    try:
        status = os.stat(path)
        with open("/proc/locks", encoding="ascii", errors="replace") as locks:
            lines = locks.read().splitlines()
    except OSError:
        return None
    device = status.st_dev
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}:{status.st_ino}"
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == wanted and fields[4].isdigit():
            return int(fields[4]) or None
    return None
