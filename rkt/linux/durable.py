"""The one way in which files that must survive a power cut are written and moved.

A reader sees the old content or the new content, never a part of it, and once a function here has returned the
new state is on disk: write to a temporary name in the same directory, fsync, rename, fsync the directory
(rename(2), fsync(2)). Nothing else in rkt writes such files; ``tests/meta`` looks for bypasses.
"""

from __future__ import annotations

import os
from errno import EEXIST

_counter = 0


def temporary_name(name: str) -> str:
    """A name beside ``name`` that no other process uses; it begins with ``.tmp-`` so that gc can find leftovers."""
    global _counter
    _counter += 1
    return f".tmp-{os.getpid()}-{_counter}-{name[:64]}"


def sync_directory(path: str | int) -> None:
    """Make the entries of a directory durable. ``path`` may be an open directory's fd. Raises OSError."""
    if isinstance(path, int):
        os.fsync(path)
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_file(path: str, data: bytes, *, mode: int = 0o644, replace: bool = True) -> None:
    """Write ``data`` durably under ``path``.

    With ``replace=False`` an existing file is left alone and FileExistsError is raised. Raises OSError; then no
    temporary file is left and ``path`` is as it was.
    """
    directory, name = os.path.split(path)
    directory = directory or "."
    temporary = f"{directory}/{temporary_name(name)}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)
        publish(temporary, path, replace=replace)
    except BaseException:
        remove_if_present(temporary)
        raise


def publish(temporary: str, path: str, *, replace: bool = True) -> None:
    """Give a file that is already fsynced its final name, durably. Both names lie on one file system.

    With ``replace=False`` raises FileExistsError if ``path`` exists; ``temporary`` is then still there.
    """
    if replace:
        os.rename(temporary, path)
    else:
        os.link(temporary, path)
        os.unlink(temporary)
    sync_directory(os.path.dirname(path) or ".")


def rename(source: str, target: str, *, sync: bool = True) -> None:
    """rename(2) plus fsync of both parent directories: how a pod changes its state. Raises OSError.

    Without ``sync`` the caller syncs the parents before it acknowledges anything.
    """
    os.rename(source, target)
    if not sync:
        return
    sync_directory(os.path.dirname(target))
    if os.path.dirname(source) != os.path.dirname(target):
        sync_directory(os.path.dirname(source))


def remove_if_present(path: str) -> None:
    """unlink(2) that takes a missing file for success. Not durable by itself: sync the directory where it matters."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def make_directories(path: str, *, mode: int = 0o755) -> None:
    """Create ``path`` and what is missing above it, durably; existing directories are left as they are."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        make_directories(parent, mode=mode)
    try:
        os.mkdir(path, mode)
    except OSError as error:
        if error.errno != EEXIST or not os.path.isdir(path):
            raise
    sync_directory(parent or ".")
