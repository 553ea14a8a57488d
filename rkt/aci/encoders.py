"""The compressors behind :mod:`rkt.aci.build`: fixed parameters, so that equal input gives equal bytes.

gzip comes from zlib alone, never from a faster library: those make other bytes. Its header carries no time and no
name.
"""

from __future__ import annotations

from rkt.aci.errors import BuildError
from rkt.errors import NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Encoder(Protocol):
        """A compressor object of the standard library."""

        def compress(self, data: bytes, /) -> bytes: ...
        def flush(self) -> bytes: ...


COMPRESSIONS = ("gzip", "none", "bzip2", "xz", "zstd")
_GZIP_LEVEL = 6
_BZIP2_LEVEL = 9
_XZ_PRESET = 6
_ZSTD_LEVEL = 9


def new_encoder(compression: str) -> Encoder:
    """A compressor of one of COMPRESSIONS. Raises BuildError, NotSupportedError (zstd without a library)."""
    if compression == "gzip":
        import zlib

        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
    if compression == "none":
        return _Stored()
    if compression == "bzip2":
        from bz2 import BZ2Compressor

        return BZ2Compressor(_BZIP2_LEVEL)
    if compression == "xz":
        import lzma

        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, preset=_XZ_PRESET)
    if compression == "zstd":
        return _new_zstd_encoder()
    raise BuildError(f'cannot compress with "{compression}": unknown compression', f"use {', '.join(COMPRESSIONS)}")


def _new_zstd_encoder() -> Encoder:
    try:
        import zstandard
    except ImportError:
        raise NotSupportedError(
            "cannot compress with zstd: no library for it is installed", "install the Python package zstandard"
        ) from None
    encoder: Encoder = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()
    return encoder


class _Stored:
    """No compression."""

    __slots__ = ()

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""
