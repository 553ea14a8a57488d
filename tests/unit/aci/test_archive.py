"""The rules of an image archive, judged while it streams by."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from harness.archives import (
    MANIFEST,
    archive,
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

from rkt.aci import archive as archive_module
from rkt.aci.archive import ArchiveScan, ArchiveSummary
from rkt.aci.errors import ArchiveError, ArchiveLimitError

MANIFEST_ENTRY = entry("manifest", MANIFEST)
ROOTFS = directory("rootfs")


def scan(data: bytes, *, piece: int = 1 << 20) -> ArchiveSummary:
    judge = ArchiveScan()
    for start in range(0, len(data), piece):
        judge.feed(data[start : start + piece])
    return judge.finish()


@pytest.mark.spec("ACI-003", "ACI-005", "ACI-034", "ACI-040")
def test_sound_image_is_summed_up() -> None:
    data = image(directory("rootfs/bin"), entry("rootfs/bin/a", b"x" * 1000), symlink("rootfs/s", "bin/a"))
    summary = scan(data)
    assert (summary.manifest, summary.entries, summary.size) == (MANIFEST, 5, len(data))
    assert "entries=5" in repr(summary)


@pytest.mark.parametrize("piece", [1, 7, 511, 512, 513, 1024, 4096])
def test_pieces_of_any_size_give_the_same_summary(piece: int) -> None:
    data = archive(
        ROOTFS,
        entry("rootfs/a", b"x" * 1500),
        pax({"path": b"rootfs/" + b"l" * 200}) + header(b"b"),
        entry("manifest", MANIFEST * 20),
        entry("rootfs/c", b"y" * 512),
    )
    summary = scan(data + bytes(3000), piece=piece)
    assert (summary.manifest, summary.entries, summary.size) == (MANIFEST * 20, 5, len(data) + 3000)


@pytest.mark.spec("ACI-013")
def test_entries_come_in_any_order() -> None:
    for data in (
        archive(MANIFEST_ENTRY, ROOTFS, entry("rootfs/a")),
        archive(ROOTFS, entry("rootfs/a"), MANIFEST_ENTRY),
        archive(entry("rootfs/a"), MANIFEST_ENTRY, ROOTFS),
    ):
        assert scan(data).entries == 3


@pytest.mark.spec("ACI-012")
def test_leading_dot_and_trailing_slash_change_nothing() -> None:
    data = archive(directory("./"), directory("./rootfs/"), entry("./manifest", MANIFEST), entry("./rootfs/./a"))
    assert scan(data).manifest == MANIFEST


@pytest.mark.spec("ACI-014")
def test_names_deeper_inside_are_ordinary() -> None:
    data = image(directory("rootfs/rootfs"), entry("rootfs/manifest"), entry("rootfs/rootfs/manifest", kind="6"))
    assert scan(data).entries == 5


@pytest.mark.spec("ACI-037")
def test_ustar_pax_and_gnu_are_all_tar() -> None:
    long = b"rootfs/" + b"x" * 150
    data = image(
        header(b"b", prefix=b"rootfs"),
        pax({"path": long}) + header(b"a"),
        extension("L", long + b"y\0") + header(b"a", magic=b"ustar  \0"),
        header(b"rootfs/v7", magic=bytes(8)),
    )
    assert scan(data).entries == 6


BROKEN = {
    "no-manifest": ("ACI-010", archive(ROOTFS), "no image manifest found in layout"),
    "empty-archive": ("ACI-010", archive(), "no image manifest found in layout"),
    "no-rootfs": ("ACI-011", archive(MANIFEST_ENTRY, entry("rootfs/a")), "no rootfs found in layout"),
    "manifest-symlink": ("ACI-006", archive(symlink("manifest", "rootfs/m"), ROOTFS), "manifest is not a regular file"),
    "manifest-directory": ("ACI-006", archive(directory("manifest"), ROOTFS), "manifest is not a regular file"),
    "manifest-device": ("ACI-006", archive(entry("manifest", kind="3"), ROOTFS), "manifest is not a regular file"),
    "manifest-fifo": ("ACI-006", archive(entry("manifest", kind="6"), ROOTFS), "manifest is not a regular file"),
    "manifest-hard-link": (
        "ACI-006",
        archive(ROOTFS, entry("rootfs/a"), hard_link("manifest", "rootfs/a")),
        "manifest is not a regular file",
    ),
    "manifest-with-slash": ("ACI-006", archive(header(b"manifest/"), ROOTFS), "manifest is not a regular file"),
    "rootfs-file": ("ACI-007", archive(MANIFEST_ENTRY, entry("rootfs")), "rootfs is not a directory"),
    "rootfs-symlink": ("ACI-007", archive(MANIFEST_ENTRY, symlink("./rootfs", "/")), "rootfs is not a directory"),
    "rootfs-hard-link": (
        "ACI-007",
        archive(MANIFEST_ENTRY, hard_link("rootfs", "manifest")),
        "rootfs is not a directory",
    ),
    "rootfs-device": ("ACI-007", archive(MANIFEST_ENTRY, entry("rootfs//", kind="4")), "rootfs is not a directory"),
    "two-manifests": ("ACI-004", image(entry("./manifest", MANIFEST)), "duplicate file entry"),
    "two-rootfs": ("ACI-004", image(directory("rootfs/")), "duplicate file entry"),
    "two-files": ("ACI-004", image(entry("rootfs/a"), entry("./rootfs//a")), "duplicate file entry"),
    "file-and-directory": ("ACI-004", image(entry("rootfs/a"), directory("rootfs/a/")), "duplicate file entry"),
    "two-roots": ("ACI-004", image(directory("."), directory("./")), "duplicate file entry"),
    "outside": ("ACI-008", image(entry("extra")), "unrecognized file path in layout"),
    "outside-directory": ("ACI-008", image(directory("extra")), "unrecognized file path in layout"),
    "string-prefix": ("ACI-008", image(entry("rootfsx")), "unrecognized file path in layout"),
    "string-prefix-below": ("ACI-008", image(entry("rootfsx/a")), "unrecognized file path in layout"),
    "below-manifest": ("ACI-008", image(entry("manifest/a")), "unrecognized file path in layout"),
    "case": ("ACI-005", image(entry("Rootfs/a")), "unrecognized file path in layout"),
    "root-as-file": ("ACI-008", image(entry(".")), "unrecognized file path in layout"),
    "root-as-symlink": ("ACI-008", image(symlink("./", "/")), "unrecognized file path in layout"),
    "absolute": ("ACI-009", image(entry("/rootfs/a")), "absolute name"),
    "dot-dot": ("ACI-009", image(entry("rootfs/../a")), '".." in its name'),
    "dot-dot-inside": ("ACI-009", image(entry("rootfs/a/../b")), '".." in its name'),
    "dot-dot-first": ("ACI-009", image(entry("../rootfs/a")), '".." in its name'),
    "link-outside": ("ACI-039", image(hard_link("rootfs/a", "manifest")), "leads out of rootfs"),
    "link-to-rootfs": ("ACI-039", image(hard_link("rootfs/a", "rootfs")), "leads out of rootfs"),
    "link-absolute": ("ACI-039", image(hard_link("rootfs/a", "/etc/passwd")), "absolute name"),
    "link-dot-dot": ("ACI-039", image(hard_link("rootfs/a", "rootfs/../../etc/passwd")), '".." in its name'),
    "link-to-nothing": ("ACI-039", image(hard_link("rootfs/a", "rootfs/b")), "not an earlier file"),
    "link-to-later": ("ACI-039", image(hard_link("rootfs/a", "rootfs/b"), entry("rootfs/b")), "not an earlier file"),
    "link-to-itself": ("ACI-039", image(hard_link("rootfs/a", "rootfs/a")), "not an earlier file"),
    "link-to-directory": (
        "ACI-039",
        image(directory("rootfs/d"), hard_link("rootfs/a", "rootfs/d")),
        "not an earlier file",
    ),
    "trailing-data": ("ACI-038", image() + b"x", "trailing data"),
    "trailing-archive": ("ACI-038", image() + image(), "trailing data"),
    "trailing-after-padding": ("ACI-038", image() + bytes(5000) + b"x", "trailing data"),
    "truncated": ("ACI-038", image()[:-512], "truncated"),
    "truncated-content": ("ACI-038", image(entry("rootfs/a", b"x" * 9000))[:-9000], "truncated"),
    "no-bytes": ("ACI-038", b"", "truncated"),
    "broken-pax": ("ACI-003", image(extension("x", b"nonsense") + entry("rootfs/a")), "malformed record"),
}


@pytest.mark.spec(*sorted({requirement for requirement, _, _ in BROKEN.values()}))
@pytest.mark.parametrize("piece", [100, 1 << 20])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_rule_is_an_error(name: str, piece: int) -> None:
    _, data, message = BROKEN[name]
    with pytest.raises(ArchiveError, match=message):
        scan(data, piece=piece)


@pytest.mark.spec("ACI-036")
def test_manifest_is_limited() -> None:
    limit = archive_module.MAX_MANIFEST_BYTES
    big = entry("manifest", b"x" * limit)
    assert len(scan(archive(ROOTFS, big)).manifest) == limit
    judge = ArchiveScan()
    with pytest.raises(ArchiveLimitError, match="manifest has"):
        judge.feed(header(b"manifest", size=octal(limit + 1, 12)))


@pytest.mark.spec("ACI-036")
def test_entries_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 3)
    assert scan(image(entry("rootfs/a"))).entries == 3
    with pytest.raises(ArchiveLimitError, match="more than 3 entries"):
        scan(image(entry("rootfs/a"), entry("rootfs/b")))


def test_large_manifest_in_small_pieces_takes_linear_time() -> None:
    data = archive(ROOTFS, entry("manifest", random.Random(1).randbytes(4 << 20)))
    started = time.process_time()
    assert len(scan(data, piece=700).manifest) == 4 << 20
    assert time.process_time() - started < 3


def test_contents_are_not_kept() -> None:
    begin = archive(MANIFEST_ENTRY, ROOTFS)[:-1024] + header(b"rootfs/big", size=octal(1 << 30, 12))
    judge = ArchiveScan()
    tracemalloc.start()
    try:
        chunk = b"x" * (1 << 20)
        judge.feed(begin)
        for _ in range(1024):
            judge.feed(chunk)
        judge.feed(bytes(1024))
        assert judge.finish().size == len(begin) + (1 << 30) + 1024
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_many_entries_fit_into_little_memory() -> None:
    judge = ArchiveScan()
    judge.feed(MANIFEST_ENTRY + ROOTFS)
    tracemalloc.start()
    try:
        for part in range(30):
            judge.feed(_renamed(part))
        judge.feed(bytes(1024))
        assert judge.finish().entries == 30_002
        # 21 bytes for a name, and the chunks
        assert tracemalloc.get_traced_memory()[1] < 30_000 * 22 + (4 << 20)
    finally:
        tracemalloc.stop()


def _renamed(part: int) -> bytes:
    return b"".join(header(b"rootfs/%d-%d" % (part, number)) for number in range(1000))


def test_padding_after_content_may_hold_anything() -> None:
    data = archive(MANIFEST_ENTRY, ROOTFS, header(b"rootfs/a", size=octal(3, 12)) + b"abc".ljust(512, b"?"))
    assert scan(data).entries == 3


def test_long_padding_at_the_end_is_lawful() -> None:
    data = image() + padded(b"") + bytes(20 * 512)
    assert scan(data, piece=1000).size == len(data)
