"""Files that are being written: in ``cas/tmp``, each flock'ed by its writer, so that a dead writer's can be told.

A writer that dies leaves an unlocked file, which :func:`remove_leftovers` deletes; a file whose lock is held is never
touched, however old it is. Other files in the directory (partial downloads) belong to others.
"""

from __future__ import annotations

import fcntl
import os

from rkt.linux import durable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_PREFIX = "stage-"
_counter = 0


class TemporaryFile:
    """An open, locked, unfinished file; :meth:`publish` gives it its name, closing it without that deletes it."""

    __slots__ = ("_published", "fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd
        self._published = False

    def sync(self) -> None:
        """Put the content on disk (fsync(2)); :meth:`publish` expects it. Raises OSError."""
        os.fsync(self.fd)

    def publish(self, path: str) -> None:
        """Rename to ``path``, durably, in place of what may be there. Raises OSError."""
        durable.publish(self.path, path)
        self._published = True

    def close(self) -> None:
        """Delete the file unless it has been published. Idempotent; what cannot be deleted is left to gc."""
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        try:
            if not self._published:
                durable.remove_if_present(self.path)
        except OSError:
            pass
        finally:
            os.close(fd)

    def __enter__(self) -> TemporaryFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_temporary(directory: str, *, mode: int) -> TemporaryFile:
    """A new empty file in ``directory``. Raises OSError."""
    global _counter
    while True:
        _counter += 1
        path = f"{directory}/{_PREFIX}{os.getpid()}-{_counter}"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        locked = False
        try:
            # between open and flock another process may take the file for a leftover: then it is locked or gone
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(fd, mode)
            locked = os.fstat(fd).st_nlink > 0
        except BlockingIOError:
            pass
        finally:
            if not locked:
                os.close(fd)
        if locked:
            return TemporaryFile(path, fd)


def remove_leftovers(directory: str) -> int:
    """Delete the files of writers that are dead; returns how many. Raises OSError."""
    try:
        names = [name for name in os.listdir(directory) if name.startswith(_PREFIX)]
    except FileNotFoundError:
        return 0
    return sum(_remove_leftover(f"{directory}/{name}") for name in names)


def _remove_leftover(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        durable.remove_if_present(path)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True
