"""Read small files of a pod without trusting the pod: bounded, regular files only, no symlink in any component.

Below ``stage1/rootfs`` the pod's own pid 1 writes, so a name may be a symlink to a host file, a FIFO, a device or have
any size. A node is looked at through an O_PATH descriptor first and opened only if it is a regular file. Meaning of the
bytes is the business of :mod:`rkt.pod.contents`.
"""

from __future__ import annotations

import os
from errno import ELOOP, ENOTDIR
from stat import S_ISDIR, S_ISLNK, S_ISREG

from rkt.errors import reason
from rkt.pod.errors import PodContentError

_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def find_file(directory_fd: int, path: str, *, limit: int) -> bytes | None:
    """The content of ``path`` below the directory, None if it is missing.

    Raises PodContentError if it is longer than ``limit`` bytes, not a regular file, or reached through a symlink.
    """
    node = _find_node(directory_fd, path)
    if node is None:
        return None
    try:
        return _read_node(node, path, limit)
    finally:
        os.close(node)


def find_mtime_ns(directory_fd: int, path: str) -> int | None:
    """Modification time in nanoseconds since the epoch of a regular file, None if it is missing."""
    node = _find_node(directory_fd, path)
    if node is None:
        return None
    try:
        status = os.fstat(node)
    finally:
        os.close(node)
    if not S_ISREG(status.st_mode):
        raise PodContentError(f'cannot read "{path}": it is not a regular file')
    return status.st_mtime_ns


def find_link(directory_fd: int, path: str) -> str | None:
    """The target of the symlink ``path``, unresolved; None if it is missing or something else."""
    node = _find_node(directory_fd, path)
    if node is None:
        return None
    try:
        return os.readlink("", dir_fd=node) if S_ISLNK(os.fstat(node).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(node)


def list_names(directory_fd: int, path: str, *, limit: int) -> list[str]:
    """The sorted names in a directory, none if it is missing. Raises PodContentError above ``limit`` names."""
    node = _find_node(directory_fd, path)
    if node is None:
        return []
    try:
        names: list[str] = []
        if not S_ISDIR(os.fstat(node).st_mode):
            raise PodContentError(f'cannot read "{path}": it is not a directory')
        with os.scandir(f"/proc/self/fd/{node}") as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > limit:
                    raise PodContentError(f'cannot read "{path}": it has more than {limit} entries')
        return sorted(names)
    except OSError as error:
        raise PodContentError(f'cannot read "{path}": {reason(error)}') from error
    finally:
        os.close(node)


def _find_node(directory_fd: int, path: str) -> int | None:
    """O_PATH descriptor of the last component itself, whatever it is; None if a component is missing."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise PodContentError(f'cannot read "{path}": not a path inside the pod')
    fd = -1
    try:
        for index, part in enumerate(parts):
            flags = _STEP if index == len(parts) - 1 else _STEP | os.O_DIRECTORY
            below = os.open(part, flags, dir_fd=directory_fd if fd < 0 else fd)
            if fd >= 0:
                os.close(fd)
            fd = below
    except FileNotFoundError:
        _close(fd)
        return None
    except OSError as error:
        _close(fd)
        why = "a component is not a directory" if error.errno in (ENOTDIR, ELOOP) else reason(error)
        raise PodContentError(f'cannot read "{path}": {why}') from error
    return fd


def _read_node(node: int, path: str, limit: int) -> bytes:
    status = os.fstat(node)
    if not S_ISREG(status.st_mode):
        raise PodContentError(f'cannot read "{path}": it is not a regular file')
    if status.st_size > limit:
        raise PodContentError(f'cannot read "{path}": it is larger than {limit} bytes')
    try:
        fd = os.open(f"/proc/self/fd/{node}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = bytearray()
            while len(data) <= limit and (chunk := os.read(fd, limit + 1 - len(data))):
                data += chunk
        finally:
            os.close(fd)
    except OSError as error:
        raise PodContentError(f'cannot read "{path}": {reason(error)}') from error
    if len(data) > limit:
        raise PodContentError(f'cannot read "{path}": it is larger than {limit} bytes')
    return bytes(data)


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
