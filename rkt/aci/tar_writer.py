"""Write tar headers: ustar, with a pax header in front for what ustar cannot hold. The inverse of :mod:`rkt.aci.tar`.

Equal entries give equal bytes on every host: no names of users or groups, no process ids, no times but the file's.
It writes headers only; contents are the caller's.
"""

from __future__ import annotations

from rkt.aci.header import BLOCK, Entry
from rkt.aci.pax import format_record, format_time, xattr_record

END_OF_ARCHIVE = bytes(2 * BLOCK)

_MAX_NAME = 100
_MAX_OCTAL_7 = 0o7777777
_MAX_OCTAL_11 = 0o77777777777
_NANOSECONDS = 10**9
_PAX_TYPE = b"x"


def padding(size: int) -> bytes:
    """What follows ``size`` bytes of content."""
    return bytes(-size % BLOCK)


def encode_entry(entry: Entry) -> bytes:
    """The header blocks of ``entry``. Directory names get no trailing slash."""
    records = _pax_records(entry)
    header = _header(entry, name=entry.name, type_flag=entry.type, size=entry.size)
    if not records:
        return header
    # what readers without pax would see: a file with the records
    name = b"PaxHeaders/" + entry.name.rpartition(b"/")[2][:80]
    pax = Entry()
    pax.mode, pax.uid, pax.gid, pax.mtime_ns, pax.linkname, pax.devmajor, pax.devminor = 0o644, 0, 0, 0, b"", 0, 0
    return _header(pax, name=name, type_flag=_PAX_TYPE, size=len(records)) + records + padding(len(records)) + header


def _pax_records(entry: Entry) -> bytes:
    """The records in a fixed order, as ustar leaves something out."""
    parts = []
    if len(entry.name) > _MAX_NAME:
        parts.append(format_record(b"path", entry.name))
    if len(entry.linkname) > _MAX_NAME:
        parts.append(format_record(b"linkpath", entry.linkname))
    if entry.size > _MAX_OCTAL_11:
        parts.append(format_record(b"size", b"%d" % entry.size))
    if entry.uid > _MAX_OCTAL_7:
        parts.append(format_record(b"uid", b"%d" % entry.uid))
    if entry.gid > _MAX_OCTAL_7:
        parts.append(format_record(b"gid", b"%d" % entry.gid))
    if entry.mtime_ns % _NANOSECONDS or not 0 <= entry.mtime_ns // _NANOSECONDS <= _MAX_OCTAL_11:
        parts.append(format_record(b"mtime", format_time(entry.mtime_ns)))
    if entry.xattrs:
        parts.extend(xattr_record(name, entry.xattrs[name]) for name in sorted(entry.xattrs))
    return b"".join(parts)


def _header(entry: Entry, *, name: bytes, type_flag: bytes, size: int) -> bytes:
    seconds = entry.mtime_ns // _NANOSECONDS
    block = b"".join(
        (
            name[:_MAX_NAME].ljust(_MAX_NAME, b"\0"),
            _octal(entry.mode, 7),
            _octal(entry.uid if entry.uid <= _MAX_OCTAL_7 else 0, 7),
            _octal(entry.gid if entry.gid <= _MAX_OCTAL_7 else 0, 7),
            _octal(size if size <= _MAX_OCTAL_11 else 0, 11),
            _octal(min(max(seconds, 0), _MAX_OCTAL_11), 11),
            b" " * 8,
            type_flag,
            entry.linkname[:_MAX_NAME].ljust(_MAX_NAME, b"\0"),
            b"ustar\x0000",
            bytes(64),
            _octal(entry.devmajor, 7),
            _octal(entry.devminor, 7),
            bytes(167),
        )
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _octal(number: int, digits: int) -> bytes:
    return b"%0*o\0" % (digits, number)
