"""Read tar archives: ustar, pax and GNU, as POSIX.1-2017 and the GNU tar manual ("Basic Tar Format") describe them.

It turns blocks into entries and judges nothing about names: what an image may hold is :mod:`rkt.aci.archive`'s
business, and writing to disk :mod:`rkt.aci.extraction`'s. It reads what archives of today hold and refuses what could
be read in two ways (content in an entry that has none, bad checksums, half-valid numbers); sparse entries, volume
labels and multi-volume archives are refused by name.
"""

from __future__ import annotations

import os

from rkt.aci.errors import ArchiveError, ArchiveLimitError, quoted
from rkt.aci.header import (
    BLOCK,
    MAX_SIZE,
    Entry,
    checked_id,
    decode_entry,
    parse_size,
    settle_type,
    unpack_header,
)
from rkt.aci.pax import find_xattrs, parse_number, parse_records, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rkt.aci.compression import Source

#: the extended headers (pax records, GNU long names) in front of one entry: their bytes, their number. A file's
#: attributes take up to 64 KiB on Linux.
MAX_EXTENSION_BYTES = 1 << 20
_MAX_EXTENSIONS = 8

_ZERO_BLOCK = bytes(BLOCK)
# headers of small files lie close together
_WINDOW_BYTES = 4 * BLOCK
_STREAM_BYTES = 1 << 20
# the others say what only one entry can have
_GLOBAL_KEYS = frozenset((b"mtime", b"uid", b"gid"))


class HeaderReader:
    """The grammar of tar without any I/O: it says how many bytes it wants, gets them, and now and then has an entry.

    After each entry the caller skips its :attr:`Entry.padded_size` bytes of content. ``ended`` turns True with the
    second block of zeros; nothing is wanted from then on.
    """

    __slots__ = ("_body_kind", "_body_size", "_extension_bytes", "_extensions", "_global", "_names", "_records",
                 "_zero_seen", "ended", "wanted")  # fmt: skip

    def __init__(self) -> None:
        self.wanted = BLOCK
        self.ended = False
        self._zero_seen = False
        self._global: dict[bytes, bytes] = {}
        self._body_kind = b""
        self._body_size = 0
        self._forget_extensions()

    def _forget_extensions(self) -> None:
        self._extensions = self._extension_bytes = 0
        self._records: dict[bytes, bytes] = {}
        self._names: dict[bytes, bytes] = {}

    def accept(self, data: bytes, offset: int) -> Entry | None:
        """Take the :attr:`wanted` bytes; ``offset`` is where they end in the archive. Raises ArchiveError."""
        if self._body_kind:
            self._accept_body(data)
            return None
        if data == _ZERO_BLOCK:
            self._accept_zero_block()
            return None
        if self._zero_seen:
            raise ArchiveError("archive goes on after a block of zeros")
        fields = unpack_header(data)
        kind = fields[5]
        if kind in b"xgLK":
            self._begin_body(kind, parse_size(fields[2]))
            return None
        entry = decode_entry(fields, offset)
        if self._extensions or self._global:
            self._apply_extensions(entry)
        settle_type(entry)
        return entry

    def _accept_zero_block(self) -> None:
        if self._extensions:
            raise ArchiveError("archive ends after an extended header")
        self.ended, self._zero_seen = self._zero_seen, True
        if self.ended:
            self.wanted = 0

    def _begin_body(self, kind: bytes, size: int) -> None:
        self._extensions += 1
        self._extension_bytes += size
        if self._extensions > _MAX_EXTENSIONS:
            raise ArchiveLimitError(f"archive has more than {_MAX_EXTENSIONS} extended headers in front of one entry")
        if self._extension_bytes > MAX_EXTENSION_BYTES:
            raise ArchiveLimitError(f"archive has extended headers of more than {MAX_EXTENSION_BYTES} bytes")
        if size:
            self._body_kind, self._body_size = kind, size
            self.wanted = (size + BLOCK - 1) // BLOCK * BLOCK

    def _accept_body(self, data: bytes) -> None:
        kind, body = self._body_kind, data[: self._body_size]
        self._body_kind = b""
        self.wanted = BLOCK
        if kind in b"LK":
            self._names[kind] = body.partition(b"\0")[0]
            return
        records = parse_records(body)
        if kind == b"x":
            self._records.update(records)
            return
        if not _GLOBAL_KEYS.issuperset(records):
            raise ArchiveError("archive has a global pax header that names a path, a size or an attribute")
        self._global.update(records)
        self._extensions -= 1  # it belongs to no entry
        self._extension_bytes -= self._body_size

    def _apply_extensions(self, entry: Entry) -> None:
        """Overrule the header's fields. A record without value leaves the field alone, as Go reads it."""
        names, records = self._names, self._records
        if self._global:
            records = {**self._global, **records}
        entry.name = records.get(b"path") or names.get(b"L") or entry.name
        entry.linkname = records.get(b"linkpath") or names.get(b"K") or entry.linkname
        if value := records.get(b"mtime"):
            entry.mtime_ns = parse_time(value)
        if value := records.get(b"size"):
            entry.size = parse_number(value, b"size")
            if entry.size > MAX_SIZE:
                raise ArchiveError(f"entry {quoted(entry.name)} has a size that is out of range")
        if value := records.get(b"uid"):
            entry.uid = checked_id(parse_number(value, b"uid"))
        if value := records.get(b"gid"):
            entry.gid = checked_id(parse_number(value, b"gid"))
        entry.xattrs = find_xattrs(records)
        self._forget_extensions()


def read_entries(source: int | Source) -> Iterator[Entry]:
    """The entries of an uncompressed archive, in order.

    ``source`` is a descriptor of a regular file (read with pread(2) from offset 0, its position stays) or a reader,
    whose contents are skipped by reading. Raises ArchiveError, also for an archive without its end (ACI-038).
    """
    reader = HeaderReader()
    offset = 0
    read = _PositionReader(source) if isinstance(source, int) else _StreamReader(source)
    while True:
        wanted = reader.wanted
        data = read.exactly(wanted, offset)
        offset += wanted
        entry = reader.accept(data, offset)
        if entry is not None:
            yield entry
            offset += entry.padded_size
        elif reader.ended:
            return


def truncated() -> ArchiveError:
    """The error for an archive that stops too early."""
    return ArchiveError("archive is truncated: its end is missing")


class _PositionReader:
    """Reads headers through a small window, because most archives hold many small files."""

    __slots__ = ("_fd", "_start", "_window")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._window = b""
        self._start = 0

    def exactly(self, size: int, offset: int) -> bytes:
        begin = offset - self._start
        if begin < 0 or begin + size > len(self._window):
            if offset > MAX_SIZE - MAX_EXTENSION_BYTES:
                raise truncated()
            self._window = os.pread(self._fd, max(size, _WINDOW_BYTES), offset)
            self._start, begin = offset, 0
            if len(self._window) < size:
                raise truncated()
        return self._window[begin : begin + size]


class _StreamReader:
    """Reads headers from a stream and skips what lies between them."""

    __slots__ = ("_source", "_start", "_window")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._window = b""
        self._start = 0

    def exactly(self, size: int, offset: int) -> bytes:
        while offset + size > self._start + len(self._window):
            keep = self._window[offset - self._start :]
            self._start += len(self._window) - len(keep)
            more = self._source.read(_STREAM_BYTES)
            if not more:
                raise truncated()
            self._window = keep + more
        begin = offset - self._start
        return self._window[begin : begin + size]
