"""T5, T8, T11: inputs that want to take memory, disk or time: each is refused, or costs no more than its size."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from harness.archives import (
    MANIFEST,
    archive,
    base256,
    directory,
    entry,
    extension,
    hard_link,
    header,
    image,
    octal,
    padded,
    pax,
    symlink,
)
from harness.forked_child import run_in_child

from rkt.aci import archive as archive_module
from rkt.aci.archive import ArchiveScan
from rkt.aci.compression import FREE_OUTPUT_BYTES, open_decompressed
from rkt.aci.errors import ArchiveError, ArchiveLimitError
from rkt.aci.render import Layer, render

MIB = 1 << 20


class Verdict:
    """What judging an input came to, and what it took."""

    def __init__(self, message: str, *, limit: bool, seconds: float, peak_bytes: int, output: int) -> None:
        self.message, self.limit, self.seconds, self.peak_bytes, self.output = (
            message,
            limit,
            seconds,
            peak_bytes,
            output,
        )


def judge(data: bytes) -> Verdict:
    """Decompress and scan in a child of its own, so that its peak of memory is its own."""

    def attempt() -> Verdict:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.process_time()
        message, limit, output = "", False, 0
        scan = ArchiveScan()
        try:
            reader = open_decompressed(io.BytesIO(data))
            while chunk := reader.read():
                output += len(chunk)
                scan.feed(chunk)
            scan.finish()
        except ArchiveError as error:
            message, limit = error.message, isinstance(error, ArchiveLimitError)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        return Verdict(message, limit=limit, seconds=time.process_time() - started, peak_bytes=peak, output=output)

    return run_in_child(attempt)


def zeros(size: int) -> Iterator[bytes]:
    chunk = bytes(4 * MIB)
    for _ in range(size // len(chunk)):
        yield chunk


def pressed(encoder: object, size: int) -> bytes:
    """An image whose only file has ``size`` zeros."""
    compress: Callable[[bytes], bytes] = encoder.compress  # type: ignore[attr-defined]
    flush: Callable[[], bytes] = encoder.flush  # type: ignore[attr-defined]
    begin = archive(entry("manifest", MANIFEST), directory("rootfs"))[:-1024] + header(
        b"rootfs/zeros", size=octal(size, 12)
    )
    parts = [compress(begin), *(compress(chunk) for chunk in zeros(size)), compress(bytes(1024)), flush()]
    return b"".join(parts)


ENCODERS: dict[str, Callable[[], object]] = {
    "gzip": lambda: zlib.compressobj(9, zlib.DEFLATED, 31),
    "bzip2": bz2.BZ2Compressor,
    "xz": lambda: lzma.LZMACompressor(preset=1),
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
}


@pytest.mark.slow
@pytest.mark.spec("ACI-036")
@pytest.mark.parametrize("kind", ENCODERS)
def test_decompression_bomb_is_stopped(kind: str) -> None:
    bomb = pressed(ENCODERS[kind](), 320 * MIB)
    assert len(bomb) < MIB
    verdict = judge(bomb)
    assert verdict.limit and "bombs" in verdict.message
    assert verdict.output <= FREE_OUTPUT_BYTES + 32 * MIB
    assert verdict.peak_bytes < 64 * MIB
    assert verdict.seconds < 5


def test_dense_image_below_the_limit_is_lawful() -> None:
    verdict = judge(pressed(ENCODERS["gzip"](), 32 * MIB))
    assert verdict.message == ""


def test_bomb_inside_a_bomb_is_not_opened() -> None:
    inner = gzip.compress(bytes(16 * MIB), 9)
    assert "neither" in judge(inner + b"").message or "image manifest" in judge(inner).message
    verdict = judge(gzip.compress(inner, 9))
    assert verdict.message == "archive is truncated: its end is missing" or "damaged" in verdict.message
    assert verdict.output == len(inner)


SIZES: dict[str, bytes] = {
    "negative": header(b"rootfs/a", size=base256(-1, 12)),
    "negative-block": header(b"rootfs/a", size=base256(-512, 12)),
    "most-negative": header(b"rootfs/a", size=base256(-(2**87), 12)),
    "63-bits": header(b"rootfs/a", size=base256(2**63 - 1, 12)),
    "63-bits-less-a-block": header(b"rootfs/a", size=base256(2**63 - 512, 12)),
    "64-bits": header(b"rootfs/a", size=base256(2**64, 12)),
    "all-ones": header(b"rootfs/a", size=b"\xff" * 12),
    "8-gib-octal": header(b"rootfs/a", size=b"77777777777\0"),
    "pax-larger-than-header": pax({"size": b"100000"}) + header(b"rootfs/a", size=octal(3, 12)) + padded(b"abc"),
    "pax-negative": pax({"size": b"-512"}) + header(b"rootfs/a", size=octal(3, 12)) + padded(b"abc"),
    "pax-many-digits": pax({"size": b"9" * 5000}) + header(b"rootfs/a"),
    "pax-size-of-an-extension": pax({"size": b"99999999"}) + pax({"path": b"rootfs/b"}) + header(b"rootfs/a"),
    "extension-of-8-gib": header(b"x", kind="x", size=b"77777777777\0"),
    "extension-of-63-bits": header(b"x", kind="x", size=base256(2**63 - 1, 12)),
    "long-name-of-8-gib": header(b"x", kind="L", size=b"77777777777\0"),
    "extensions-without-end": pax({"path": b"rootfs/a"}) * 5000,
    "globals-without-end": pax({"mtime": b"1"}, kind="g") * 5000 + pax({"path": b"x"}),
    "record-that-does-not-advance": extension("x", b"0 path=a\n" * 100),
    "record-that-goes-back": extension("x", b"-9 path=a\n" * 100),
    "record-length-of-a-million-digits": extension("x", b"1" * 900_000 + b" path=a\n"),
    "record-without-space": extension("x", b"9" * 900_000),
    "many-small-records": extension("x", b"7 a=bc\n" * 140_000) + header(b"rootfs/a", size=base256(-1, 12)),
    "many-attributes": extension("x", b"".join(b"26 SCHILY.xattr.user.%03x=\n" % (n % 4096) for n in range(30_000))),
    "sparse-8-eib": header(b"rootfs/a", kind="S", size=octal(512, 12)) + bytes(512),
    "pax-sparse": pax({"GNU.sparse.major": b"1", "GNU.sparse.realsize": b"9" * 18}) + header(b"rootfs/a"),
    "manifest-of-a-gibibyte": header(b"manifest", size=octal(1 << 30, 12)),
}


@pytest.mark.parametrize("name", SIZES)
def test_hostile_size_is_refused_at_once(name: str) -> None:
    data = archive(entry("rootfs/first"), SIZES[name])
    verdict = judge(data)
    assert verdict.message
    assert verdict.seconds < 2
    assert verdict.peak_bytes < 64 * MIB


def flood(make: Callable[[int], bytes], count: int) -> bytes:
    return image(*(make(number) for number in range(count)))


FLOODS: dict[str, Callable[[int], bytes]] = {
    "empty-files": lambda count: flood(lambda n: entry(f"rootfs/{n}"), count),
    "directories": lambda count: flood(lambda n: directory(f"rootfs/{n}"), count),
    "implied-directories": lambda count: flood(lambda n: entry(f"rootfs/{n}/x"), count),
    "hard-links-to-one-file": lambda count: image(
        entry("rootfs/f"), *(hard_link(f"rootfs/h{n}", "rootfs/f") for n in range(count))
    ),
    "whiteouts": lambda count: flood(lambda n: entry(f"rootfs/.wh.{n}", kind="3"), count),
    "symlinks": lambda count: flood(lambda n: symlink(f"rootfs/{n}", "x"), count),
    "file-replaces-directory": lambda count: image(
        *(entry(f"rootfs/{n}/x") + entry(f"rootfs/{n}") for n in range(count // 2))
    ),
    "directory-replaces-file": lambda count: image(
        *(entry(f"rootfs/{n}") + entry(f"rootfs/{n}/x") for n in range(count // 2))
    ),
    "through-one-symlink": lambda count: image(
        directory("rootfs/d"), symlink("rootfs/s", "d"), *(entry(f"rootfs/s/{n}") for n in range(count))
    ),
    "deep-directories": lambda count: flood(lambda n: directory("rootfs" + "/d" * (n % 1900) + f"/{n}"), count // 20),
}


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("name", FLOODS)
def test_flood_of_entries_takes_linear_time(name: str, tmp_path: Path) -> None:
    """Four times the entries take at most 1.5 x 1.5 of four times our own time (not the kernel's); least of two."""

    def cost(count: int) -> float:
        data = FLOODS[name](count)
        (tmp_path / "blob").write_bytes(data)
        return min(run_in_child(attempt) for _ in range(2))

    def attempt() -> float:
        target = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else tmp_path)
        render([Layer(os.open(tmp_path / "blob", os.O_RDONLY))], target)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        shutil.rmtree(target)
        return usage.ru_utime

    small, large = cost(1500), cost(6000)
    assert large < max(small, 0.02) * 4 * 1.5 * 1.5


def test_same_name_again_and_again_is_refused() -> None:
    verdict = judge(image(*(entry("rootfs/a") for _ in range(10_000))))
    assert "duplicate" in verdict.message


def test_directories_too_deep_for_linux_are_refused() -> None:
    path = "rootfs"
    for _ in range(3000):
        path += "/d"
    verdict = judge(image(directory(path)))
    assert verdict.limit and "4095" in verdict.message


@pytest.mark.slow
def test_more_entries_than_the_limit_are_refused_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the real limit, for the sake of time: a million take four times the memory."""
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 250_000)

    def attempt() -> tuple[str, int]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        scan = ArchiveScan()
        scan.feed(header(b"rootfs", kind="5"))
        try:
            for thousand in range(1000):
                scan.feed(b"".join(numbered(1000 * thousand + number) for number in range(1000)))
        except ArchiveLimitError as error:
            return error.message, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        raise AssertionError("no limit")

    message, kibibytes = run_in_child(attempt, timeout_seconds=60)
    assert "250000 entries" in message
    assert kibibytes < 10 * 1024


def numbered(number: int) -> bytes:
    """The header of a file whose name is a number; quicker than making it from parts."""
    digits = b"%08d" % number
    return _PLAIN[:7] + digits + _PLAIN[15:148] + b"%06o\0 " % (_BASE_SUM + sum(digits)) + _PLAIN[156:]


_PLAIN = header(b"rootfs/00000000", checksum=b" " * 8)
_BASE_SUM = sum(_PLAIN) - sum(b"00000000")
