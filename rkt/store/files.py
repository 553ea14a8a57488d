"""Reading the store's files as if somebody had put something else there: only regular files, only so many bytes.

A FIFO, a device, a link or a directory under the name of a store file is reported as damage and never blocks.
"""

from __future__ import annotations

import os
import stat
from errno import ELOOP

from rkt.store.layout import is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class NotAFileError(Exception):
    """Something other than a regular file has the name of a store file."""


def open_regular(path: str) -> int:
    """A read-only fd of the regular file ``path``; close it. Raises OSError, NotAFileError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == ELOOP:
            raise NotAFileError(path) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotAFileError(path)
    return fd


def load_regular(path: str, *, limit: int) -> bytes:
    """The content of a small file. Raises OSError, NotAFileError (also for more than ``limit`` bytes)."""
    fd = open_regular(path)
    try:
        size = os.fstat(fd).st_size
        if size > limit:
            raise NotAFileError(path)
        parts = []
        while part := os.read(fd, size + 1):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def list_keys(directory: str, *, prefix: str = "") -> Iterator[str]:
    """The keys that have an entry in ``directory``/<two digits>, in order; a missing directory holds none.

    ``prefix`` (digits after ``sha512-``, none or at least two) limits the search to one two-digit directory.
    Raises OSError.
    """
    for fan in [prefix[:2]] if prefix else _listed(directory):
        for name in _listed(f"{directory}/{fan}"):
            if is_key(name) and name.startswith(prefix, 7) and name[7:9] == fan:
                yield name


def list_leftovers(directory: str) -> Iterator[str]:
    """Paths of unfinished files (``.tmp-``) that a killed writer left in ``directory``/<two digits>."""
    for fan in _listed(directory):
        for name in _listed(f"{directory}/{fan}"):
            if name.startswith(".tmp-"):
                yield f"{directory}/{fan}/{name}"


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
