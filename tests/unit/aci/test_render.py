"""Rendering as root: one image as GNU tar would extract it, several by the rules for dependencies."""

from __future__ import annotations

import errno
import os
import select
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.archives import (
    BLOCK_DEVICE,
    CHARACTER,
    FIFO,
    archive,
    directory,
    entry,
    hard_link,
    header,
    image,
    octal,
    pax,
    symlink,
)
from harness.forked_child import fork, run_in_child
from harness.trees import snapshot

from rkt.aci import directories
from rkt.aci import render as render_module
from rkt.aci.errors import ArchiveError, RenderError
from rkt.aci.extraction import Extraction
from rkt.aci.render import Layer, render
from rkt.errors import NotPermittedError
from rkt.linux.syscalls import capget

pytestmark = pytest.mark.root
RenderLayers = Callable[..., Path]

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service=ep
_NOBODY = 2**32 - 1


def acl(*, owner: int, user_1000: int, group: int, mask: int) -> bytes:
    """A POSIX ACL as the kernel stores it: user::owner, user:1000:..., group::..., mask::..., other::---."""
    rows = ((1, owner, _NOBODY), (2, user_1000, 1000), (4, group, _NOBODY), (16, mask, _NOBODY), (32, 0, _NOBODY))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)


ACCESS_ACL = acl(owner=6, user_1000=4, group=4, mask=4)
DEFAULT_ACL = acl(owner=7, user_1000=7, group=5, mask=7)


def test_every_kind_of_file_with_all_its_properties(render_layers: RenderLayers) -> None:
    tree = render_layers(
        image(
            entry("rootfs/file", b"content", mode=0o640, uid=5, gid=6, mtime=7),
            entry("rootfs/suid", b"x", mode=0o6755, uid=1000, gid=1000),
            entry("rootfs/sticky", mode=0o1644),
            entry("rootfs/fifo", kind=FIFO, mode=0o2600, uid=3, mtime=9),
            entry("rootfs/null", kind=CHARACTER, mode=0o4666, device=(1, 3), uid=2),
            entry("rootfs/loop", kind=BLOCK_DEVICE, mode=0o660, device=(7, 1 << 19)),
            directory("rootfs/tmp", mode=0o1777, mtime=11),
            directory("rootfs/setgid", mode=0o2775),
            entry("rootfs/setgid/inside", gid=9),
            symlink("rootfs/link", "/etc/../file"),
            hard_link("rootfs/again", "rootfs/suid"),
        )
    )
    nodes = snapshot(tree)
    assert nodes[b"file"][:7] == ("file", 0o640, 5, 6, 7_000_000_000, 0, b"content")
    assert nodes[b"suid"][:4] == ("file", 0o6755, 1000, 1000)
    assert nodes[b"again"][8] == b"again" and nodes[b"suid"][8] == b"again"
    assert nodes[b"sticky"][1] == 0o1644
    assert nodes[b"fifo"][:5] == ("fifo", 0o2600, 3, 0, 9_000_000_000)
    assert nodes[b"null"][:6] == ("character", 0o4666, 2, 0, 0, os.makedev(1, 3))
    assert nodes[b"loop"][:6] == ("block", 0o660, 0, 0, 0, os.makedev(7, 1 << 19))
    assert nodes[b"tmp"][:5] == ("directory", 0o1777, 0, 0, 11_000_000_000)
    assert nodes[b"setgid"][1] == 0o2775
    assert nodes[b"setgid/inside"][:4] == ("file", 0o644, 0, 9)
    assert nodes[b"link"][:7] == ("symlink", 0o777, 0, 0, 0, 0, b"/etc/../file")


@pytest.mark.spec("ACI-015")
def test_times_are_exact_and_directories_get_theirs_last(render_layers: RenderLayers) -> None:
    tree = render_layers(
        image(
            pax({"mtime": b"1700000000.123456789"}) + directory("rootfs/d"),
            pax({"mtime": b"1600000000.000000001"}) + entry("rootfs/d/f", b"x"),
            pax({"mtime": b"-1.5"}) + symlink("rootfs/d/s", "f"),
            directory("rootfs/e", mtime=5),
            entry("rootfs/d/later"),
        )
    )
    nodes = snapshot(tree)
    assert nodes[b"d"][4] == 1_700_000_000_123_456_789
    assert nodes[b"d/f"][4] == 1_600_000_000_000_000_001
    assert nodes[b"d/s"][4] == -1_500_000_000
    assert nodes[b"e"][4] == 5_000_000_000


@pytest.mark.spec("ACI-017")
def test_attributes_travel_and_those_of_the_host_do_not(render_layers: RenderLayers) -> None:
    records = {
        "SCHILY.xattr.user.note": b"a\0b",
        "SCHILY.xattr.security.capability": CAPABILITY,
        "SCHILY.xattr.system.posix_acl_access": ACCESS_ACL,
        "SCHILY.xattr.trusted.overlay.opaque": b"y",
        "SCHILY.xattr.trusted.overlay.redirect": b"/etc",
        "SCHILY.xattr.security.selinux": b"x",
        "SCHILY.xattr.security.ima": b"x",
    }
    tree = render_layers(
        image(
            pax(records) + entry("rootfs/f", b"x", mode=0o640, uid=1),
            pax({"SCHILY.xattr.user.d": b"1", "SCHILY.xattr.trusted.overlay.opaque": b"y"}) + directory("rootfs/d"),
            pax({"SCHILY.xattr.user.s": b"1"}) + symlink("rootfs/s", "f"),
        )
    )
    nodes = snapshot(tree)
    assert dict(nodes[b"f"][7]) == {
        "user.note": b"a\0b",
        "security.capability": CAPABILITY,
        "system.posix_acl_access": ACCESS_ACL,
    }
    assert nodes[b"f"][1] == 0o640
    assert dict(nodes[b"d"][7]) == {"user.d": b"1"}
    assert nodes[b"s"][7] == ()


@pytest.mark.spec("ACI-017")
@pytest.mark.parametrize("remembered", [1, 4096])
def test_default_acl_is_set_and_not_inherited(
    remembered: int, render_layers: RenderLayers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "_MAX_REMEMBERED", remembered)
    with_default = pax({"SCHILY.xattr.system.posix_acl_default": DEFAULT_ACL})
    lower = image(
        with_default + directory("rootfs/d"), entry("rootfs/d/f", mode=0o644), directory("rootfs/d/e", mode=0o700)
    )
    tree = render_layers(lower, image(entry("rootfs/d/g", mode=0o604)))
    nodes = snapshot(tree)
    assert dict(nodes[b"d"][7]) == {"system.posix_acl_default": DEFAULT_ACL}
    assert [nodes[name][7] for name in (b"d/f", b"d/e", b"d/g")] == [(), (), ()]
    assert [nodes[name][1] for name in (b"d/f", b"d/e", b"d/g")] == [0o644, 0o700, 0o604]


@pytest.mark.spec("ACI-015", "ACI-016", "ACI-017", "ACI-018", "ACI-037")
@pytest.mark.parametrize(
    "options", [("--format=pax", "--xattrs", "--xattrs-include=*"), ("--format=gnu",), ("--format=ustar",)]
)
def test_tree_equals_what_gnu_tar_extracts(
    render_layers: RenderLayers, tmp_path: Path, options: tuple[str, ...]
) -> None:
    layout = tmp_path / "layout"
    make_rich_tree(layout / "rootfs", long_names=options != ("--format=ustar",))
    data = tmp_path / "rich.aci"
    subprocess.run(["tar", "-C", layout, *options, "--numeric-owner", "-cf", data, "rootfs"], check=True)
    expected = tmp_path / "expected"
    expected.mkdir()
    attributes = ("--xattrs", "--xattrs-include=*")
    subprocess.run(["tar", "-p", *attributes, "--numeric-owner", "-xf", data, "-C", expected], check=True)
    tree = render_layers(data.read_bytes())
    assert snapshot(tree) == snapshot(expected / "rootfs")


def make_rich_tree(root: Path, *, long_names: bool) -> None:
    """One of everything, through the kernel rather than through an archive."""
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "program").write_bytes(bytes(range(256)) * 300)
    os.link(root / "bin" / "program", root / "bin" / "same")
    os.symlink("program", root / "bin" / "link")
    os.link(root / "bin" / "link", root / "bin" / "link2", follow_symlinks=False)
    os.symlink("/nowhere/at all", root / "dangling")
    os.mkfifo(root / "fifo", 0o622)
    os.mknod(root / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod(root / "disk", stat.S_IFBLK | 0o660, os.makedev(254, 3))
    (root / "empty").touch()
    (root / "namé \n\t").write_bytes(b"x")
    (root / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")
    (root / "tmp").mkdir()
    (root / "private").mkdir()
    (root / "private" / "file").write_bytes(b"secret")
    os.setxattr(root / "bin" / "program", "user.note", b"\0=1")
    os.chown(root / "bin" / "program", 1000, 2000)
    os.chmod(root / "bin" / "program", 0o4755)
    os.setxattr(root / "empty", "security.capability", CAPABILITY)
    os.setxattr(root / "private", "system.posix_acl_default", DEFAULT_ACL)
    os.setxattr(root / "private" / "file", "system.posix_acl_access", ACCESS_ACL)
    os.chmod(root / "tmp", 0o1777)
    os.chmod(root / "private", 0o2700)
    os.lchown(root / "dangling", 7, 8)
    os.chown(root / "fifo", 9, 10)
    if long_names:
        deep = root / ("d" * 120) / ("e" * 120)
        deep.mkdir(parents=True)
        (deep / ("f" * 200)).write_bytes(b"deep")
        os.symlink("t" * 300, root / "long-target")
    for number, path in enumerate(sorted(root.rglob("*"), key=lambda path: len(str(path)), reverse=True)):
        os.utime(path, ns=(0, 1_600_000_000_987_654_321 + number), follow_symlinks=False)
    os.utime(root, ns=(0, 1_500_000_000_000_000_000))


@pytest.mark.spec("DEP-023", "DEP-024")
def test_only_rootfs_is_rendered(render_layers: RenderLayers) -> None:
    tree = render_layers(archive(entry("manifest", b"{}"), directory("rootfs", mode=0o711, mtime=4)))
    assert snapshot(tree) == {b"": ("directory", 0o711, 0, 0, 4_000_000_000, 0, b"", (), b"")}


@pytest.mark.spec("DEP-024")
def test_empty_rootfs_with_a_whitelist_is_empty(render_layers: RenderLayers) -> None:
    assert list(snapshot(render_layers((image(), ["/a"])))) == [b""]


@pytest.mark.spec("DEP-007", "DEP-011", "DEP-018")
def test_later_layer_overrides_earlier_one(render_layers: RenderLayers) -> None:
    tree = render_layers(
        image(entry("rootfs/a", b"1"), entry("rootfs/b", b"1"), entry("rootfs/c", b"1")),
        image(entry("rootfs/b", b"2", mode=0o600, uid=3), entry("rootfs/c", b"2")),
        image(entry("rootfs/c", b"3")),
    )
    nodes = snapshot(tree)
    assert [nodes[name][6] for name in (b"a", b"b", b"c")] == [b"1", b"2", b"3"]
    assert nodes[b"b"][1:3] == (0o600, 3)


@pytest.mark.spec("DEP-018")
def test_overriding_a_hard_link_leaves_its_other_name(render_layers: RenderLayers) -> None:
    lower = image(entry("rootfs/a", b"1"), hard_link("rootfs/b", "rootfs/a"))
    nodes = snapshot(render_layers(lower, image(entry("rootfs/b", b"2"))))
    assert (nodes[b"a"][6], nodes[b"b"][6]) == (b"1", b"2")


@pytest.mark.spec("DEP-019", "DEP-020")
@pytest.mark.parametrize("upper_has_directory", [True, False])
def test_symlink_of_an_earlier_layer_is_replaced_not_followed(
    render_layers: RenderLayers, *, upper_has_directory: bool
) -> None:
    lower = image(directory("rootfs/usr"), entry("rootfs/usr/old", b"1"), symlink("rootfs/lib", "usr"))
    parts = [directory("rootfs/lib", mode=0o700)] if upper_has_directory else []
    tree = render_layers(lower, image(*parts, entry("rootfs/lib/new", b"2")))
    nodes = snapshot(tree)
    assert nodes[b"lib"][:2] == ("directory", 0o700 if upper_has_directory else 0o755)
    assert sorted(nodes) == [b"", b"lib", b"lib/new", b"usr", b"usr/old"]


@pytest.mark.spec("DEP-020")
def test_file_over_a_symlink_replaces_the_symlink(render_layers: RenderLayers) -> None:
    lower = image(entry("rootfs/target", b"1"), symlink("rootfs/link", "target"))
    nodes = snapshot(render_layers(lower, image(entry("rootfs/link", b"2"))))
    assert (nodes[b"link"][0], nodes[b"target"][6]) == ("file", b"1")


@pytest.mark.spec("DEP-021")
@pytest.mark.parametrize("kind", ["file", "symlink", "fifo", "device", "hard link"])
def test_anything_else_replaces_a_whole_directory(render_layers: RenderLayers, kind: str) -> None:
    lower = image(directory("rootfs/d"), directory("rootfs/d/e"), entry("rootfs/d/e/f"), symlink("rootfs/d/s", "/"))
    upper = {
        "file": entry("rootfs/d", b"x"),
        "symlink": symlink("rootfs/d", "/"),
        "fifo": entry("rootfs/d", kind=FIFO),
        "device": entry("rootfs/d", kind=CHARACTER, device=(0, 0)),
        "hard link": entry("rootfs/a") + hard_link("rootfs/d", "rootfs/a"),
    }[kind]
    tree = render_layers(lower, image(upper))
    assert sorted(set(snapshot(tree)) - {b"a"}) == [b"", b"d"]


@pytest.mark.spec("DEP-022")
def test_directory_takes_the_attributes_of_the_upper_layer(render_layers: RenderLayers) -> None:
    lower = image(
        pax({"SCHILY.xattr.user.x": b"1"}) + directory("rootfs/d", mode=0o755, mtime=1), entry("rootfs/d/f", b"1")
    )
    tree = render_layers(lower, image(directory("rootfs/d", mode=0o700, mtime=2)))
    nodes = snapshot(tree)
    assert nodes[b"d"] == ("directory", 0o700, 0, 0, 2_000_000_000, 0, b"", (), b"d")
    assert nodes[b"d/f"][6] == b"1"


def test_directory_keeps_its_time_when_an_upper_layer_writes_into_it(render_layers: RenderLayers) -> None:
    lower = image(directory("rootfs/d", mtime=5), directory("rootfs/d/gone"), entry("rootfs/d/gone/x"))
    nodes = snapshot(render_layers(lower, image(entry("rootfs/d/f"), entry("rootfs/d/gone"))))
    assert nodes[b"d"][4] == 5_000_000_000
    assert nodes[b"d/gone"][0] == "file"


def test_symlink_of_the_same_image_is_followed_inside_the_root(render_layers: RenderLayers) -> None:
    """As GNU tar does. Images that were flattened from layers of another format hold such entries."""
    tree = render_layers(
        image(
            directory("rootfs/usr", mtime=3),
            directory("rootfs/usr/lib", mtime=4),
            symlink("rootfs/lib", "usr/lib"),
            symlink("rootfs/abs", "/../../usr"),
            entry("rootfs/lib/a", b"1"),
            directory("rootfs/abs/sub", mtime=5),
            entry("rootfs/abs/sub/b", b"2"),
            hard_link("rootfs/h", "rootfs/lib/a"),
            symlink("rootfs/lib/current", "v1"),
            directory("rootfs/usr/lib/v1"),
            entry("rootfs/usr/lib/current/c", b"3"),
        )
    )
    nodes = snapshot(tree)
    below = [b"usr/lib", b"usr/lib/a", b"usr/lib/current", b"usr/lib/v1", b"usr/lib/v1/c", b"usr/sub", b"usr/sub/b"]
    assert sorted(nodes) == [b"", b"abs", b"h", b"lib", b"usr", *below]
    assert [nodes[name][4] for name in (b"usr", b"usr/lib", b"usr/sub")] == [
        3_000_000_000,
        4_000_000_000,
        5_000_000_000,
    ]
    assert nodes[b"usr/lib/a"][8] == b"h"


@pytest.mark.parametrize("link", ["nowhere", "loop", "file", "/proc/self/root"])
def test_symlink_that_leads_to_no_directory_is_replaced_by_one(render_layers: RenderLayers, link: str) -> None:
    tree = render_layers(image(entry("rootfs/file", b"x"), symlink("rootfs/loop", link), entry("rootfs/loop/a")))
    nodes = snapshot(tree)
    assert nodes[b"loop"][0] == "directory" and b"loop/a" in nodes
    assert nodes[b"file"][6] == b"x"


def test_implied_directories_are_plain_and_reproducible(render_layers: RenderLayers) -> None:
    tree = render_layers(image(directory("rootfs/s", mode=0o2770), entry("rootfs/s/a/b/c", b"x")))
    nodes = snapshot(tree)
    assert nodes[b"s/a"][:5] == nodes[b"s/a/b"][:5] == ("directory", 0o755, 0, 0, 0)


@pytest.mark.spec("DEP-012", "DEP-014", "DEP-015")
def test_whitelist_filters_the_image_itself(render_layers: RenderLayers) -> None:
    data = image(
        directory("rootfs/a", mode=0o711),
        entry("rootfs/a/1"),
        entry("rootfs/a/2"),
        directory("rootfs/d", mode=0o700),
        entry("rootfs/d/x"),
        directory("rootfs/unlisted"),
        directory("rootfs/empty"),
        symlink("rootfs/s", "a"),
    )
    nodes = snapshot(render_layers((data, ["/a/1", "/d/", "/s", "/empty/never", "/s/2"])))
    assert sorted(nodes) == [b"", b"a", b"a/1", b"d", b"s"]
    assert (nodes[b"a"][1], nodes[b"d"][1]) == (0o711, 0o700)


@pytest.mark.spec("DEP-013", "DEP-016")
def test_whitelists_of_the_path_filter_and_those_of_siblings_do_not(render_layers: RenderLayers) -> None:
    lower = image(entry("rootfs/b1"), entry("rootfs/b2"), entry("rootfs/b3"))
    sibling = image(entry("rootfs/c1"), entry("rootfs/c2"))
    tree = render_layers((lower, ["/b1", "/b2"], ["/b2", "/b3", "/t"]), (sibling, ["/c1"]), image(entry("rootfs/t")))
    assert sorted(snapshot(tree)) == [b"", b"b2", b"c1", b"t"]


def test_parent_that_another_layer_owns_stays_though_empty(render_layers: RenderLayers) -> None:
    lower = image(directory("rootfs/a", mtime=1))
    upper = (image(directory("rootfs/a", mtime=2), directory("rootfs/b"), entry("rootfs/a/x")), ["/a/y", "/b/y"])
    assert sorted(snapshot(render_layers(lower, upper))) == [b"", b"a"]
    assert sorted(snapshot(render_layers(upper, lower))) == [b"", b"a"]


def test_dropping_an_empty_parent_follows_no_symlink(render_layers: RenderLayers) -> None:
    lower = (image(directory("rootfs/a"), directory("rootfs/a/b")), ["/a/b/never"])
    upper = image(directory("rootfs/c"), directory("rootfs/c/b"), symlink("rootfs/a", "c"))
    assert sorted(snapshot(render_layers(lower, upper))) == [b"", b"a", b"c", b"c/b"]


def test_listed_hard_link_brings_its_content(render_layers: RenderLayers) -> None:
    data = image(
        pax({"SCHILY.xattr.user.a": b"1"}) + entry("rootfs/hidden", b"content", mode=0o600, mtime=3),
        directory("rootfs/d", mtime=4),
        hard_link("rootfs/d/one", "rootfs/hidden"),
        hard_link("rootfs/two", "rootfs/d/one"),
        hard_link("rootfs/three", "rootfs/hidden"),
    )
    nodes = snapshot(render_layers((data, ["/d/one", "/two"])))
    assert sorted(nodes) == [b"", b"d", b"d/one", b"two"]
    assert nodes[b"two"] == ("file", 0o600, 0, 0, 3_000_000_000, 0, b"content", (("user.a", b"1"),), b"d/one")
    assert nodes[b"d"][4] == 4_000_000_000


def test_char_device_zero_deletes_nothing(render_layers: RenderLayers) -> None:
    """Overlayfs takes such a node for a deleted file; rendering does not."""
    lower = image(directory("rootfs/d"), entry("rootfs/d/f", b"1"), entry("rootfs/g", b"1"))
    tree = render_layers(lower, image(entry("rootfs/g", kind=CHARACTER, device=(0, 0)), entry("rootfs/d/.wh.f")))
    nodes = snapshot(tree)
    assert nodes[b"d/f"][6] == b"1"
    assert nodes[b"g"][:6] == ("character", 0o644, 0, 0, 0, 0)


@pytest.mark.spec("DEP-006")
def test_target_must_be_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "full" / "x").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "full" / "x")
    for name, reason in (("full", "not empty"), ("link", "not a directory"), ("absent", "no such file")):
        with pytest.raises(RenderError, match=reason):
            render([], str(tmp_path / name))


def test_only_root_renders(tmp_path: Path) -> None:
    def as_nobody() -> None:
        os.setresuid(65534, 65534, 65534)
        render([], str(tmp_path))

    with pytest.raises(NotPermittedError, match="only root"):
        run_in_child(as_nobody)


def test_damaged_archive_is_reported_with_its_kind(render_layers: RenderLayers) -> None:
    with pytest.raises(ArchiveError, match="wrong checksum"):
        render_layers(image(header(b"rootfs/a", checksum=b"0000000\0")))
    with pytest.raises(ArchiveError, match="truncated"):
        render_layers(image(entry("rootfs/a", b"x" * 5000))[:3000])
    with pytest.raises(ArchiveError, match="truncated"):
        render_layers(image()[:-1024] + header(b"rootfs/a", size=octal(1 << 32, 12)) + bytes(100))
    with pytest.raises(ArchiveError, match="NUL"):
        render_layers(image(pax({"path": b"rootfs/a\0b"}) + header(b"x")))


def test_failing_write_names_the_file_and_the_reason(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(image(entry("rootfs/good"), entry("rootfs/big", b"x" * 100_000)))
    (tmp_path / "tree").mkdir()

    def with_small_files() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        fd = os.open(blob, os.O_RDONLY)
        render([Layer(fd)], str(tmp_path / "tree"))

    with pytest.raises(RenderError, match='cannot create file "/big": file too large'):
        run_in_child(with_small_files)


def test_full_file_system_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch, render_layers: RenderLayers) -> None:
    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "sendfile", full)
    with pytest.raises(RenderError, match='"/a": no space left on device') as caught:
        render_layers(image(entry("rootfs/a", b"x")))
    assert caught.value.hint and "free space" in caught.value.hint


def test_renderer_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch, render_layers: RenderLayers) -> None:
    monkeypatch.setattr(Extraction, "finish", lambda self: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(RenderError, match="killed or failed"):
        render_layers(image())


def test_unexpected_error_is_reported_with_its_type(
    monkeypatch: pytest.MonkeyPatch, render_layers: RenderLayers
) -> None:
    monkeypatch.setattr(Extraction, "finish", lambda self: {1: 1}[2])
    with pytest.raises(RenderError, match="KeyError"):
        render_layers(image())


def test_interrupted_render_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Extraction, "finish", lambda self: time.sleep(60))
    (tmp_path / "tree").mkdir()

    def interrupted() -> float:
        threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGUSR1)).start()
        signal.signal(signal.SIGUSR1, lambda *_: signal.default_int_handler(signal.SIGINT, None))
        started = time.monotonic()
        try:
            render([], str(tmp_path / "tree"))
        except KeyboardInterrupt:
            with pytest.raises(ChildProcessError):
                os.waitpid(-1, 0)
            return time.monotonic() - started
        raise AssertionError("not interrupted")

    assert run_in_child(interrupted) < 10


def test_renderer_ends_with_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree").mkdir()
    reader, writer = os.pipe()

    def stay(self: Extraction) -> None:
        os.write(writer, b"here")
        time.sleep(60)

    monkeypatch.setattr(Extraction, "finish", stay)
    parent = fork()
    if parent == 0:
        render([], str(tmp_path / "tree"))
        os._exit(0)
    os.close(writer)
    try:
        assert os.read(reader, 4) == b"here"
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        assert select.select([reader], [], [], 10)[0], "the renderer lives on"
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_renderer_gives_up_what_it_does_not_need(monkeypatch: pytest.MonkeyPatch, render_layers: RenderLayers) -> None:
    reader, writer = os.pipe()

    def look(self: Extraction) -> None:
        seen = (capget(), os.getcwd(), os.listdir("/"), sys.path, sys.meta_path, signal.getsignal(signal.SIGINT))
        os.write(writer, repr(seen).encode())

    monkeypatch.setattr(Extraction, "finish", look)
    render_layers(image(entry("rootfs/only")))
    os.close(writer)
    with open(reader, "rb") as file:
        (effective, permitted, inheritable), *others = eval(file.read().replace(b"<Handlers.SIG_DFL: 0>", b"0"))
    assert (effective | permitted) & ~render_module._CAPABILITIES == 0
    assert inheritable == 0
    assert others == ["/", ["only"], [], [], 0]


def test_blob_position_does_not_move(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(image(entry("rootfs/a", b"x" * 10_000)))
    (tmp_path / "tree").mkdir()

    def position() -> int:
        fd = os.open(blob, os.O_RDONLY)
        os.lseek(fd, 7, os.SEEK_SET)
        render([Layer(fd)], str(tmp_path / "tree"))
        return os.lseek(fd, 0, os.SEEK_CUR)

    assert run_in_child(position) == 7


def test_many_directories_are_remembered_in_turns(render_layers: RenderLayers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "_MAX_REMEMBERED", 3)
    names = [f"rootfs/{a}/{b}" for a in "abc" for b in "xyz"]
    parents = [directory(f"rootfs/{a}", mtime=number + 1) for number, a in enumerate("abc")]
    children = [directory(name, mtime=number + 50) for number, name in enumerate(names)]
    files = [entry(f"{name}/f{number}", mtime=9) for number in range(3) for name in names]
    nodes = snapshot(render_layers(image(*parents, *children, *files)))
    assert [nodes[name][4] for name in (b"a", b"b", b"c")] == [1_000_000_000, 2_000_000_000, 3_000_000_000]
    assert [nodes[name[7:].encode()][4] for name in names] == [(number + 50) * 10**9 for number in range(9)]
