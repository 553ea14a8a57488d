"""flock'ed files: waiting, naming the holder, deleted and odd lock files."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rkt.store.errors import StoreBusyError, StoreError
from rkt.store.locks import find_holder, find_lock, open_lock


def _fork_holder(path: str) -> tuple[int, int]:
    """A child that holds the lock until it is killed; returns its pid and the fd that said it holds it."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            open_lock(path, exclusive=True, wait_seconds=5)
            os.write(tell, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.close(tell)
    assert os.read(ready, 1) == b"x"
    return pid, ready


def _end(pid: int, fd: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)


def test_an_exclusive_lock_keeps_others_out_until_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock = find_lock(path, exclusive=True)
    assert lock is not None
    assert find_lock(path, exclusive=True) is None
    assert find_lock(path, exclusive=False) is None
    lock.close()
    lock.close()
    again = find_lock(path, exclusive=True)
    assert again is not None
    again.close()


def test_shared_locks_go_together(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with open_lock(path, exclusive=False, wait_seconds=1), open_lock(path, exclusive=False, wait_seconds=1):
        assert find_lock(path, exclusive=True) is None


def test_a_wait_is_bounded_and_names_the_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    pid, fd = _fork_holder(path)
    try:
        assert find_holder(path) == pid
        start = time.monotonic()
        with pytest.raises(StoreBusyError, match=rf"held by process {pid} for more than 0.2 seconds"):
            open_lock(path, exclusive=True, wait_seconds=0.2)
        assert time.monotonic() - start >= 0.2
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(StoreBusyError, match=f"process {pid}"):
            open_lock(path, exclusive=True, wait_seconds=0)
    finally:
        _end(pid, fd)


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    _end(*_fork_holder(path))
    with open_lock(path, exclusive=True, wait_seconds=0):
        assert find_holder(path) == os.getpid()
    assert find_holder(path) is None
    assert find_holder(str(tmp_path / "missing")) is None


def test_a_lock_file_deleted_by_its_holder_is_not_taken(tmp_path: Path) -> None:
    """Whoever waited on the deleted file must end up with the lock on the file that has the name now."""
    path = str(tmp_path / "lock")
    first = open_lock(path, exclusive=True, wait_seconds=0)
    os.unlink(path)
    with open_lock(path, exclusive=True, wait_seconds=0) as second:
        assert os.fstat(second.fd).st_ino == os.stat(path).st_ino
        first.close()
        assert find_lock(path, exclusive=True) is None


def test_lock_files_are_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_lock(str(tmp_path / "lock"), exclusive=True, wait_seconds=0) as lock:
            assert os.fstat(lock.fd).st_mode & 0o777 == 0o600
            assert not os.get_inheritable(lock.fd)
    finally:
        os.umask(before)


def test_a_fifo_or_directory_in_place_of_a_lock_file_is_an_error_not_a_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    with pytest.raises(StoreError, match="not a regular file"):
        find_lock(str(tmp_path / "fifo"), exclusive=True)
    with pytest.raises(StoreError, match="is a directory"):
        find_lock(str(tmp_path / "directory"), exclusive=True)
