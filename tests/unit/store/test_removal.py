"""Deleting trees: depth, links, odd names, and never anything outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rkt.store.removal import discard_path, remove_tree


def test_every_kind_of_file_goes_and_link_targets_stay(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    (outside / "kept" / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "link").symlink_to(outside)
    (tree / "a" / "b" / "dangling").symlink_to("/nonexistent")
    (tree / "a" / "file").write_text("y")
    os.mkfifo(tree / "a" / "fifo")
    os.mkdir(tree / "empty", 0)
    os.link(outside / "kept" / "file", tree / "hard")
    remove_tree(str(tree))
    assert not tree.exists()
    assert (outside / "kept" / "file").read_text() == "x"


def test_a_tree_deeper_than_a_path_can_be_long_goes_with_few_fds(tmp_path: Path) -> None:
    import resource

    tree = tmp_path / "tree"
    tree.mkdir()
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("directory", dir_fd=fd)
        inner = os.open("directory", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 8, limits[1]))
    try:
        remove_tree(str(tree))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert not tree.exists()


def test_names_that_look_like_our_own_are_no_obstacle(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in (".removed-1", ".removed-2", "x"):
        (tree / name / ".removed-1" / ".removed-1" / "deep").mkdir(parents=True)
    (tree / ".removed-3").write_text("a file")
    remove_tree(str(tree))
    assert not tree.exists()


def test_a_link_in_place_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(NotADirectoryError):
        remove_tree(str(tmp_path / "link"))
    discard_path(str(tmp_path / "link"))
    assert (tmp_path / "target" / "file").exists()
    assert not (tmp_path / "link").is_symlink()


def test_nothing_there_is_success(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "missing"))
    discard_path(str(tmp_path / "missing"))
