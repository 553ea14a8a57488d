"""How many bytes the files of a rendered tree hold: measured once, when it has been rendered, and noted in the tree.

It is what ``rkt image list`` adds to an image's own size. Directories and what file systems need beside the content
are not counted.
"""

from __future__ import annotations

import os

from rkt.store.files import NotAFileError, load_regular

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: digits of a size; 2^63 has 19
_MOST_DIGITS = 19


def measure_tree(path: str) -> int:
    """The bytes in all files below ``path``; a file with several names counts once. Raises OSError.

    Nothing is opened but directories, relative to the top: an image's names alone may be as long as a path can be.
    """
    total, pending = 0, ["."]
    seen: set[int] = set()
    top = os.open(path, _OPEN_DIRECTORY)
    try:
        while pending:
            name = pending.pop()
            directory = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
            try:
                total += _measure_directory(directory, name, pending, seen)
            finally:
                os.close(directory)
    finally:
        os.close(top)
    return total


def _measure_directory(directory: int, name: str, pending: list[str], seen: set[int]) -> int:
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.name if name == "." else f"{name}/{entry.name}")
                continue
            status = entry.stat(follow_symlinks=False)
            if status.st_nlink > 1:
                if status.st_ino in seen:
                    continue
                seen.add(status.st_ino)
            total += status.st_size
    return total


def find_note(tree: str, name: str) -> bytes | None:
    """What a small file of a tree holds; None if it cannot be read."""
    try:
        return load_regular(f"{tree}/{name}", limit=256)
    except (OSError, NotAFileError):
        return None


def parse_size(data: bytes | None) -> int | None:
    """The number of bytes that a tree's ``size`` holds; None if it holds none."""
    return int(data) if data and data.isdigit() and len(data) <= _MOST_DIGITS else None
