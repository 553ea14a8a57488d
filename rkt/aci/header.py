"""One header block of a tar archive as an :class:`Entry`: ustar, GNU and old fields, checksum, numbers.

The layout is POSIX.1-2017's (pax, "ustar Interchange Format"), base-256 numbers are GNU's. It sees single blocks;
extended headers and the order of blocks are :mod:`rkt.aci.tar`'s.
"""

from __future__ import annotations

from struct import Struct
from zlib import adler32

from rkt.aci.errors import ArchiveError, ArchiveLimitError, quoted

BLOCK = 512

# entry types; REGULAR stands for "0", "\0" and "7" alike
REGULAR, HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
TYPE_NAMES = {
    REGULAR: "file",
    HARD_LINK: "hard link",
    SYMLINK: "symlink",
    CHARACTER: "character device",
    BLOCK_DEVICE: "block device",
    DIRECTORY: "directory",
    FIFO: "fifo",
}
_REGULAR_TYPES = (b"0", b"\0", b"7")
SPARSE_HINT = "create the archive without --sparse"
_REFUSED_TYPES = {
    b"S": ("is sparse", SPARSE_HINT),
    b"D": ("is a GNU directory dump", "create the archive without --incremental"),
    b"M": ("continues from another volume", "create the archive in one volume"),
    b"N": ("is of an old GNU format", "create the archive with --format=pax"),
    b"V": ("is a volume label", "create the archive without --label"),
}

MAX_SIZE = 2**63 - 1
# what a 64-bit time_t can hold
MAX_SECONDS = 2**63 - 1
# (uid_t) -1 means "leave alone" to chown(2)
_MAX_ID = 2**32 - 2
_MAX_LINK_BYTES = 4095
# the checksum counts its own field as eight spaces
_BLANK_CHECKSUM = 8 * 0x20
# name, mode + uid + gid, size, mtime, checksum, type, linkname, magic + version, devmajor, devminor, prefix
_HEADER = Struct("100s24s12s12s8sc100s8s64x8s8s155s12x")
# mode, uid and gid by their 24 bytes: an image has few different ones, and parsing them is a third of a header's cost
_owners: dict[bytes, tuple[int, int, int]] = {}
_MAX_OWNERS = 4096


class Entry:
    """One entry: a file with its metadata. ``name`` and ``linkname`` are raw bytes, not yet judged.

    ``type`` is one of the constants of this module, ``mode`` has the 12 permission bits, ``xattrs`` is None or a dict,
    ``data_offset`` is where the content begins in the uncompressed archive.
    """

    __slots__ = (
        "data_offset", "devmajor", "devminor", "gid", "linkname", "mode", "mtime_ns", "name", "size", "type", "uid",
        "xattrs",
    )  # fmt: skip

    name: bytes
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    linkname: bytes
    devmajor: int
    devminor: int
    xattrs: dict[bytes, bytes] | None
    data_offset: int

    def __repr__(self) -> str:
        return f"Entry({TYPE_NAMES[self.type]} {quoted(self.name)}, {self.size} bytes at {self.data_offset})"

    @property
    def padded_size(self) -> int:
        """What the content takes in the archive."""
        return (self.size + BLOCK - 1) // BLOCK * BLOCK


Fields = tuple[bytes, ...]


def unpack_header(block: bytes) -> Fields:
    """The raw fields of a header; fields 2 and 5 are its size and its type. Raises ArchiveError on a bad checksum."""
    fields = _HEADER.unpack(block)
    _verify_checksum(block, fields[4])
    return fields


def decode_entry(fields: Fields, offset: int) -> Entry:
    """The entry that a header alone describes; extended headers may overrule it before :func:`settle_type`."""
    raw_name, owner, size, mtime, _, kind, linkname, magic, major, minor, prefix = fields
    entry = Entry()
    entry.name = raw_name.partition(b"\0")[0]
    if prefix[0] and magic.startswith(b"ustar\0"):  # GNU tar, whose magic is "ustar  ", keeps other things there
        entry.name = prefix.partition(b"\0")[0] + b"/" + entry.name
    entry.mode, entry.uid, entry.gid = _owners.get(owner) or _parse_owner(owner)
    entry.size = parse_size(size)
    entry.mtime_ns = _parse_seconds(mtime) * 1_000_000_000
    entry.type = kind
    entry.linkname = linkname.partition(b"\0")[0]
    entry.devmajor = entry.devminor = 0
    if kind in b"34":
        entry.devmajor, entry.devminor = _parse_octal(major), _parse_octal(minor)
    entry.xattrs = None
    entry.data_offset = offset
    return entry


def settle_type(entry: Entry) -> None:
    """Reduce the type to this module's constants and check what it needs. Raises ArchiveError."""
    kind = entry.type
    if kind in _REGULAR_TYPES:
        entry.type = DIRECTORY if entry.name.endswith(b"/") else REGULAR
    elif kind not in TYPE_NAMES:
        raise _refused_type(kind, entry.name)
    if entry.type != REGULAR and entry.size:
        # readers disagree about whether that content is there, so it could hide entries from one of them
        raise ArchiveError(f"{TYPE_NAMES[entry.type]} {quoted(entry.name)} has {entry.size} bytes of content")
    if kind in b"12":
        if not entry.linkname or b"\0" in entry.linkname:
            raise ArchiveError(f"{TYPE_NAMES[kind]} {quoted(entry.name)} has no valid target")
        if len(entry.linkname) > _MAX_LINK_BYTES:
            raise ArchiveLimitError(f"{TYPE_NAMES[kind]} {quoted(entry.name)} has a target that is too long")
    elif kind in b"34" and not (0 <= entry.devmajor < 1 << 12 and 0 <= entry.devminor < 1 << 20):
        raise ArchiveError(f"{TYPE_NAMES[kind]} {quoted(entry.name)} has a device number that Linux does not have")


def _refused_type(kind: bytes, name: bytes) -> ArchiveError:
    words, hint = _REFUSED_TYPES.get(kind, (f"has the unknown type {kind!r:.20}", None))
    return ArchiveError(f"entry {quoted(name)} {words}", hint)


def _verify_checksum(block: bytes, field: bytes) -> None:
    # sum() over 512 bytes would take a third of the parser's time. The low half of adler32 is 1 + the sum of the
    # bytes modulo 65521, and half a block sums to at most 65280, so two halves give the exact sum.
    total = (adler32(block[:256]) & 0xFFFF) + (adler32(block[256:]) & 0xFFFF) - (adler32(field) & 0xFFFF) - 1
    stored = _parse_octal(field)
    if total + _BLANK_CHECKSUM == stored:
        return
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + block[156:])
    if signed + _BLANK_CHECKSUM != stored:  # some old writers summed signed characters
        raise ArchiveError("archive is damaged: a header has a wrong checksum")


def _parse_owner(field: bytes) -> tuple[int, int, int]:
    owner = (
        _parse_octal(field[:8]) & 0o7777,
        checked_id(_parse_octal(field[8:16])),
        checked_id(_parse_octal(field[16:])),
    )
    if len(_owners) >= _MAX_OWNERS:
        _owners.clear()
    _owners[field] = owner
    return owner


def _parse_octal(field: bytes) -> int:
    """A number of a header: octal digits, or base-256 with the first bit set. Raises ArchiveError."""
    text = field[:-1]
    if text.isdigit() and field[-1] in b"\0 ":  # what nearly all writers make of nearly all fields
        return _parse_digits(text)
    if field[0] >= 0x80:
        # 0x80 begins a positive number, 0xff a negative one
        if field[0] == 0xFF:
            return int.from_bytes(field, "big", signed=True)
        if field[0] == 0x80:
            return int.from_bytes(field[1:], "big")
        raise _malformed()
    text = field.partition(b"\0")[0].strip(b" ")
    if text and not text.isdigit():
        raise _malformed()
    return _parse_digits(text or b"0")


def _parse_digits(text: bytes) -> int:
    try:
        return int(text, 8)
    except ValueError:  # 8 or 9
        raise _malformed() from None


def _malformed() -> ArchiveError:
    return ArchiveError("archive is damaged: a header has a malformed number")


def parse_size(field: bytes) -> int:
    """The size field as a number of bytes. Raises ArchiveError."""
    size = _parse_octal(field)
    if not 0 <= size <= MAX_SIZE:
        raise ArchiveError("archive has an entry with a size that is out of range")
    return size


def checked_id(number: int) -> int:
    """``number`` if it can be the uid or gid of a file. Raises ArchiveError."""
    if not 0 <= number <= _MAX_ID:
        raise ArchiveError("archive has an entry with an owner that is out of range")
    return number


def _parse_seconds(field: bytes) -> int:
    seconds = _parse_octal(field)
    if abs(seconds) > MAX_SECONDS:
        raise ArchiveError("archive has an entry with a time that is out of range")
    return seconds
