"""The decompressors behind :mod:`rkt.aci.compression`, all with the interface of ``bz2.BZ2Decompressor``.

``decompress(data, max_length)`` gives at most ``max_length`` bytes (zstd: not many more than that), ``needs_input``
says whether more data is wanted, ``eof`` whether the member has ended, ``unused_data`` what came after its end.
Which library decodes gzip is decided here and nowhere else: isal (extra ``fast``) where installed, else zlib.
"""

from __future__ import annotations

from rkt.errors import NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Decoder(Protocol):
        """What one compressed member is fed to."""

        @property
        def eof(self) -> bool: ...
        @property
        def unused_data(self) -> bytes: ...
        @property
        def needs_input(self) -> bool: ...
        def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


# xz -9 needs 65 MiB to decompress; no preset needs more
XZ_MEMORY_LIMIT = 80 << 20
ZSTD_MAX_WINDOW = 32 << 20
# a run of 4 bytes can stand for a block of 128 KiB, so this bounds one step's output to 16 MiB
_ZSTD_STEP_BYTES = 512


def decoder_factory(kind: str) -> Callable[[], Decoder]:
    """A function that makes a decoder for one member of ``kind`` (gzip, bzip2, xz or zstd).

    Raises NotSupportedError for zstd where neither Python 3.14 nor the zstandard package is there.
    """
    if kind == "gzip":
        decompressobj = _inflate()
        return lambda: _ZlibDecoder(decompressobj)
    if kind == "bzip2":
        from bz2 import BZ2Decompressor

        return BZ2Decompressor
    if kind == "xz":
        from lzma import FORMAT_XZ, LZMADecompressor

        return lambda: LZMADecompressor(format=FORMAT_XZ, memlimit=XZ_MEMORY_LIMIT)
    return _zstd_factory()


def _inflate() -> Callable[[int], Any]:
    try:
        from isal import isal_zlib

        return isal_zlib.decompressobj
    except ImportError:
        import zlib

        return zlib.decompressobj


def _zstd_factory() -> Callable[[], Decoder]:
    try:
        from compression.zstd import DecompressionParameter, ZstdDecompressor
    except ImportError:
        pass
    else:
        options = {DecompressionParameter.window_log_max: ZSTD_MAX_WINDOW.bit_length() - 1}
        return lambda: ZstdDecompressor(options=options)
    try:
        import zstandard
    except ImportError:
        raise NotSupportedError(
            "image is compressed with zstd, which this installation cannot read",
            "install the Python package zstandard, or compress the image with gzip",
        ) from None
    return lambda: _ZstdDecoder(zstandard.ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW).decompressobj())


class _ZlibDecoder:
    """decompressobj of zlib, or of isal, which has the same interface."""

    __slots__ = ("_object", "needs_input")

    def __init__(self, decompressobj: Callable[[int], Any]) -> None:
        self._object = decompressobj(31)  # 31: a gzip header and trailer, both checked
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def unused_data(self) -> bytes:
        unused: bytes = self._object.unused_data
        return unused

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out: bytes = self._object.decompress(data or self._object.unconsumed_tail, max_length)
        self.needs_input = not self._object.unconsumed_tail
        return out


class _ZstdDecoder:
    """decompressobj of the zstandard package, which has no limit for its output: it gets its input in small steps."""

    __slots__ = ("_object", "_pending", "_position")

    def __init__(self, decompressobj: Any) -> None:
        self._object = decompressobj
        self._pending = b""
        self._position = 0

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def unused_data(self) -> bytes:
        unused: bytes = self._object.unused_data
        return unused + self._pending[self._position :]

    @property
    def needs_input(self) -> bool:
        return self._position >= len(self._pending)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if data:
            self._pending, self._position = data, 0
        parts, size = [], 0
        while size < max_length and not self.eof and not self.needs_input:
            step = self._pending[self._position : self._position + _ZSTD_STEP_BYTES]
            self._position += len(step)
            parts.append(self._object.decompress(step))
            size += len(parts[-1])
        return b"".join(parts)
