"""Decompress an image as a stream, in bounded memory, whatever it was compressed with.

The format is found from the first bytes, never from a name (ACI-022). The end is verified: a truncated stream and
bytes after the last member are errors (ACI-038), checksums are checked. It knows nothing about tar beyond its magic,
and never runs a program: a decompressor found in PATH could be anybody's (security note C4).
"""

from __future__ import annotations

from rkt.aci.decoders import decoder_factory
from rkt.aci.errors import ArchiveError, ArchiveLimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Source(Protocol):
        """What an image is read from: ``read(n)`` gives 1 to n bytes, or none at the end."""

        def read(self, size: int, /) -> bytes: ...


#: uncompressed bytes of one image; a limit of ours (ACI-036)
DEFAULT_SIZE_LIMIT = 64 << 30
#: Beyond FREE_OUTPUT_BYTES an image may expand to at most MAX_RATIO times its compressed size. Images of real files
#: stay below 20; below the first limit anything goes, so that small images that are mostly zeros pass.
MAX_RATIO = 200
FREE_OUTPUT_BYTES = 256 << 20
#: how many bytes of a file :func:`find_format` wants to see
HEAD_BYTES = 512

_READ_BYTES = 1 << 20
_MAX_READ_BYTES = 4 << 20
# What one call to a decoder gets: little at the start of a member, because what lies behind a member's end is copied
# back, and a million tiny members must not cost a million copies of a large buffer.
_FIRST_FEED_BYTES = 4 << 10
_MAX_FEED_BYTES = 256 << 10

_MAGIC = {
    "gzip": b"\x1f\x8b",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "zstd": b"\x28\xb5\x2f\xfd",
}


def find_format(head: bytes) -> str | None:
    """The format of a file that begins with ``head``: gzip, bzip2, xz, zstd, tar, or None.

    A tar archive without entries, which has no magic, is recognised by its block of zeros.
    """
    for name, magic in _MAGIC.items():
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar" or (len(head) >= HEAD_BYTES and head.count(0) == len(head)):
        return "tar"
    return None


def open_decompressed(source: Source, *, size_limit: int | None = None) -> Decompressed:
    """A reader of what is in ``source``, uncompressed. It needs no closing; ``source`` stays the caller's.

    ``size_limit`` bounds the uncompressed bytes (default 64 GiB). Raises ArchiveError if the format is unknown,
    NotSupportedError if this installation cannot read it; errors of ``source`` pass through.
    """
    data = _Input(source)
    head = data.peek(HEAD_BYTES)
    kind = find_format(head)
    if kind is None:
        raise _unknown_format(head)
    return Decompressed(data, kind, size_limit=DEFAULT_SIZE_LIMIT if size_limit is None else size_limit)


def _unknown_format(head: bytes) -> ArchiveError:
    if not head:
        return ArchiveError("image is empty")
    if head.startswith(b"-----BEGIN PGP MESSAGE-----"):
        return ArchiveError("image is encrypted, which is not supported", "decrypt it first, with gpg --decrypt")
    return ArchiveError("image is neither a tar archive nor one compressed with gzip, bzip2, xz or zstd")


class Decompressed:
    """A reader of uncompressed bytes. ``format`` is gzip, bzip2, xz, zstd or tar; ``size`` what was read so far."""

    __slots__ = ("_decoder", "_feed", "_input", "_new_decoder", "_size_limit", "format", "size")

    def __init__(self, data: _Input, kind: str, *, size_limit: int) -> None:
        self._input = data
        self._size_limit = size_limit
        self._feed = _FIRST_FEED_BYTES
        self._new_decoder = None if kind == "tar" else decoder_factory(kind)
        self._decoder = self._new_decoder() if self._new_decoder else None
        self.format = kind
        self.size = 0

    def read(self, size: int = _READ_BYTES, /) -> bytes:
        """1 to ``size`` bytes (zstd: up to 16 MiB more); none when the end has been reached and verified.

        Raises ArchiveError for a damaged or truncated stream and for bytes after its end, ArchiveLimitError beyond
        the size or ratio limit.
        """
        size = max(1, min(size, _MAX_READ_BYTES))
        data = self._input.take(size) if self._decoder is None else self._read_members(size)
        self.size += len(data)
        if self.size > self._size_limit:
            raise ArchiveLimitError(f"image is larger than {self._size_limit} bytes when it is uncompressed")
        if self.size > FREE_OUTPUT_BYTES and self.size > self._input.size * MAX_RATIO:
            raise ArchiveLimitError(
                f"image expands to more than {MAX_RATIO} times its size, as decompression bombs do",
                "if you trust it: decompress it first, and use the result",
            )
        return data

    def _read_members(self, size: int) -> bytes:
        while self._decoder is not None:
            data = self._step(size)
            if self._decoder.eof:
                self._input.give_back(len(self._decoder.unused_data))
                self._begin_member()
            if data:
                return data
        return b""

    def _step(self, size: int) -> bytes:
        """Feed the decoder once; ``size`` is the most that is wanted."""
        decoder = self._decoder
        if TYPE_CHECKING:
            assert decoder is not None
        piece = b""
        if hungry := decoder.needs_input:
            piece = self._input.take(self._feed)
            self._feed = min(self._feed * 2, _MAX_FEED_BYTES)
        try:
            data = decoder.decompress(piece, size)
        except Exception as error:  # each library has its own kind; the source is not read in here
            raise self._damaged(error) from error
        if hungry and not piece and not data and not decoder.eof:
            raise ArchiveError(f"image is truncated: its {self.format} stream has no end")
        return data

    def _damaged(self, error: Exception) -> ArchiveError:
        if isinstance(error, MemoryError) or "emory" in str(error):
            return ArchiveLimitError(f"image needs too much memory: its {self.format} stream cannot be decompressed")
        return ArchiveError(f"image is damaged: its {self.format} stream cannot be decompressed: {error}")

    def _begin_member(self) -> None:
        """After the end of a member: another one (pigz, pbzip2 and pxz write several), or the verified end."""
        self._feed = _FIRST_FEED_BYTES
        self._decoder = None
        magic = _MAGIC[self.format]
        if self.format == "xz":
            while self._input.peek(4) == bytes(4):  # the format allows such padding between and after streams
                self._input.take(4)
        begin = self._input.peek(len(magic))
        if begin == magic and self._new_decoder:
            self._decoder = self._new_decoder()
        elif begin:
            raise ArchiveError(f"image has trailing bytes after the end of its {self.format} stream")


class _Input:
    """Bytes of the source with a look ahead. ``size`` counts what was read from the source."""

    __slots__ = ("_buffer", "_position", "_source", "size")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._buffer = b""
        self._position = 0
        self.size = 0

    def take(self, size: int) -> bytes:
        """1 to ``size`` bytes, none at the end."""
        if self._position >= len(self._buffer):
            self._fill()
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def give_back(self, size: int) -> None:
        """Undo the last ``size`` bytes of the last :meth:`take`."""
        self._position -= size

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes without taking them, fewer at the end."""
        while len(self._buffer) - self._position < size and self._fill():
            pass
        return self._buffer[self._position : self._position + size]

    def _fill(self) -> bool:
        more = self._source.read(_READ_BYTES)
        self.size += len(more)
        self._buffer = self._buffer[self._position :] + more
        self._position = 0
        return bool(more)
