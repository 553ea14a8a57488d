"""What can go wrong in the store, as errors that the user understands.

An OSError never leaves this package as such where the store's own files are concerned: :class:`StorageErrors`
names the operation and the path. Errors of the source that an image is read from pass through unchanged.
"""

from __future__ import annotations

import errno

from rkt.errors import RktError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_HINTS = {
    errno.ENOSPC: "free space on that file system, for example with: rkt gc; rkt image rm",
    errno.EDQUOT: "free space on that file system, for example with: rkt gc; rkt image rm",
    errno.EROFS: "the store lies on a read-only file system; choose another directory with --dir",
    errno.EACCES: "run as root, or choose another directory with --dir",
    errno.EPERM: "run as root, or look for an immutable file (lsattr)",
    errno.EIO: "the disk reports an error; look at the kernel's log",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "too many files are open on this host",
}


class StoreError(RktError):
    """The store cannot do what was asked; it is as it was before."""

    code = "store"


class StoreBusyError(StoreError):
    """Another process holds a lock for longer than we wait."""

    code = "store-busy"


class StoreVersionError(StoreError):
    """The store was written by a newer rkt."""

    code = "store-version"


class StaleFilesError(StoreError):
    """An image is removed, but some of its files could not be deleted; gc tries again."""

    code = "stale-files"


class ImageIdError(StoreError):
    """A text that is not an image ID, nor a usable prefix of one."""

    code = "image-id"


class ImageNotFoundError(StoreError):
    """The store holds no such image."""

    code = "image-not-found"


class AmbiguousImageError(StoreError):
    """A prefix that several images share."""

    code = "image-ambiguous"


class DamagedImageError(StoreError):
    """Files of a stored image are missing, altered or unreadable."""

    code = "image-damaged"


class DependencyError(StoreError):
    """The dependencies of an image cannot be put together: missing, cyclic, too deep or of the wrong size."""

    code = "dependency"


def storage_error(operation: str, path: str, error: OSError) -> StoreError:
    """``error`` as one clear line; ``path`` is named where the error does not know a path itself."""
    named = error.filename if isinstance(error.filename, str) else path
    return StoreError(f'cannot {operation} "{named}": {reason(error)}', _HINTS.get(error.errno or 0))


class StorageErrors:
    """``with StorageErrors("store image", path):`` turns an OSError of the block into a :class:`StoreError`."""

    __slots__ = ("operation", "path")

    def __init__(self, operation: str, path: str) -> None:
        self.operation = operation
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise storage_error(self.operation, self.path, error) from error
