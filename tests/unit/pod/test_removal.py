"""rkt.pod.removal"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from rkt.pod import removal
from rkt.pod.errors import PodError
from rkt.pod.removal import remove_tree


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture(params=["openat2", "without openat2"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "openat2":
        return

    def missing(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(removal, "openat2", missing)


@pytest.mark.usefixtures("kernel")
def test_everything_below_goes_and_nothing_else(tmp_path: Path, parent: int) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "file").write_bytes(b"canary")
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/file").write_bytes(b"1")
    (tree / "a/link").symlink_to(outside)
    (tree / "a/up").symlink_to("../..")
    os.link(outside / "file", tree / "a/hard")
    os.mkfifo(tree / "fifo")
    (tree / "closed").mkdir(mode=0)
    os.mkdir(os.fsencode(tree) + b"/\xff\n\x1b")
    remove_tree(parent, "tree")
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert (outside / "file").read_bytes() == b"canary"
    assert (outside / "deep").is_dir()


def test_a_missing_tree_is_fine(parent: int) -> None:
    remove_tree(parent, "nothing")


def test_a_file_or_link_goes_itself(tmp_path: Path, parent: int) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    remove_tree(parent, "link")
    assert os.listdir(tmp_path) == ["file"]
    remove_tree(parent, "file")
    assert os.listdir(tmp_path) == []


def test_deep_trees_need_few_descriptors(tmp_path: Path, parent: int) -> None:
    """Deeper than PATH_MAX and than the descriptors that a process may have."""
    fd = os.dup(parent)
    for _ in range(3000):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 60, hard))
    try:
        remove_tree(parent, "d")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_wide_trees_are_removed_in_batches(tmp_path: Path, parent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_BATCH", 7)
    for number in range(100):
        (tmp_path / "wide" / str(number)).mkdir(parents=True)
    remove_tree(parent, "wide")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_removal_parked_is_removed_by_the_next(tmp_path: Path, parent: int) -> None:
    (tmp_path / f".removed-{os.getpid()}-0" / "x").mkdir(parents=True)
    os.makedirs(tmp_path / "/".join(["d"] * 100))
    remove_tree(parent, "d")
    for name in os.listdir(tmp_path):
        remove_tree(parent, name)
    assert os.listdir(tmp_path) == []


def test_failure_names_the_path(tmp_path: Path, parent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree/a").mkdir(parents=True)
    (tmp_path / "tree/a/file").write_bytes(b"")
    real = os.unlink

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        if path == "file":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(PodError) as caught:
        remove_tree(parent, "tree")
    assert caught.value.message == 'cannot remove "tree/a/file": operation not permitted'
    monkeypatch.undo()
    remove_tree(parent, "tree")
    assert os.listdir(tmp_path) == []
