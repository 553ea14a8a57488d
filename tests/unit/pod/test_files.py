"""rkt.pod.files"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rkt.pod import files
from rkt.pod.errors import PodContentError


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def open_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_file_is_read_up_to_its_limit(tmp_path: Path, root: int) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"12345")
    assert files.find_file(root, "a/b/c", limit=5) == b"12345"
    with pytest.raises(PodContentError, match='cannot read "a/b/c": it is larger than 4 bytes'):
        files.find_file(root, "a/b/c", limit=4)


@pytest.mark.parametrize("path", ["x", "x/y/z", "d/x"])
def test_missing_file_is_none(tmp_path: Path, root: int, path: str) -> None:
    (tmp_path / "d").mkdir()
    assert files.find_file(root, path, limit=10) is None
    assert files.find_mtime_ns(root, path) is None
    assert files.find_link(root, path) is None
    assert files.list_names(root, path, limit=10) == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a//b", "a/./b", "a/..", "a\0b"])
def test_path_that_could_leave_the_pod_is_refused(root: int, path: str) -> None:
    with pytest.raises(PodContentError, match="not a path inside the pod"):
        files.find_file(root, path, limit=10)


def test_symlinks_are_not_followed_anywhere(tmp_path: Path, root: int) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/last").symlink_to("file")
    with pytest.raises(PodContentError, match="a component is not a directory"):
        files.find_file(root, "link/file", limit=10)
    with pytest.raises(PodContentError, match="it is not a regular file"):
        files.find_file(root, "real/last", limit=10)
    with pytest.raises(PodContentError, match="it is not a regular file"):
        files.find_mtime_ns(root, "real/last")
    with pytest.raises(PodContentError, match="it is not a directory"):
        files.list_names(root, "link", limit=10)


@pytest.mark.parametrize("kind", ["fifo", "socket", "directory", "device"])
def test_what_is_not_a_regular_file_is_not_opened(tmp_path: Path, root: int, kind: str) -> None:
    node = tmp_path / "node"
    listener = None
    if kind == "fifo":
        os.mkfifo(node)
    elif kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(node))
    elif kind == "device":
        os.mknod(node, 0o600 | 0o020000, os.makedev(1, 5))
    else:
        node.mkdir()
    with pytest.raises(PodContentError, match='cannot read "node": it is not a regular file'):
        files.find_file(root, "node", limit=10)
    if listener is not None:
        listener.close()


def test_endless_file_is_not_read_to_its_end(root: int) -> None:
    """Files of procfs say that they are empty; the limit holds all the same."""
    proc = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(PodContentError, match="larger than 10 bytes"):
            files.find_file(proc, "status", limit=10)
    finally:
        os.close(proc)


def test_link_is_read_but_not_followed(tmp_path: Path, root: int) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "file").write_bytes(b"")
    assert files.find_link(root, "link") == "/etc/passwd"
    assert files.find_link(root, "file") is None


def test_names_are_sorted_and_bounded(tmp_path: Path, root: int) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / "d" / name).mkdir(parents=True)
    assert files.list_names(root, "d", limit=3) == ["a", "b", "c"]
    with pytest.raises(PodContentError, match="more than 2 entries"):
        files.list_names(root, "d", limit=2)


def test_no_descriptor_is_left_open(tmp_path: Path, root: int) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_bytes(b"1")
    (tmp_path / "l").symlink_to("f")
    before = open_fds()
    for path in ("d", "f", "l", "d/x", "f/x", "l/x", "x", "d/x/y"):
        for read in (
            lambda path: files.find_file(root, path, limit=1),
            lambda path: files.find_mtime_ns(root, path),
            lambda path: files.find_link(root, path),
            lambda path: files.list_names(root, path, limit=1),
        ):
            try:
                read(path)
            except PodContentError:
                pass
    assert open_fds() == before
