"""The mount table of a process: lines of /proc/PID/mountinfo as values (proc(5), Documentation/filesystems/proc).

Paths are decoded (the kernel writes space, tab, newline, backslash and ``#`` as three octal digits). It mounts and
unmounts nothing.
"""

from __future__ import annotations

import os

_OCTAL = frozenset(b"01234567")


class MountInfo:
    """One mount: ``root`` of a file system of type ``kind`` lies on ``path``."""

    __slots__ = (
        "device",
        "kind",
        "mount_id",
        "optional",
        "options",
        "parent_id",
        "path",
        "root",
        "source",
        "super_options",
    )

    def __init__(
        self,
        *,
        mount_id: int,
        parent_id: int,
        device: str,
        root: str,
        path: str,
        options: str,
        optional: tuple[str, ...],
        kind: str,
        source: str,
        super_options: str,
    ) -> None:
        self.mount_id = mount_id
        self.parent_id = parent_id
        self.device = device
        self.root = root
        self.path = path
        self.options = options
        self.optional = optional
        self.kind = kind
        self.source = source
        self.super_options = super_options

    @property
    def is_shared(self) -> bool:
        """Whether mounts below it propagate to a peer group."""
        return any(field.startswith("shared:") for field in self.optional)


def parse_mountinfo(data: bytes) -> list[MountInfo]:
    """The mounts in the order of the table, parents before what was mounted on them later.

    Raises ValueError for a line that is not of this form.
    """
    return [_parse_line(line) for line in data.split(b"\n") if line]


def load_mountinfo(process: str = "self") -> list[MountInfo]:
    """The mount table of a process as it is now. Raises OSError."""
    with open(f"/proc/{process}/mountinfo", "rb") as file:
        return parse_mountinfo(file.read())


def mounts_below(path: str, mounts: list[MountInfo]) -> list[MountInfo]:
    """Those of ``mounts`` that lie on or below the directory ``path``, in the order in which they can be unmounted."""
    prefix = path.rstrip("/") + "/"
    return [mount for mount in reversed(mounts) if (mount.path + "/").startswith(prefix)]


def _parse_line(line: bytes) -> MountInfo:
    words = line.split(b" ")
    try:
        separator = words.index(b"-", 6)
        kind, source, super_options = words[separator + 1 : separator + 4]
        return MountInfo(
            mount_id=int(words[0]),
            parent_id=int(words[1]),
            device=words[2].decode("ascii"),
            root=_decode(words[3]),
            path=_decode(words[4]),
            options=_decode(words[5]),
            optional=tuple(_decode(word) for word in words[6:separator]),
            kind=_decode(kind),
            source=_decode(source),
            super_options=_decode(super_options),
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"not a line of mountinfo: {line!r}") from error


def _decode(word: bytes) -> str:
    """Undo the octal escapes; names that are not UTF-8 become surrogates, as everywhere in Python."""
    if b"\\" not in word:
        return os.fsdecode(word)
    first, *rest = word.split(b"\\")
    parts = [first]
    for piece in rest:
        digits = piece[:3]
        if len(digits) == 3 and _OCTAL.issuperset(digits) and digits < b"400":
            parts.append(bytes([int(digits, 8)]) + piece[3:])
        else:
            parts.append(b"\\" + piece)
    return os.fsdecode(b"".join(parts))
