"""Extended headers of the pax format (POSIX.1-2017, pax, "pax Extended Header"): records to values and back.

A record is ``LENGTH KEY=VALUE\\n``. Only keys that change what is extracted are interpreted, the rest is kept out.
Extended attributes travel as ``SCHILY.xattr.NAME``, which GNU tar, star, bsdtar and Go write and read; text ACLs
(``SCHILY.acl.*``) and ``LIBARCHIVE.*`` are ignored, as GNU tar --xattrs ignores them.
"""

from __future__ import annotations

from rkt.aci.errors import ArchiveError
from rkt.aci.header import MAX_SECONDS, SPARSE_HINT

_XATTR = b"SCHILY.xattr."
_KEYS = frozenset((b"path", b"linkpath", b"size", b"mtime", b"uid", b"gid"))
_NANOSECONDS = 10**9


def parse_records(data: bytes) -> dict[bytes, bytes]:
    """The interpreted records of one extended header; of a repeated key the last counts.

    Raises ArchiveError for malformed records, and for those of a sparse file.
    """
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > 0 else b""
        end = position + int(digits) if digits.isdigit() else 0
        equals = data.find(b"=", space + 1, end)
        if equals <= space + 1 or end > len(data) or data[end - 1] != 0x0A:
            if data.count(0, position) == len(data) - position:
                break  # some writers count the padding as content
            raise ArchiveError("pax header has a malformed record")
        key = data[space + 1 : equals]
        if key in _KEYS or key.startswith(_XATTR):
            records[key] = data[equals + 1 : end - 1]
        elif key.startswith(b"GNU.sparse."):
            raise ArchiveError("archive has a sparse entry", SPARSE_HINT)
        position = end
    return records


def format_record(key: bytes, value: bytes) -> bytes:
    """One record; its length counts its own digits."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def parse_number(value: bytes, key: bytes) -> int:
    """A decimal number without sign. Raises ArchiveError."""
    if not value.isdigit() or len(value) > 20:
        raise ArchiveError(f"pax header has a malformed {key.decode('ascii', 'backslashreplace')}")
    return int(value)


def parse_time(value: bytes) -> int:
    """Nanoseconds since 1970 of ``-12.345``; digits beyond the ninth are cut off. Raises ArchiveError."""
    negative = value.startswith(b"-")
    seconds, _, fraction = value[negative:].partition(b".")
    if not seconds.isdigit() or (fraction and not fraction.isdigit()) or len(seconds) > 20:
        raise ArchiveError("pax header has a malformed time")
    total = int(seconds) * _NANOSECONDS + int((fraction + b"000000000")[:9])
    if total > MAX_SECONDS * _NANOSECONDS:
        raise ArchiveError("pax header has a time that is out of range")
    return -total if negative else total


def format_time(nanoseconds: int) -> bytes:
    """The inverse of :func:`parse_time`, without trailing zeros."""
    seconds, fraction = divmod(abs(nanoseconds), _NANOSECONDS)
    text = f"{'-' if nanoseconds < 0 else ''}{seconds}.{fraction:09d}".rstrip("0")
    return text.rstrip(".").encode()


def find_xattrs(records: dict[bytes, bytes]) -> dict[bytes, bytes] | None:
    """Extended attributes by name, or None if there are none."""
    names = [key for key in records if key.startswith(_XATTR)]
    if not names:
        return None
    return {_decode_name(key[len(_XATTR) :]): records[key] for key in names}


def xattr_record(name: bytes, value: bytes) -> bytes:
    """The record of one extended attribute."""
    return format_record(_XATTR + name.replace(b"%", b"%25").replace(b"=", b"%3D"), value)


def _decode_name(name: bytes) -> bytes:
    # "=" would end the key, so GNU tar escapes it, and the escape
    if not name or b"\0" in name:
        raise ArchiveError("pax header has an extended attribute with a malformed name")
    return name.replace(b"%3D", b"=").replace(b"%25", b"%")
