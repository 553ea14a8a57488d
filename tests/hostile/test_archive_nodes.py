"""R8: devices, FIFOs and sockets of an image are made, replaced and removed, but never opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.archives import BLOCK_DEVICE, CHARACTER, FIFO, directory, entry, hard_link, image, pax, symlink
from harness.forked_child import run_in_child

from rkt.aci.build import build_aci
from rkt.aci.render import Layer, render

pytestmark = pytest.mark.root

NODES = b"".join(
    (
        directory("rootfs/dev"),
        entry("rootfs/dev/zero", kind=CHARACTER, device=(1, 5), mode=0o4666),
        entry("rootfs/dev/mem", kind=CHARACTER, device=(1, 1)),
        entry("rootfs/dev/snapshot", kind=CHARACTER, device=(10, 231)),
        entry("rootfs/dev/fuse", kind=CHARACTER, device=(10, 229)),
        entry("rootfs/dev/whiteout", kind=CHARACTER, device=(0, 0)),
        entry("rootfs/dev/disk", kind=BLOCK_DEVICE, device=(254, 0)),
        entry("rootfs/dev/fifo", kind=FIFO),
        pax({"SCHILY.xattr.user.x": b"1"}) + entry("rootfs/dev/tty", kind=CHARACTER, device=(5, 0)),
        hard_link("rootfs/dev/link", "rootfs/dev/zero"),
        symlink("rootfs/dev/symlink", "zero"),
    )
)
NAMES = ("zero", "mem", "snapshot", "fuse", "whiteout", "disk", "fifo", "tty", "link", "symlink")

UPPER = {
    "nothing": b"",
    "files": b"".join(entry(f"rootfs/dev/{name}", b"x" * 5000) for name in NAMES),
    "directories": b"".join(directory(f"rootfs/dev/{name}") for name in NAMES),
    "symlinks": b"".join(symlink(f"rootfs/dev/{name}", "elsewhere") for name in NAMES),
    "other nodes": b"".join(entry(f"rootfs/dev/{name}", kind=FIFO, mode=0o6777) for name in NAMES),
    "one file": entry("rootfs/dev", b"x"),
    "below them": b"".join(entry(f"rootfs/dev/{name}/below", b"x") for name in NAMES),
}


def opened_paths(work: Callable[[], object]) -> set[str]:
    """The base names of what ``work``, and the children that it forks, open by a Python call."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("open", "os.open"):
            os.write(writer, os.fsencode(str(arguments[0])) + b"\n")

    def watched() -> None:
        sys.addaudithook(hook)
        work()

    run_in_child(watched, timeout_seconds=5)
    os.close(writer)
    with open(reader, "rb") as file:
        lines = file.read().decode().split("\n")
    return {line.strip("b'").rpartition("/")[2] for line in lines}


@pytest.mark.spec("ACI-018")
@pytest.mark.parametrize("upper", UPPER)
def test_rendering_opens_no_node(upper: str, tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "tree").mkdir()
        fds = []
        for number, entries in enumerate((NODES, UPPER[upper])):
            (tmp_path / f"blob{number}").write_bytes(image(entries))
            fds.append(os.open(tmp_path / f"blob{number}", os.O_RDONLY))
        render([Layer(fd) for fd in fds], str(tmp_path / "tree"))

    opened = opened_paths(work)
    assert "tree" in opened, "the hook sees nothing"
    if upper == "files":
        # each is a new file, made with O_EXCL: had a node been opened, it would still be there
        assert all((tmp_path / "tree" / "dev" / name).stat().st_size == 5000 for name in NAMES)
    else:
        assert not opened & set(NAMES)


def test_building_opens_no_node(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "layout" / "rootfs").mkdir(parents=True)
        (tmp_path / "layout" / "manifest").write_text(
            '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/nodes"}'
        )
        (tmp_path / "blob").write_bytes(image(NODES))
        fd = os.open(tmp_path / "blob", os.O_RDONLY)
        render([Layer(fd)], str(tmp_path / "layout" / "rootfs"))
        build_aci(str(tmp_path / "layout"), str(tmp_path / "o.aci"))

    assert not opened_paths(work) & set(NAMES)
    assert (tmp_path / "o.aci").exists()
