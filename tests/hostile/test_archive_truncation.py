"""T7: an archive that is cut or damaged at any block is an error, in every compression, and leaves no child."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.archives import BLOCK, MANIFEST, archive, directory, entry, hard_link, pax, symlink
from harness.forked_child import run_in_child

from rkt.aci.archive import ArchiveScan
from rkt.aci.compression import open_decompressed
from rkt.aci.errors import ArchiveError
from rkt.aci.render import Layer, render

pytestmark = pytest.mark.spec("ACI-038")

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
}


def hundred_blocks() -> bytes:
    """An image of 100 blocks: extensions, contents that do not compress, links; the manifest in the middle."""
    noise = random.Random(7).randbytes
    data = archive(
        directory("rootfs"),
        *(pax({"mtime": b"1.5"}) + entry(f"rootfs/f{number}", noise(1500)) for number in range(10)),
        entry("manifest", MANIFEST),
        directory("rootfs/d"),
        symlink("rootfs/s", "f1"),
        hard_link("rootfs/h", "rootfs/f1"),
        *(entry(f"rootfs/g{number}", noise(7500)) for number in range(2)),
    )
    assert len(data) == 100 * BLOCK
    return data


IMAGE = hundred_blocks()


def judge(data: bytes) -> None:
    """What the store does with the bytes of an image."""
    scan = ArchiveScan()
    reader = open_decompressed(io.BytesIO(data))
    while chunk := reader.read():
        scan.feed(chunk)
    scan.finish()


@pytest.mark.parametrize("compression", COMPRESS)
def test_image_cut_at_any_block_is_an_error(compression: str) -> None:
    compressed = COMPRESS[compression](IMAGE)
    judge(compressed)
    for length in range(0, len(compressed), BLOCK):
        with pytest.raises(ArchiveError):
            judge(compressed[:length])


@pytest.mark.parametrize("compression", COMPRESS)
def test_archive_cut_at_any_block_before_it_was_compressed_is_an_error(compression: str) -> None:
    for blocks in range(100):
        with pytest.raises(ArchiveError):
            judge(COMPRESS[compression](IMAGE[: blocks * BLOCK]))


@pytest.mark.parametrize("compression", COMPRESS)
def test_garbage_at_any_block_is_an_error_or_content(compression: str) -> None:
    compressed = COMPRESS[compression](IMAGE)
    garbage = random.Random(8).randbytes(BLOCK)
    refused = 0
    for start in range(0, len(compressed), BLOCK):
        try:
            judge(compressed[:start] + garbage + compressed[start + BLOCK :])
        except ArchiveError:
            refused += 1
    # without compression nothing guards the content of files: that is the image ID's part
    blocks = -(-len(compressed) // BLOCK)
    assert refused == blocks if compression != "none" else refused >= 35


@pytest.mark.root
def test_renderer_refuses_every_cut_and_leaves_no_child(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(IMAGE)

    def render_cut(blocks: int) -> str:
        target = tmp_path / f"tree{blocks}"
        target.mkdir()
        os.truncate(tmp_path / "blob", blocks * BLOCK)
        fd = os.open(tmp_path / "blob", os.O_RDONLY)
        try:
            render([Layer(fd)], str(target))
        except ArchiveError:
            return "refused"
        finally:
            os.close(fd)
        return "rendered"

    def all_cuts() -> list[str]:
        verdicts = [render_cut(blocks) for blocks in range(100, -1, -1)]
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, 0)
        return verdicts

    verdicts = run_in_child(all_cuts)
    assert verdicts == ["rendered"] + ["refused"] * 100
