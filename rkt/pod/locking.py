"""The advisory lock of a pod: flock(2) on the descriptor of its directory.

Who holds it exclusively owns the pod. The lock belongs to the open file description: children that inherit the
descriptor keep it, and it is gone when the last of them is, however they died. There is no other truth about liveness.
"""

from __future__ import annotations

import time
from errno import EWOULDBLOCK
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock

#: readers hold the lock shared for microseconds; an owner-to-be does not take that for an owner
_READER_PATIENCE_SECONDS = 0.05
_PAUSE_SECONDS = 0.002


def try_exclusive(fd: int, *, wait_seconds: float = 0.0) -> bool:
    """Take the lock exclusively; False if somebody else owns it, after ``wait_seconds``. Raises OSError.

    That readers have it shared for a moment is waited out in any case.
    """
    started = time.monotonic()
    while not _try(fd, LOCK_EX):
        patience = 0.0 if is_exclusively_locked(fd) else _READER_PATIENCE_SECONDS
        if time.monotonic() - started >= max(wait_seconds, patience):
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def is_exclusively_locked(fd: int) -> bool:
    """Whether some *other* open file description holds the lock exclusively.

    Must not be asked through a descriptor that holds the lock itself: the probe would give it away.
    """
    if not _try(fd, LOCK_SH):
        return True
    flock(fd, LOCK_UN)
    return False


def unlock(fd: int) -> None:
    """Give the lock up. Raises OSError."""
    flock(fd, LOCK_UN)


def _try(fd: int, operation: int) -> bool:
    try:
        flock(fd, operation | LOCK_NB)
    except OSError as error:
        if error.errno != EWOULDBLOCK:
            raise
        return False
    return True
