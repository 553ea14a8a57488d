"""Remove a directory tree whose content is hostile: by descriptors, never through a symlink, never across a mount.

The walk holds a limited number of descriptors however deep or wide the tree is: a directory that lies too deep is
first renamed to the directory where the removal began. Killed at any point, it can be started again, if all of that
directory is to go. What is mounted below has to be unmounted before (:mod:`rkt.lifecycle.leftover_mounts`); should
something still be, it is an error, not a loss.
"""

from __future__ import annotations

import os
from errno import EBUSY, EISDIR, ENOENT, ENOSYS, ENOTDIR, ENOTEMPTY, EPERM, EXDEV

from rkt.errors import reason
from rkt.linux.safe_path import RESOLVE_NO_SYMLINKS, openat2
from rkt.pod.errors import PodError

#: from here on a directory is moved to the top instead of being walked into
_DEPTH_LIMIT = 32
_BATCH = 1024
_RESOLVE_NO_XDEV = 0x01
_RESOLVE_BENEATH = 0x08
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(parent_fd: int, name: str) -> None:
    """Remove the entry ``name`` of a directory and everything below it; nothing there is fine.

    Raises PodError that names the first path that could not be removed.
    """
    try:
        _Removal(parent_fd).remove(name)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else name
        why = "something is mounted there" if error.errno in (EXDEV, EBUSY) else reason(error)
        raise PodError(f'cannot remove "{where}": {why}') from error


class _Removal:
    """One removal below ``parent_fd``, where directories that lie too deep are parked under names of our own."""

    def __init__(self, parent_fd: int) -> None:
        self._parent_fd = parent_fd
        self._parked: list[str] = []

    def remove(self, name: str) -> None:
        self._remove_entry(self._parent_fd, name, path=name, depth=0)
        while self._parked:
            parked = self._parked.pop()
            self._remove_entry(self._parent_fd, parked, path=parked, depth=0)

    def _remove_entry(self, directory_fd: int, name: str, *, path: str, depth: int) -> None:
        try:
            os.unlink(name, dir_fd=directory_fd)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (EISDIR, EPERM):
                raise OSError(error.errno, error.strerror, path) from error
            refused = error
        try:
            fd = _open_below(directory_fd, name)
        except OSError as error:
            if error.errno == ENOENT:
                return
            # not a directory: then unlink's own refusal (an immutable file) is what counts
            cause = refused if error.errno == ENOTDIR else error
            raise OSError(cause.errno, cause.strerror, path) from error
        if depth >= _DEPTH_LIMIT:
            os.close(fd)
            self._park(directory_fd, name)
            return
        try:
            self._empty(fd, path=path, depth=depth)
        finally:
            os.close(fd)
        _rmdir(directory_fd, name, path)

    def _empty(self, fd: int, *, path: str, depth: int) -> None:
        while names := _some_names(fd):
            for name in names:
                self._remove_entry(fd, name, path=f"{path}/{name}", depth=depth + 1)

    def _park(self, directory_fd: int, name: str) -> None:
        number = 0
        while True:
            parked = f".removed-{os.getpid()}-{number}"
            if parked not in self._parked and not _exists(self._parent_fd, parked):
                break
            number += 1
        os.rename(name, parked, src_dir_fd=directory_fd, dst_dir_fd=self._parent_fd)
        self._parked.append(parked)


def _some_names(fd: int) -> list[str]:
    """Up to a batch of the names in a directory, so that a million of them do not fill the memory."""
    names: list[str] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) == _BATCH:
                break
    return names


def _open_below(directory_fd: int, name: str) -> int:
    """Open a directory of the same mount as its parent; EXDEV if something is mounted on it."""
    try:
        return openat2(directory_fd, name, _OPEN, resolve=_RESOLVE_NO_XDEV | _RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
    except OSError as error:
        if error.errno != ENOSYS:
            raise
    fd = os.open(name, _OPEN, dir_fd=directory_fd)
    if _mount_id(fd) != _mount_id(directory_fd):
        os.close(fd)
        raise OSError(EXDEV, os.strerror(EXDEV), name)
    return fd


def _mount_id(fd: int) -> bytes:
    with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
        return next((line for line in file if line.startswith(b"mnt_id:")), b"")


def _rmdir(directory_fd: int, name: str, path: str) -> None:
    try:
        os.rmdir(name, dir_fd=directory_fd)
    except FileNotFoundError:
        pass
    except OSError as error:
        why = "entries keep appearing in it" if error.errno == ENOTEMPTY else error.strerror
        raise OSError(error.errno, why, path) from error


def _exists(directory_fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
