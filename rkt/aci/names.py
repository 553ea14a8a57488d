"""Names of archive entries: which are lawful, and which have been seen.

Names are bytes, as the kernel has them; nothing here touches a file system. A clean name is relative, has no empty,
``.`` or ``..`` component and no trailing slash; all other modules compare clean names only.
"""

from __future__ import annotations

from array import array

from rkt.aci.errors import ArchiveError, ArchiveLimitError, quoted

ROOTFS = b"rootfs"
MANIFEST = b"manifest"

# what Linux can hold: longer names could be stored but never rendered
MAX_NAME_BYTES = 4095
MAX_COMPONENT_BYTES = 255


def clean_name(name: bytes) -> bytes:
    """The clean form of an entry's name: ``./rootfs//a/`` is ``rootfs/a`` (ACI-012), the archive's root is empty.

    Raises ArchiveError for absolute names and for any ``..``, wherever it leads (ACI-009), for NUL and for an empty
    name; ArchiveLimitError for names that no file system of Linux can hold.
    """
    if b"//" not in name and b"/." not in name and b"\0" not in name and 0 < len(name) <= MAX_COMPONENT_BYTES:
        if name[0] not in b"./":
            return name[:-1] if name.endswith(b"/") else name
    elif not name:
        raise ArchiveError("an entry has no name")
    if name.startswith(b"/"):
        raise ArchiveError(f"entry {quoted(name[:200])} has an absolute name")
    if b"\0" in name:
        raise ArchiveError(f"entry {quoted(name[:200])} has a NUL byte in its name")
    parts = [part for part in name.split(b"/") if part != b"" and part != b"."]
    if b".." in parts:
        raise ArchiveError(f'entry {quoted(name[:200])} has ".." in its name')
    clean = b"/".join(parts)
    if len(clean) > MAX_NAME_BYTES:
        raise ArchiveLimitError(f"entry {quoted(name[:60])}...: its name has more than {MAX_NAME_BYTES} bytes")
    if len(clean) > MAX_COMPONENT_BYTES and max(map(len, parts)) > MAX_COMPONENT_BYTES:
        raise ArchiveLimitError(
            f"entry {quoted(name[:60])}...: a component of its name has more than {MAX_COMPONENT_BYTES} bytes"
        )
    return clean


def path_in_rootfs(clean: bytes) -> bytes | None:
    """The part of a clean name below ``rootfs`` (``b""`` for rootfs itself), or None for an entry outside it."""
    if clean.startswith(b"rootfs/"):
        return clean[7:]
    return b"" if clean == ROOTFS else None


def clean_whitelist_path(path: str) -> bytes:
    """A pathWhitelist entry as a clean name: ``/d/`` is ``d``, ``/`` is empty (DEP-014).

    ``..`` is resolved as text and never leaves the root, because entries are only compared with names, never opened.
    """
    parts: list[bytes] = []
    for part in path.encode("utf-8", "surrogateescape").split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


class NameSet:
    """A set of names that costs 8 to 21 bytes a name rather than a hundred: open addressing over 64-bit hashes.

    It errs to one side: a name that was added is always found; one that was not is found with a probability below
    3e-8 in an archive of a million entries. The hash (SipHash with a key of this process) cannot be aimed at, and
    the next process draws another key.
    """

    __slots__ = ("_count", "_mask", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q", (0,)) * 1024
        self._mask = 1023
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: bytes) -> bool:
        return self._slots[self._find(_hash(name))] != 0

    def add(self, name: bytes) -> bool:
        """Add ``name``; False if it was there already."""
        value = _hash(name)
        index = self._find(value)
        if self._slots[index]:
            return False
        self._slots[index] = value
        self._count += 1
        if self._count * 4 > self._mask * 3:
            self._grow()
        return True

    def _find(self, value: int) -> int:
        slots, mask = self._slots, self._mask
        index = value & mask
        while slots[index] and slots[index] != value:
            index = (index + 1) & mask
        return index

    def _grow(self) -> None:
        old = self._slots
        self._mask = self._mask * 2 + 1
        self._slots = array("Q", (0,)) * (self._mask + 1)
        for value in old:
            if value:
                self._slots[self._find(value)] = value


def _hash(name: bytes) -> int:
    # 0 marks a free slot; Python never returns -1, so 2**64 - 1 is free to stand for a hash of 0
    return (hash(name) & 0xFFFFFFFFFFFFFFFF) or 0xFFFFFFFFFFFFFFFF
