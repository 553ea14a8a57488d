"""``rkt image list``: SIZE is the image's and its rendered tree's together, and the index is not needed."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from rkt.paths import DataDirectory
from rkt.store.image_store import open_image_store
from rkt.store.tree_store import open_tree_store

Rkt = Callable[..., tuple[int, str, str]]


def _size(rkt: Rkt) -> int:
    status, output, errors = rkt("image", "list", "--format=json")
    assert (status, errors) == (0, "")
    (image,) = json.loads(output)
    size: int = image["size"]
    return size


def test_size_includes_the_rendered_tree(trusting_rkt: Rkt, hello: str, tmp_path: Path) -> None:
    alone = _size(trusting_rkt)
    with (
        open_image_store(DataDirectory(f"{tmp_path}/data")) as store,
        open_tree_store(store).ensure_tree(hello) as tree,
    ):
        content = sum(
            os.lstat(os.path.join(directory, name)).st_size
            for directory, _, names in os.walk(tree.rootfs)
            for name in names
        )
    assert content > 0
    assert _size(trusting_rkt) == alone + content
    assert trusting_rkt("image", "list", "--fields=size", "--full", "--no-legend")[1] == f"{alone + content}\n"


def test_a_damaged_and_a_locked_index_do_not_matter(trusting_rkt: Rkt, hello: str, tmp_path: Path) -> None:
    index = tmp_path / "data/cas/db/index.sqlite"
    connection = sqlite3.connect(index, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    size = _size(trusting_rkt)
    connection.close()
    index.write_bytes(b"garbage")
    assert _size(trusting_rkt) == size
    index.unlink()
    assert _size(trusting_rkt) == size
