"""Building images: reproducible bytes, everything a file has, nothing half-written."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import socket
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.trees import snapshot

from rkt.aci.archive import ArchiveScan
from rkt.aci.build import build_aci
from rkt.aci.compression import open_decompressed
from rkt.aci.encoders import COMPRESSIONS
from rkt.aci.errors import ArchiveError, BuildError
from rkt.linux import durable
from rkt.schema.problems import ManifestError

TIME = 1_600_000_000_123_456_789
MANIFEST = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/built"}


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image layout with a few files, all with one time."""
    root = tmp_path / "layout"
    (root / "rootfs" / "bin").mkdir(parents=True)
    (root / "rootfs" / "bin" / "b").write_bytes(b"b" * 1000)
    (root / "rootfs" / "bin" / "a").write_bytes(b"")
    (root / "rootfs" / "bin.d").write_bytes(b"x")
    os.link(root / "rootfs" / "bin" / "b", root / "rootfs" / "bin" / "z")
    (root / "rootfs" / "link").symlink_to("bin/../b")
    (root / "manifest").write_text(json.dumps(MANIFEST, indent=4))
    for path in [*root.rglob("*")]:
        os.utime(path, ns=(TIME, TIME), follow_symlinks=False)
    return root


def uncompressed(path: Path) -> bytes:
    with path.open("rb") as file:
        reader = open_decompressed(file)
        return b"".join(iter(reader.read, b""))


def members(path: Path) -> list[tarfile.TarInfo]:
    return tarfile.open(fileobj=io.BytesIO(uncompressed(path))).getmembers()


@pytest.mark.spec("ACI-001", "ACI-013", "ACI-018")
def test_entries_are_in_lexical_order_with_the_manifest_last(layout: Path, tmp_path: Path) -> None:
    build_aci(str(layout), str(tmp_path / "o.aci"))
    entries = members(tmp_path / "o.aci")
    names = [
        "rootfs",
        "rootfs/bin",
        "rootfs/bin/a",
        "rootfs/bin/b",
        "rootfs/bin/z",
        "rootfs/bin.d",
        "rootfs/link",
        "manifest",
    ]
    assert [entry.name for entry in entries] == names
    by_name = {entry.name: entry for entry in entries}
    assert (by_name["rootfs/bin/z"].type, by_name["rootfs/bin/z"].linkname) == (tarfile.LNKTYPE, "rootfs/bin/b")
    assert by_name["rootfs/link"].linkname == "bin/../b"
    manifest = by_name["manifest"]
    assert (manifest.mode, manifest.uid, manifest.gid) == (0o644, 0, 0)


def test_manifest_is_written_in_canonical_form(layout: Path, tmp_path: Path) -> None:
    build_aci(str(layout), str(tmp_path / "o.aci"), compression="none")
    scan = ArchiveScan()
    scan.feed((tmp_path / "o.aci").read_bytes())
    assert scan.finish().manifest == json.dumps(MANIFEST, separators=(",", ":")).encode()


@pytest.mark.spec("ACI-032")
def test_compressions_hold_the_same_archive(layout: Path, tmp_path: Path) -> None:
    digests = set()
    for compression in COMPRESSIONS:
        output = tmp_path / f"{compression}.aci"
        build_aci(str(layout), str(output), compression=compression)
        assert stat.S_IMODE(output.stat().st_mode) == 0o644
        digests.add(hashlib.sha512(uncompressed(output)).hexdigest())
    assert len(digests) == 1


def test_same_input_gives_same_bytes(layout: Path, tmp_path: Path) -> None:
    for number in range(2):
        build_aci(str(layout), str(tmp_path / f"{number}.aci"))
    assert (tmp_path / "0.aci").read_bytes() == (tmp_path / "1.aci").read_bytes()


def test_neither_environment_nor_hash_seed_shows(layout: Path, tmp_path: Path, repository: Path) -> None:
    build_aci(str(layout), str(tmp_path / "here.aci"))
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); import rkt.aci.build as b; b.build_aci(*sys.argv[1:])"
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", program, str(repository), str(layout), str(tmp_path / "there.aci")]
    subprocess.run(command, check=True, env=environment, cwd="/")
    assert (tmp_path / "there.aci").read_bytes() == (tmp_path / "here.aci").read_bytes()


def test_gzip_header_tells_neither_time_nor_name(layout: Path, tmp_path: Path) -> None:
    build_aci(str(layout), str(tmp_path / "o.aci"))
    data = (tmp_path / "o.aci").read_bytes()
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    assert gzip.decompress(data) == uncompressed(tmp_path / "o.aci")


@pytest.mark.spec("ACI-015")
def test_times_are_kept_to_the_nanosecond(layout: Path, tmp_path: Path) -> None:
    os.utime(layout / "rootfs" / "bin" / "a", ns=(0, -1_500_000_000))
    build_aci(str(layout), str(tmp_path / "o.aci"))
    times = {entry.name: entry.pax_headers.get("mtime") for entry in members(tmp_path / "o.aci")}
    assert times["rootfs/bin/b"] == times["manifest"] == "1600000000.123456789"
    assert times["rootfs/bin/a"] == "-1.5"


def test_source_date_epoch_is_the_latest_time(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(layout / "rootfs" / "bin" / "a", ns=(0, 5_000_000_000))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000")
    build_aci(str(layout), str(tmp_path / "environment.aci"))
    assert {entry.mtime for entry in members(tmp_path / "environment.aci")} == {5, 1000}
    build_aci(str(layout), str(tmp_path / "argument.aci"), source_date_epoch=3)
    assert {entry.mtime for entry in members(tmp_path / "argument.aci")} == {3}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH"):
        build_aci(str(layout), str(tmp_path / "bad.aci"))


def test_owner_root_gives_everything_to_root(layout: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(layout / "rootfs" / "bin" / "a", 1000, 1001)
    build_aci(str(layout), str(tmp_path / "o.aci"), owner_root=True)
    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in members(tmp_path / "o.aci")} == {
        (0, 0, "", "")
    }


@pytest.mark.root
@pytest.mark.spec("ACI-016", "ACI-017", "ACI-018")
def test_what_is_built_renders_to_what_was_there(
    layout: Path, tmp_path: Path, render_layers: Callable[..., Path]
) -> None:
    root = layout / "rootfs"
    (root / ("d" * 101)).mkdir()
    (root / ("d" * 101) / ("f" * 255)).write_bytes(b"deep")
    (root / os.fsdecode(b"\xff \n")).write_bytes(b"")
    os.symlink("t" * 200, root / "long")
    os.mkfifo(root / "fifo")
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.setxattr(root / "bin" / "a", "user.a=%", b"1\n2")
    os.setxattr(root / "bin" / "a", "trusted.host", b"stays here")
    os.chown(root / "bin" / "a", 3_000_000, 4_000_000)
    os.chmod(root / "bin" / "a", 0o6711)
    build_aci(str(layout), str(tmp_path / "o.aci"))
    os.removexattr(root / "bin" / "a", "trusted.host")
    assert snapshot(render_layers(uncompressed(tmp_path / "o.aci"))) == snapshot(root)


def test_sockets_are_left_out(layout: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(layout / "rootfs" / "socket"))
        build_aci(str(layout), str(tmp_path / "o.aci"))
    assert "rootfs/socket" not in [entry.name for entry in members(tmp_path / "o.aci")]


@pytest.mark.spec("ACI-002")
def test_output_ends_in_aci(layout: Path, tmp_path: Path) -> None:
    for name, given in (("o.tar", ".tar"), ("o", "none"), ("aci", "none")):
        with pytest.raises(BuildError, match=rf"extension must be \.aci \(given {given}\)"):
            build_aci(str(layout), str(tmp_path / name))
        assert not (tmp_path / name).exists()


def test_existing_output_is_kept_unless_told(layout: Path, tmp_path: Path) -> None:
    output = tmp_path / "o.aci"
    output.write_bytes(b"precious")
    with pytest.raises(BuildError, match="try --overwrite"):
        build_aci(str(layout), str(output))
    assert output.read_bytes() == b"precious"
    build_aci(str(layout), str(output), overwrite=True)
    assert members(output)


def replace_by_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no-manifest": (lambda root: os.unlink(root / "manifest"), "no image manifest found in layout"),
    "no-rootfs": (lambda root: (root / "rootfs").rename(root.parent / "r"), "no rootfs found in layout"),
    "extra-file": (lambda root: (root / "extra").write_bytes(b""), 'unrecognized file path in layout: "extra"'),
    "rootfs-is-a-link": (lambda root: replace_by_link(root / "rootfs"), "rootfs is not a directory"),
    "manifest-is-a-link": (lambda root: replace_by_link(root / "manifest"), "manifest is not a regular file"),
    "manifest-is-a-fifo": (lambda root: replace_by_fifo(root / "manifest"), "manifest is not a regular file"),
}


@pytest.mark.spec("ACI-006", "ACI-007", "ACI-008", "ACI-010", "ACI-011")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_layout_is_refused(name: str, layout: Path, tmp_path: Path) -> None:
    breaks, message = BROKEN[name]
    breaks(layout)
    with pytest.raises(BuildError, match=message):
        build_aci(str(layout), str(tmp_path / "o.aci"))
    assert not (tmp_path / "o.aci").exists()


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="is not a directory"):
        build_aci(str(tmp_path / "file"), str(tmp_path / "o.aci"))
    with pytest.raises(BuildError, match=r'absent": no such file'):
        build_aci(str(tmp_path / "absent"), str(tmp_path / "o.aci"))


def test_unknown_compression_is_refused(layout: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="unknown compression") as caught:
        build_aci(str(layout), str(tmp_path / "o.aci"), compression="lzw")
    assert caught.value.hint == "use gzip, none, bzip2, xz, zstd"


def test_bad_manifest_is_refused_with_its_problems(layout: Path, tmp_path: Path) -> None:
    (layout / "manifest").write_text('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"Bad Name"}')
    with pytest.raises(ManifestError, match="name"):
        build_aci(str(layout), str(tmp_path / "o.aci"))
    (layout / "manifest").write_bytes(b" " * (4 << 20) + b"{}")
    with pytest.raises(BuildError, match="manifest has more than"):
        build_aci(str(layout), str(tmp_path / "o.aci"))


def listing(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("call", ["fsync", "fchmod", "write"])
def test_failed_build_leaves_nothing(call: str, layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "o.aci").write_bytes(b"old")
    before = listing(tmp_path)
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(BuildError, match=r'o\.aci": no space left on device'):
        build_aci(str(layout), str(tmp_path / "o.aci"), overwrite=True)
    assert listing(tmp_path) == before
    assert (tmp_path / "o.aci").read_bytes() == b"old"


def test_output_that_appears_meanwhile_is_kept(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "o.aci"
    publish = durable.publish

    def late(temporary: str, path: str, *, replace: bool = True) -> None:
        output.write_bytes(b"other")
        publish(temporary, path, replace=replace)

    monkeypatch.setattr(durable, "publish", late)
    with pytest.raises(BuildError, match="try --overwrite"):
        build_aci(str(layout), str(output))
    assert output.read_bytes() == b"other"
    assert listing(tmp_path) == ["layout", "o.aci"]


def test_file_that_changes_while_it_is_read_is_an_error(
    layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read

    def grow(fd: int, size: int) -> bytes:
        os.truncate(layout / "rootfs" / "bin" / "b", 10)
        return read(fd, size)

    monkeypatch.setattr(os, "read", grow)
    with pytest.raises(BuildError, match="changed while it was read"):
        build_aci(str(layout), str(tmp_path / "o.aci"))
    assert listing(tmp_path) == ["layout"]


def test_nothing_is_built_that_would_be_refused(layout: Path, tmp_path: Path) -> None:
    """A tree whose names are too long for an archive that is to be rendered under another root."""
    deep = layout / "rootfs"
    os.chdir(deep)
    try:
        for _ in range(17):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        with pytest.raises((ArchiveError, BuildError)):
            build_aci(str(layout), str(tmp_path / "o.aci"))
    finally:
        os.chdir("/")
        subprocess.run(["rm", "-r", str(deep / ("d" * 250))], check=True)
    assert listing(tmp_path) == ["layout"]
