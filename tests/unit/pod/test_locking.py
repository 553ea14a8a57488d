"""rkt.pod.locking and rkt.pod.lock_holders"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.pod_factory import Owner, PodFactory

from rkt.pod import locking
from rkt.pod.directory import open_pod
from rkt.pod.lock_holders import find_lock_holders, holds_lock


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two open file descriptions of one directory."""
    fds = tuple(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY) for _ in range(2))
    yield fds[0], fds[1]
    for fd in fds:
        os.close(fd)


def test_only_one_can_hold_the_lock(two: tuple[int, int]) -> None:
    first, second = two
    assert locking.try_exclusive(first)
    assert not locking.try_exclusive(second)
    locking.unlock(first)
    assert locking.try_exclusive(second)


def test_probe_tells_and_leaves_no_trace(two: tuple[int, int]) -> None:
    first, second = two
    assert not locking.is_exclusively_locked(second)
    assert locking.try_exclusive(first)
    assert locking.is_exclusively_locked(second)
    locking.unlock(first)
    assert not locking.is_exclusively_locked(second)
    assert locking.try_exclusive(first)


def test_a_reader_for_a_moment_does_not_keep_an_owner_out(
    two: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader probes with a shared lock; whoever wants to own the pod looks again."""
    import fcntl
    import time

    first, second = two
    fcntl.flock(first, fcntl.LOCK_SH)
    pauses: list[float] = []

    def leave(seconds: float) -> None:
        pauses.append(seconds)
        fcntl.flock(first, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", leave)
    assert locking.try_exclusive(second)
    assert len(pauses) == 1


def test_an_owner_is_not_waited_for_unless_asked(two: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    first, second = two
    assert locking.try_exclusive(first)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    assert not locking.try_exclusive(second)
    assert pauses == []
    assert not locking.try_exclusive(second, wait_seconds=0.01)
    assert pauses


def test_holders_are_those_that_keep_the_description_open(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner, open_pod(pods.data, pod.uuid) as seen:
        assert find_lock_holders(seen.lock_fd) == [owner.pid]


def test_having_the_directory_open_is_not_holding_its_lock(pods: PodFactory) -> None:
    with pods.make("run") as pod, Owner(open_pod(pods.data, pod.uuid)) as reader:
        assert not holds_lock(reader.pid, directory=os.fstat(pod.lock_fd))
        assert pod.try_lock_exclusive()
        assert not holds_lock(reader.pid, directory=os.fstat(pod.lock_fd))
        assert holds_lock(os.getpid(), directory=os.fstat(pod.lock_fd))


def test_a_process_that_is_gone_holds_nothing(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        assert not holds_lock(1 << 22, directory=os.fstat(pod.lock_fd))
