"""How much a rendered tree takes is noted when it is rendered, and told by image."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.store.image_store import ImageStore
from rkt.store.record import ImageRecord
from rkt.store.removal import remove_tree
from rkt.store.tree_size import measure_tree
from rkt.store.tree_store import TreeStore

Put = Callable[..., ImageRecord]


def test_an_image_without_a_tree_has_no_size(store: ImageStore, trees: TreeStore) -> None:
    assert trees.sizes_by_image() == {}


def test_the_size_is_that_of_the_files_content(
    store: ImageStore, trees: TreeStore, put: Put, make_aci: Callable[..., bytes]
) -> None:
    base = put(make_aci("example.com/base", files={"a": b"x" * 1000, "d/": b""}))
    top = put(make_aci(files={"b": b"y" * 234}, dependencies=[{"imageName": "example.com/base"}]))
    trees.ensure_tree(top.key).close()
    assert trees.sizes_by_image() == {top.key: 1234}
    trees.ensure_tree(base.key).close()
    assert trees.sizes_by_image() == {top.key: 1234, base.key: 1000}


@pytest.mark.parametrize("damage", [None, b"", b"many", b"-5", b"9" * 5000])
def test_a_size_that_cannot_be_read_counts_nothing(
    store: ImageStore, trees: TreeStore, put: Put, make_aci: Callable[..., bytes], damage: bytes | None
) -> None:
    record = put(make_aci(files={"a": b"x" * 1000}))
    with trees.ensure_tree(record.key) as tree:
        path = f"{tree.path}/size"
    os.unlink(path)
    if damage is not None:
        with open(path, "wb") as file:
            file.write(damage)
    assert trees.sizes_by_image() == {}


def test_a_hard_link_counts_once_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").write_bytes(b"x" * 100)
    os.link(tmp_path / "d/a", tmp_path / "b")
    os.symlink("/usr", tmp_path / "link")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"12345")
    assert measure_tree(str(tmp_path)) == 105 + len("/usr")


def test_a_tree_deeper_than_a_path_is_long_is_measured(tmp_path: Path) -> None:
    below = "/".join(["d" * 200] * 20)  # 4019 bytes: what an image may have
    top = os.open(tmp_path, os.O_RDONLY)
    try:
        for end in range(1, 21):
            os.mkdir("/".join(below.split("/")[:end]), dir_fd=top)
        fd = os.open(f"{below}/file", os.O_WRONLY | os.O_CREAT, dir_fd=top)
        os.write(fd, b"123")
        os.close(fd)
    finally:
        os.close(top)
    assert measure_tree(str(tmp_path)) == 3
    remove_tree(str(tmp_path))
