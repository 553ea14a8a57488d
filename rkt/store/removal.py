"""Deleting files and directory trees of the store without ever following a link out of it.

Trees come from images: they may be deeper than a path can be long and hold any file type. Only directory fds are
used, and at most two at a time. It does not decide what may be deleted.
"""

from __future__ import annotations

import os
from errno import EEXIST, ENOTEMPTY

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def discard_path(path: str) -> None:
    """Delete whatever is at ``path``, a directory with all its content; nothing there is success. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        remove_tree(path)


def remove_tree(path: str) -> None:
    """Delete the directory ``path`` and everything below it; a missing one is success.

    A symbolic link at ``path`` raises NotADirectoryError. Raises OSError (a mount point below: EBUSY); then a part
    may be deleted, and calling it again goes on.
    """
    try:
        top = os.open(path, _OPEN_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        _empty(top)
    finally:
        os.close(top)
    os.rmdir(path)


def _empty(top: int) -> None:
    """Delete all entries of ``top``. Directories below it are first moved up into it, so depth needs no stack."""
    moved = 0
    while True:
        names = os.listdir(top)
        if not names:
            return
        for name in names:
            if _remove_leaf(name, top):
                continue
            directory = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
            try:
                for inner in os.listdir(directory):
                    while not _remove_leaf(inner, directory):
                        moved += 1
                        if _move(inner, directory, f".removed-{moved}", top):
                            break
            finally:
                os.close(directory)
            os.rmdir(name, dir_fd=top)


def _remove_leaf(name: str, directory: int) -> bool:
    """Delete a file or an empty directory; False for a directory that is not empty."""
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except IsADirectoryError:
        try:
            os.rmdir(name, dir_fd=directory)
        except OSError as error:
            if error.errno in (ENOTEMPTY, EEXIST):
                return False
            raise
    return True


def _move(name: str, directory: int, new_name: str, top: int) -> bool:
    """Move a directory up to a free name; False if the image has an entry of that name, which is tried next."""
    try:
        os.rename(name, new_name, src_dir_fd=directory, dst_dir_fd=top)
    except OSError as error:
        if error.errno in (ENOTEMPTY, EEXIST) or isinstance(error, NotADirectoryError):
            return False
        raise
    return True
