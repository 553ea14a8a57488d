"""Reading tar: ustar, pax and GNU, and what is refused because it can be read in two ways."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.archives import (
    BLOCK,
    archive,
    base256,
    directory,
    entry,
    extension,
    hard_link,
    header,
    octal,
    padded,
    pax,
    symlink,
)

from rkt.aci import header as header_module
from rkt.aci.errors import ArchiveError, ArchiveLimitError
from rkt.aci.header import DIRECTORY, HARD_LINK, REGULAR, SYMLINK, Entry
from rkt.aci.tar import read_entries

Read = Callable[[bytes], list[Entry]]


def read_as_stream(data: bytes) -> list[Entry]:
    return list(read_entries(io.BytesIO(data)))


@pytest.fixture(params=["descriptor", "stream", "drip"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """The three ways in which an archive is read."""

    def read_descriptor(data: bytes) -> list[Entry]:
        path = tmp_path / "archive.tar"
        path.write_bytes(data)
        fd = os.open(path, os.O_RDONLY)
        try:
            return list(read_entries(fd))
        finally:
            os.close(fd)

    def read_drip(data: bytes) -> list[Entry]:
        class Drip(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, 100))

        return list(read_entries(Drip(data)))

    return {"descriptor": read_descriptor, "stream": read_as_stream, "drip": read_drip}[request.param]


@pytest.mark.spec("ACI-003")
def test_fields_of_a_plain_entry(read: Read) -> None:
    data = archive(
        directory("rootfs/", mode=0o1777, mtime=5),
        entry("rootfs/a", b"content", mode=0o4755, uid=1, gid=2, mtime=3),
        symlink("rootfs/s", "../x"),
        hard_link("rootfs/h", "rootfs/a"),
        entry("rootfs/c", kind="3", device=(5, 1)),
    )
    first, second, third, fourth, fifth = read(data)
    assert (first.type, first.mode, first.mtime_ns) == (DIRECTORY, 0o1777, 5_000_000_000)
    assert (second.type, second.name, second.mode, second.uid, second.gid) == (REGULAR, b"rootfs/a", 0o4755, 1, 2)
    assert (second.size, second.mtime_ns, second.xattrs) == (7, 3_000_000_000, None)
    assert data[second.data_offset :][:7] == b"content"
    assert (third.type, third.linkname) == (SYMLINK, b"../x")
    assert (fourth.type, fourth.linkname) == (HARD_LINK, b"rootfs/a")
    assert (fifth.devmajor, fifth.devminor) == (5, 1)
    assert "rootfs/a" in repr(second)


@pytest.mark.spec("ACI-037")
def test_ustar_prefix_pax_path_and_gnu_long_name(read: Read) -> None:
    long = b"rootfs/" + b"d" * 120 + b"/" + b"f" * 120
    names = [
        item.name
        for item in read(
            archive(
                header(b"name", prefix=b"rootfs/dir"),
                pax({"path": long, "linkpath": b"t" * 150}) + header(b"short", kind="2"),
                extension("L", long + b"\0") + extension("K", b"k" * 150 + b"\0") + header(b"short", kind="2"),
                header(b"gnu", magic=b"ustar  \0", prefix=b"12345678901\0"),
                header(b"v7", magic=bytes(8), prefix=b"junk"),
            )
        )
    ]
    assert names == [b"rootfs/dir/name", long, long, b"gnu", b"v7"]


def test_long_link_targets(read: Read) -> None:
    one, two = read(
        archive(
            pax({"linkpath": b"p" * 150}) + header(b"a", kind="2", linkname=b"x"),
            extension("K", b"k" * 150 + b"\0") + header(b"b", kind="2", linkname=b"x"),
        )
    )
    assert (one.linkname, two.linkname) == (b"p" * 150, b"k" * 150)


def test_pax_overrules_numbers_and_times(read: Read) -> None:
    records = {
        "size": b"3",
        "uid": b"3000000",
        "gid": b"4294967294",
        "mtime": b"1.000000007",
        "SCHILY.xattr.user.a": b"",
    }
    first, second = read(archive(pax(records) + header(b"a") + padded(b"abc"), entry("b")))
    assert (first.size, first.uid, first.gid, first.mtime_ns) == (3, 3_000_000, 4_294_967_294, 1_000_000_007)
    assert first.xattrs == {b"user.a": b""}
    assert (second.uid, second.mtime_ns, second.xattrs) == (0, 0, None)


def test_empty_pax_values_leave_the_header_alone(read: Read) -> None:
    (only,) = read(archive(pax({"path": b"", "mtime": b"", "uid": b""}) + entry("a", uid=7, mtime=8)))
    assert (only.name, only.uid, only.mtime_ns) == (b"a", 7, 8_000_000_000)


def test_global_header_gives_defaults(read: Read) -> None:
    first, second = read(
        archive(
            pax({"comment": b"x", "mtime": b"9"}, kind="g"),
            entry("a", mtime=1),
            pax({"mtime": b"7"}) + entry("b", mtime=1),
        )
    )
    assert (first.mtime_ns, second.mtime_ns) == (9_000_000_000, 7_000_000_000)


def test_base_256_numbers(read: Read) -> None:
    (only,) = read(
        archive(
            header(b"a", uid=base256(3_000_000, 8), gid=base256(5, 8), mtime=base256(-1, 12), size=base256(2, 12))
            + padded(b"xy")
        )
    )
    assert (only.uid, only.gid, only.mtime_ns, only.size) == (3_000_000, 5, -1_000_000_000, 2)


def test_old_kinds_of_regular_files_and_directories(read: Read) -> None:
    kinds = [
        item.type for item in read(archive(header(b"a", kind="\0"), header(b"b", kind="7"), header(b"d/", kind="\0")))
    ]
    assert kinds == [REGULAR, REGULAR, DIRECTORY]


def test_numbers_with_blanks_and_without_terminator(read: Read) -> None:
    (only,) = read(archive(header(b"a", mode=b"   644 \0", uid=b"     1 \0", gid=b"0000002 ", mtime=b"777777777777")))
    assert (only.mode, only.uid, only.gid, only.mtime_ns) == (0o644, 1, 2, 0o777777777777 * 10**9)


def test_signed_checksums_of_old_writers_count(read: Read) -> None:
    block = header(b"\xe4\xf6")
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + b" " * 8 + block[156:])
    (only,) = read(archive(header(b"\xe4\xf6", checksum=octal(signed, 8))))
    assert only.name == b"\xe4\xf6"


REFUSED = {
    "wrong checksum": header(b"a", checksum=b"000001\0 "),
    "checksum off by the modulus": header(b"a", checksum=octal(sum(header(b"a", checksum=b" " * 8)) + 65521, 8)),
    "digit 8": header(b"a", mode=b"0000848\0"),
    "hexadecimal": header(b"a", mode=b"0x00644\0"),
    "underscore": header(b"a", mode=b"0_00644\0"),
    "minus": header(b"a", mode=b"-000644\0"),
    "unknown base": header(b"a", mode=b"\x90000644\0"),
    "negative size": header(b"a", size=base256(-512, 12)),
    "size beyond 63 bits": header(b"a", size=base256(2**63, 12)),
    "pax size beyond 63 bits": pax({"size": b"9223372036854775808"}) + header(b"a"),
    "negative pax size": pax({"size": b"-1"}) + header(b"a"),
    "uid -1": header(b"a", uid=base256(-1, 8)),
    "uid 2^32-1": header(b"a", uid=base256(2**32 - 1, 8)),
    "pax gid 2^32-1": pax({"gid": b"4294967295"}) + header(b"a"),
    "time out of range": header(b"a", mtime=base256(2**70, 12)),
    "directory with content": header(b"a", kind="5", size=octal(512, 12)) + bytes(512),
    "symlink with content": header(b"a", kind="2", linkname=b"x", size=octal(1, 12)) + bytes(512),
    "file with a slash and content": header(b"a/", size=octal(1, 12)) + bytes(512),
    "symlink without target": header(b"a", kind="2"),
    "link target with NUL": pax({"linkpath": b"a\0b"}) + header(b"a", kind="2", linkname=b"x"),
    "sparse": header(b"a", kind="S"),
    "pax sparse": pax({"GNU.sparse.major": b"1"}) + header(b"a"),
    "volume label": header(b"a", kind="V"),
    "multi-volume": header(b"a", kind="M"),
    "unknown kind": header(b"a", kind="Z"),
    "socket of Solaris": header(b"a", kind="\xff"),
    "device of another system": header(b"a", kind="3", major=octal(4096, 8)),
    "device beyond 20 bits": header(b"a", kind="4", minor=octal(1 << 20, 8)),
    "negative device": header(b"a", kind="4", minor=base256(-1, 8)),
    "global path": pax({"path": b"a"}, kind="g") + header(b"a"),
    "global attribute": pax({"SCHILY.xattr.user.a": b"a"}, kind="g") + header(b"a"),
    "end after an extension": pax({"path": b"a"}),
    "one zero block in the middle": header(b"a") + bytes(BLOCK) + header(b"b"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_ambiguous_or_damaged_headers_are_refused(data: bytes, read: Read) -> None:
    with pytest.raises(ArchiveError):
        read(archive(data))


def test_extensions_are_limited(read: Read) -> None:
    with pytest.raises(ArchiveLimitError, match="more than 8"):
        read(archive(pax({"path": b"a"}) * 9 + header(b"a")))
    with pytest.raises(ArchiveLimitError, match="bytes"):
        read(archive(pax({"path": b"a"}), extension("x", bytes(1 << 20)) + header(b"a")))
    with pytest.raises(ArchiveLimitError, match="bytes"):
        read(archive(header(b"a", kind="L", size=base256(2**60, 12))))


def test_long_symlink_targets_are_over_a_limit(read: Read) -> None:
    with pytest.raises(ArchiveLimitError, match="too long"):
        read(archive(pax({"linkpath": b"x" * 4096}) + header(b"a", kind="2")))


@pytest.mark.spec("ACI-038")
def test_archive_cut_at_any_block_is_truncated(read: Read) -> None:
    data = archive(pax({"mtime": b"1.5"}) + entry("a", b"x" * 700), directory("d"))
    for length in range(0, len(data) - 1, 256):
        with pytest.raises(ArchiveError, match="truncated"):
            read(data[:length])
    assert len(read(data)) == 2


def test_size_beyond_the_end_is_truncated(read: Read) -> None:
    for size in (513, 2**40, 2**63 - 1):
        with pytest.raises(ArchiveError, match="truncated"):
            read(archive(header(b"a", size=base256(size, 12))))


def test_many_owners_do_not_fill_memory(read: Read) -> None:
    entries = read(archive(*(entry(f"f{number}", uid=number) for number in range(5000))))
    assert [item.uid for item in entries] == list(range(5000))
    assert len(header_module._owners) <= header_module._MAX_OWNERS


def test_global_headers_count_against_no_entry(read: Read) -> None:
    (only,) = read(
        archive(pax({"mtime": b"1", "comment": b"x" * 200_000}, kind="g") * 9 + pax({"uid": b"1"}) + entry("a"))
    )
    assert (only.mtime_ns, only.uid) == (1_000_000_000, 1)
