"""``rkt gc`` also deletes what killed fetches, renders and removals left in the store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.paths import DataDirectory
from rkt.store.image_store import open_image_store
from rkt.store.tree_store import open_tree_store

Rkt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def leftovers(tmp_path: Path, hello: str) -> list[Path]:
    """One leftover of each kind beside the image ``hello`` and its tree."""
    data = DataDirectory(f"{tmp_path}/data")
    with open_image_store(data) as store, open_tree_store(store).ensure_tree(hello):
        pass
    cas = tmp_path / "data/cas"
    orphan = "sha512-" + "ab" * 32
    paths = [
        cas / "tmp/stage-99-1",
        cas / "tree/deps-sha512-00.tmp",
        cas / "blob/sha512/ab" / orphan,
        cas / "imageManifest/sha512/ab" / orphan,
        cas / "image/sha512/ab/.tmp-99-1-x",
    ]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return paths


def test_gc_deletes_leftovers_and_nothing_else(hello: str, trusting_rkt: Rkt, leftovers: list[Path]) -> None:
    assert trusting_rkt("gc") == (0, "", "")
    assert [path for path in leftovers if path.exists()] == []
    assert trusting_rkt("image", "cat-manifest", hello)[0] == 0
    assert len(os.listdir(leftovers[1].parent)) == 1


def test_gc_mark_only_deletes_nothing(trusting_rkt: Rkt, leftovers: list[Path]) -> None:
    assert trusting_rkt("gc", "--mark-only")[0] == 0
    assert all(path.exists() for path in leftovers)


def test_gc_without_a_store_makes_none(rkt: Rkt, tmp_path: Path) -> None:
    assert rkt("gc") == (0, "", "")
    assert not (tmp_path / "data/cas").exists()


def test_a_store_that_cannot_be_collected_is_said_and_is_no_failure(
    trusting_rkt: Rkt, leftovers: list[Path], tmp_path: Path
) -> None:
    lock = tmp_path / "data/cas/db/lock"
    lock.unlink()
    lock.mkdir()
    status, output, errors = trusting_rkt("gc")
    assert (status, output) == (0, "")
    assert "cannot lock" in errors
