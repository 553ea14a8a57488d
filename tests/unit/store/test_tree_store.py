"""Rendered trees: made once, whole or not at all, not removed while used."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.store.errors import DamagedImageError, DependencyError, StoreBusyError, StoreError
from rkt.store.image_store import ImageStore
from rkt.store.locks import open_lock
from rkt.store.record import ImageRecord
from rkt.store.tree_store import TreeStore

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]


@pytest.fixture
def image(make_aci: AciMaker, put: Put) -> ImageRecord:
    return put(make_aci(files={"bin/": b"", "bin/app": b"app", "etc/": b"", "etc/conf": b"conf"}))


def _names(trees: TreeStore) -> list[str]:
    return sorted(os.listdir(trees.layout.trees))


def test_a_tree_holds_what_the_format_says(store: ImageStore, trees: TreeStore, image: ImageRecord) -> None:
    assert trees.find_tree(image.key) is None
    with trees.ensure_tree(image.key) as tree:
        assert tree.id == "deps-sha512-" + hashlib.sha512(image.key.encode()).hexdigest()[:64]
        assert sorted(os.listdir(tree.path)) == ["image", "manifest", "rendered", "rootfs", "size"]
        assert Path(tree.rootfs, "bin/app").read_bytes() == b"app"
        assert Path(tree.path, "manifest").read_bytes() == store.load_manifest(image.key)
        assert Path(tree.path, "image").read_text() == image.key
    assert trees.list_trees() == _names(trees) == [tree.id]


@pytest.mark.spec("DEP-023")
def test_the_manifest_is_that_of_the_top_image(
    store: ImageStore, trees: TreeStore, make_aci: AciMaker, put: Put
) -> None:
    put(make_aci("example.com/lib", files={"both": b"lib", "lib": b"lib"}))
    top = put(make_aci("example.com/top", files={"both": b"top"}, dependencies=[{"imageName": "example.com/lib"}]))
    with trees.ensure_tree(top.key) as tree:
        assert Path(tree.path, "manifest").read_bytes() == store.load_manifest(top.key)
        assert Path(tree.rootfs, "both").read_bytes() == b"top"
        assert Path(tree.rootfs, "lib").read_bytes() == b"lib"


def test_a_tree_is_rendered_once(trees: TreeStore, image: ImageRecord) -> None:
    with trees.ensure_tree(image.key) as tree:
        before = os.stat(tree.path)
    with trees.ensure_tree(image.key) as again:
        after = os.stat(again.path)
    assert (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)


def test_a_new_dependency_makes_a_new_tree(trees: TreeStore, make_aci: AciMaker, put: Put) -> None:
    put(make_aci("example.com/lib", version="1", files={"lib": b"1"}))
    top = put(make_aci("example.com/top", dependencies=[{"imageName": "example.com/lib"}]))
    with trees.ensure_tree(top.key) as old:
        put(make_aci("example.com/lib", version="2", files={"lib": b"2"}))
        with trees.ensure_tree(top.key) as new:
            assert old.id != new.id
            assert Path(old.rootfs, "lib").read_bytes() == b"1"
            assert Path(new.rootfs, "lib").read_bytes() == b"2"


def test_users_without_root_reach_nothing(trees: TreeStore, image: ImageRecord) -> None:
    trees.ensure_tree(image.key).close()
    pid = os.fork()
    if pid == 0:
        status = 0
        try:
            os.setgroups([])
            os.setresgid(1000, 1000, 1000)
            os.setresuid(1000, 1000, 1000)
            for directory in ("", "/blob", "/tree", "/db", "/imagelocks"):
                try:
                    os.listdir(trees.layout.cas + directory)
                    status = 1
                except PermissionError:
                    pass
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.spec("DEP-027")
@pytest.mark.parametrize("age", ["fresh", "old"])
def test_an_altered_blob_is_never_rendered(trees: TreeStore, image: ImageRecord, age: str) -> None:
    """Also not right after it was stored, when an unaltered blob is not hashed a second time."""
    blob = trees.layout.blob(image.key)
    with open(blob, "rb") as file:
        content = file.read()
    with open(blob, "r+b") as file:
        file.write(content.replace(b"conf", b"CONF"))
    if age == "old":
        os.utime(blob, (0, 0))
    with pytest.raises(DamagedImageError, match="digest"):
        trees.ensure_tree(image.key)
    assert _names(trees) == []


def test_an_altered_dependency_is_never_rendered(trees: TreeStore, make_aci: AciMaker, put: Put) -> None:
    lib = put(make_aci("example.com/lib", files={"lib": b"lib"}))
    top = put(make_aci("example.com/top", dependencies=[{"imageName": "example.com/lib"}]))
    with open(trees.layout.blob(lib.key), "r+b") as file:
        file.seek(1100)
        file.write(b"!")
    with pytest.raises(DamagedImageError, match=lib.key):
        trees.ensure_tree(top.key)
    assert _names(trees) == []


def test_a_missing_dependency_leaves_nothing(trees: TreeStore, make_aci: AciMaker, put: Put) -> None:
    top = put(make_aci("example.com/top", dependencies=[{"imageName": "example.com/lib"}]))
    with pytest.raises(DependencyError):
        trees.ensure_tree(top.key)
    assert _names(trees) == []


def test_what_a_killed_renderer_left_is_replaced(trees: TreeStore, image: ImageRecord) -> None:
    with trees.ensure_tree(image.key) as tree:
        partial, rendered = Path(tree.path + ".tmp"), tree.path
    (partial / "rootfs" / "old").mkdir(parents=True)
    os.unlink(f"{rendered}/rendered")
    with trees.ensure_tree(image.key) as again:
        assert sorted(os.listdir(again.rootfs)) == ["bin", "etc"]
    assert _names(trees) == [again.id]


def test_collect_takes_leftovers_but_not_those_of_a_living_renderer(trees: TreeStore, image: ImageRecord) -> None:
    with trees.ensure_tree(image.key) as tree:
        pass
    dead, living = Path(trees.layout.tree("dead.tmp")), Path(trees.layout.tree("living.tmp"))
    (dead / "rootfs").mkdir(parents=True)
    (living / "rootfs").mkdir(parents=True)
    with open_lock(trees.layout.tree_lock("living"), exclusive=True, wait_seconds=0):
        assert trees.collect() == 1
    assert _names(trees) == sorted([tree.id, "living.tmp"])
    assert trees.list_trees() == [tree.id]


def test_a_tree_in_use_is_not_removed(trees: TreeStore, image: ImageRecord) -> None:
    with trees.ensure_tree(image.key) as tree:
        assert trees.remove_tree(tree.id) is False
        assert os.path.exists(tree.rootfs)
    assert trees.remove_tree(tree.id, is_used=lambda name: name == tree.id) is False
    assert trees.find_unused({tree.id}) == []
    assert trees.find_unused(set()) == [tree.id]
    assert trees.remove_tree(tree.id, is_used=lambda name: False) is True
    assert _names(trees) == []
    assert os.listdir(f"{trees.layout.cas}/treestorelocks") == []
    assert trees.remove_tree(tree.id) is True


@pytest.mark.parametrize("name", ["../blob", "", ".", "a/b", ".."])
def test_only_names_of_trees_are_removed(trees: TreeStore, image: ImageRecord, name: str) -> None:
    with pytest.raises(StoreError, match="not the ID of a tree"):
        trees.remove_tree(name)
    assert os.path.exists(trees.layout.blob(image.key))


def test_a_stopped_renderer_is_waited_for_and_named(trees: TreeStore, image: ImageRecord) -> None:
    with trees.ensure_tree(image.key) as tree:
        pass
    trees.remove_tree(tree.id)
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            open_lock(trees.layout.tree_lock(tree.id), exclusive=True, wait_seconds=1)
            os.write(tell, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.read(ready, 1)
    try:
        trees.render_wait_seconds = 0.1
        with pytest.raises(StoreBusyError, match=f"held by process {pid}"):
            trees.ensure_tree(image.key)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(tell)
    trees.ensure_tree(image.key).close()


def test_many_processes_render_one_tree_once(trees: TreeStore, image: ImageRecord) -> None:
    start = time.time() + 0.2
    pids = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                time.sleep(max(0.0, start - time.time()))
                with trees.ensure_tree(image.key) as tree:
                    status = 0 if os.path.exists(f"{tree.rootfs}/etc/conf") else 2
            finally:
                os._exit(status)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 8
    assert len(_names(trees)) == 1


def test_an_image_is_rendered_into_a_directory(trees: TreeStore, image: ImageRecord, tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    trees.render_into(image.key, str(tmp_path / "rootfs"))
    assert (tmp_path / "rootfs/etc/conf").read_bytes() == b"conf"
    assert _names(trees) == []


def test_no_fd_is_left_open(trees: TreeStore, image: ImageRecord) -> None:
    before = os.listdir("/proc/self/fd")
    trees.ensure_tree(image.key).close()
    trees.ensure_tree(image.key).close()
    assert os.listdir("/proc/self/fd") == before
