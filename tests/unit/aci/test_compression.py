"""Decompression as a stream: formats by magic, bounded memory, verified ends, limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard

from rkt.aci import compression
from rkt.aci.compression import find_format, open_decompressed
from rkt.aci.errors import ArchiveError, ArchiveLimitError
from rkt.errors import NotSupportedError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
TAR_MAGIC = bytes(257) + b"ustar\x0000" + bytes(247)


@pytest.fixture(params=["zlib", "isal"])
def gzip_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both libraries that may decode gzip; isal is an extra, so it may be absent for users, never for this test."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    else:
        __import__("isal")
    return str(request.param)


class Drip:
    """A source that gives few bytes at a time, as a network does."""

    def __init__(self, data: bytes, size: int) -> None:
        self.file = io.BytesIO(data)
        self.size = size

    def read(self, size: int, /) -> bytes:
        return self.file.read(min(size, self.size))


def read_all(data: bytes, *, piece: int = 1 << 20, drip: int = 1 << 20, size_limit: int | None = None) -> bytes:
    reader = open_decompressed(Drip(data, drip), size_limit=size_limit)
    out = bytearray()
    while more := reader.read(piece):
        out += more
    assert reader.read(piece) == b""
    assert reader.size == len(out)
    return bytes(out)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.spec("ACI-022")
@pytest.mark.parametrize("kind", COMPRESS)
def test_format_is_found_by_magic(kind: str) -> None:
    compressed = COMPRESS[kind](TAR_MAGIC)
    assert find_format(compressed) == kind
    assert open_decompressed(io.BytesIO(compressed)).format == kind


@pytest.mark.spec("ACI-022")
def test_plain_and_empty_tar_are_found_by_magic() -> None:
    assert find_format(TAR_MAGIC) == "tar"
    assert find_format(bytes(512)) == "tar"
    assert find_format(bytes(511)) is None
    assert find_format(b"{" + bytes(511)) is None


@pytest.mark.spec("ACI-019", "ACI-020", "ACI-021")
@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("data", [b"", b"x", noise(100_000), bytes(1_000_000), noise(70_000) * 10], ids=len)
def test_content_survives(kind: str, data: bytes) -> None:
    compressed = COMPRESS[kind](data)
    assert read_all(compressed) == data
    assert read_all(compressed, piece=777 if len(data) < 200_000 else 65_536) == data


@pytest.mark.usefixtures("gzip_library")
@pytest.mark.parametrize("drip", [1, 13, 100_000])
@pytest.mark.parametrize("data", [b"", noise(10_000), bytes(300_000)], ids=len)
def test_gzip_survives_any_piece_size(data: bytes, drip: int) -> None:
    assert read_all(gzip.compress(data), drip=drip, piece=4096) == data


@pytest.mark.parametrize("kind", COMPRESS)
def test_source_that_drips_is_read_to_its_end(kind: str) -> None:
    data = TAR_MAGIC + noise(5000)
    assert read_all(COMPRESS[kind](data), drip=7) == data


def test_plain_tar_passes_through() -> None:
    data = TAR_MAGIC + noise(100_000)
    assert read_all(data, piece=1000) == data


@pytest.mark.usefixtures("gzip_library")
def test_concatenated_gzip_members_are_one_image() -> None:
    parts = [noise(1000), b"", bytes(100_000), noise(300_000)]
    assert read_all(b"".join(gzip.compress(part) for part in parts)) == b"".join(parts)


@pytest.mark.parametrize("kind", COMPRESS)
def test_concatenated_members_are_one_image(kind: str) -> None:
    assert read_all(COMPRESS[kind](b"a" * 600) + COMPRESS[kind](b"b" * 600)) == b"a" * 600 + b"b" * 600


def test_xz_padding_between_and_after_streams_is_lawful() -> None:
    one = lzma.compress(b"one")
    assert read_all(one + bytes(8) + one + bytes(4)) == b"oneone"
    with pytest.raises(ArchiveError, match="trailing bytes"):
        read_all(one + bytes(3))


@pytest.mark.spec("ACI-038")
@pytest.mark.usefixtures("gzip_library")
def test_gzip_cut_anywhere_is_an_error() -> None:
    compressed = gzip.compress(TAR_MAGIC + noise(300))
    for length in range(2, len(compressed)):
        with pytest.raises(ArchiveError, match="truncated"):
            read_all(compressed[:length])


@pytest.mark.spec("ACI-038")
@pytest.mark.parametrize("kind", COMPRESS)
def test_stream_cut_anywhere_is_an_error(kind: str) -> None:
    compressed = COMPRESS[kind](TAR_MAGIC + noise(300))
    for length in range(6, len(compressed)):
        with pytest.raises(ArchiveError, match="truncated"):
            read_all(compressed[:length])


@pytest.mark.usefixtures("gzip_library")
def test_gzip_followed_by_junk_is_an_error() -> None:
    for junk in (b"x", bytes(1), bytes(512), b"\x1f", gzip.compress(b"y")[:9]):
        with pytest.raises(ArchiveError, match=r"trailing bytes|truncated"):
            read_all(gzip.compress(b"x" * 600) + junk)


@pytest.mark.parametrize("kind", COMPRESS)
def test_stream_followed_by_junk_is_an_error(kind: str) -> None:
    with pytest.raises(ArchiveError, match="trailing bytes"):
        read_all(COMPRESS[kind](b"x" * 600) + b"junk")


@pytest.mark.usefixtures("gzip_library")
@pytest.mark.parametrize("place", [-1, -5, 30, 2, 3])
def test_damaged_gzip_is_an_error(place: int) -> None:
    compressed = bytearray(gzip.compress(noise(2000)))
    compressed[place] ^= 0xFF
    with pytest.raises(ArchiveError, match=r"damaged|truncated"):
        read_all(bytes(compressed))


@pytest.mark.parametrize("kind", ["bzip2", "xz", "zstd"])
def test_damaged_stream_is_an_error(kind: str) -> None:
    compressed = bytearray(COMPRESS[kind](noise(2000)))
    compressed[len(compressed) // 2] ^= 0xFF
    with pytest.raises(ArchiveError, match="damaged"):
        read_all(bytes(compressed))


@pytest.mark.parametrize("head", [b"PK\3\4", b"{}", b"MZ" + bytes(600), b"\x28\xb5\x2f"], ids=repr)
def test_unknown_format_is_refused(head: bytes) -> None:
    with pytest.raises(ArchiveError, match="neither a tar archive nor"):
        open_decompressed(io.BytesIO(head))


def test_empty_and_encrypted_images_are_named() -> None:
    with pytest.raises(ArchiveError, match="empty"):
        open_decompressed(io.BytesIO())
    with pytest.raises(ArchiveError, match="encrypted"):
        open_decompressed(io.BytesIO(b"-----BEGIN PGP MESSAGE-----\n\n"))


def test_zstd_without_a_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(NotSupportedError, match="zstd"):
        open_decompressed(io.BytesIO(COMPRESS["zstd"](b"x")))


def test_errors_of_the_source_pass_through() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        open_decompressed(Broken())


@pytest.mark.spec("ACI-036")
def test_size_limit_is_a_limit_of_ours() -> None:
    data = TAR_MAGIC + noise(10_000)
    assert read_all(gzip.compress(data), size_limit=len(data)) == data
    with pytest.raises(ArchiveLimitError, match="larger than"):
        read_all(gzip.compress(data), size_limit=len(data) - 1)


@pytest.mark.spec("ACI-036")
def test_ratio_limit_stops_what_expands_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "FREE_OUTPUT_BYTES", 1 << 20)
    assert len(read_all(gzip.compress(bytes(1 << 20)))) == 1 << 20
    with pytest.raises(ArchiveLimitError, match="bombs"):
        read_all(gzip.compress(bytes(2 << 20)))
    assert len(read_all(gzip.compress(noise(20_000) + bytes(2 << 20)))) == 20_000 + (2 << 20)


@pytest.mark.parametrize("kind", COMPRESS)
def test_memory_stays_bounded_however_dense_the_input(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_RATIO", 10**9)
    compressed = COMPRESS[kind](bytes(48 << 20))
    reader = open_decompressed(io.BytesIO(compressed))
    tracemalloc.start()
    try:
        total = 0
        while data := reader.read(1 << 20):
            total += len(data)
        assert total == 48 << 20
        # zstd's output comes in steps of up to 16 MiB
        assert tracemalloc.get_traced_memory()[1] < 36 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("gzip_library")
def test_many_tiny_members_take_linear_time() -> None:
    member = gzip.compress(b"x")
    started = time.process_time()
    assert read_all(member * 30_000) == b"x" * 30_000
    assert time.process_time() - started < 5


def test_xz_that_needs_too_much_memory_is_a_limit() -> None:
    # 96 MiB of dictionary; the preset -9e has 64
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 96 << 20}]
    encoder = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters)
    with pytest.raises(ArchiveLimitError, match="memory"):
        read_all(encoder.compress(TAR_MAGIC) + encoder.flush())
    assert read_all(lzma.compress(TAR_MAGIC, preset=9)) == TAR_MAGIC


def test_zstd_window_is_limited() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    encoder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(ArchiveLimitError, match="memory"):
        read_all(encoder.compress(TAR_MAGIC) + encoder.flush())


def test_raw_deflate_and_zlib_streams_are_not_gzip() -> None:
    with pytest.raises(ArchiveError, match="neither"):
        read_all(zlib.compress(TAR_MAGIC))
