"""Killing a group's members: who joined a moment ago, who cannot be named from here, and groups that are gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from harness.forked_child import fork, run_in_child

from rkt.linux.cgroups import Hierarchies, PodCgroup, find_hierarchies

pytestmark = [pytest.mark.root, pytest.mark.needs("cgroups")]


@pytest.fixture
def cgroup() -> Iterator[PodCgroup]:
    """The groups of a pod with the app ``a``; removed afterwards."""
    made = PodCgroup.of_pod(f"test-{uuid4()}", find_hierarchies())
    made.create(("a",))
    yield made
    made.kill()
    assert made.remove(attempts=500)


def start_member(cgroup: PodCgroup) -> int:
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            cgroup.open_group("a").join()
            os.execv("/bin/sleep", ["sleep", "60"])
        finally:
            os._exit(1)
    os.close(writer)
    # end of file: the program runs
    assert os.read(reader, 1) == b""
    os.close(reader)
    return pid


def end_of(pid: int) -> int:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 0


def test_member_that_joined_between_two_looks_is_killed(cgroup: PodCgroup) -> None:
    """On v1 an open cgroup.procs shows for a second what it showed before: a fork bomb would outrun its end."""
    group = cgroup.open_group("a")
    first = start_member(cgroup)
    group.kill()
    assert end_of(first) == -signal.SIGKILL
    second = start_member(cgroup)
    group.kill()
    group.close()
    assert end_of(second) == -signal.SIGKILL


def test_kill_of_a_group_that_has_been_removed_is_done(cgroup: PodCgroup) -> None:
    group = cgroup.open_group("a")
    assert cgroup.remove()
    group.kill()
    group.close()


def test_collector_that_cannot_name_a_member_does_not_kill_itself(tmp_path: Path) -> None:
    """cgroup.procs of v2 says 0 for a process of another PID namespace."""
    group = tmp_path / "rkt" / "pod"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("0\n")
    hierarchies = Hierarchies(unified=None, controllers={"memory": str(tmp_path)}, unified_controllers=frozenset())

    def body() -> None:
        os.setsid()
        PodCgroup("rkt/pod", hierarchies).kill()

    run_in_child(body)
