"""rkt.lifecycle.stop and rkt.lifecycle.pod_processes"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness.pod_factory import Owner, PodFactory

from rkt.lifecycle.pod_processes import find_parent, find_supervisor
from rkt.lifecycle.status import load_status
from rkt.lifecycle.stop import StopError, is_own_cgroup, stop_pods
from rkt.paths import DataDirectory
from rkt.pod.directory import open_pod

UUID = "6733c088-a507-4694-aabf-edbe4fc5266f"


def stop(data: DataDirectory, *texts: str, force: bool = False) -> list[str]:
    said: list[str] = []
    stop_pods(data, texts, force=force, tell=said.append)
    return said


def note_pids(pods: PodFactory, uuid: str, **pids: int) -> None:
    for name, pid in pids.items():
        (pods.path("run", uuid) / name).write_text(f"{pid}\n")


def is_running(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def test_stop_asks_the_supervisor_to_end(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner:
        note_pids(pods, pod.uuid, ppid=owner.pid)
        assert stop(pods.data, pod.uuid) == [f'"{pod.uuid}"']
        assert owner.wait() == 7
    assert load_status(pods.data, pod.uuid).state == "exited"


@pytest.mark.parametrize("content", [None, "", "x", "0", "1", "4194304"])
def test_stop_finds_the_owner_of_the_lock_without_a_good_pid_file(pods: PodFactory, content: str | None) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner:
        if content is not None:
            (pods.path("run", pod.uuid) / "ppid").write_text(content)
        stop(pods.data, pod.uuid)
        assert owner.wait() == 7


@pytest.mark.parametrize("force", [False, True])
def test_stop_does_not_signal_a_process_that_only_has_the_pid(pods: PodFactory, force: bool) -> None:
    """The pid was used again for a process that has nothing to do with the pod."""
    pod = pods.make("run", owned=True)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        with Owner(pod) as owner:
            note_pids(pods, pod.uuid, ppid=bystander.pid, pid=bystander.pid)
            stop(pods.data, pod.uuid, force=force)
            assert owner.wait() == (-signal.SIGKILL if force else 7)
        assert is_running(bystander)
    finally:
        bystander.kill()
        bystander.wait()


def test_stop_reaches_a_supervisor_that_was_stopped(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner:
        os.kill(owner.pid, signal.SIGSTOP)
        stop(pods.data, pod.uuid)
        assert owner.wait() == 7


def test_force_kills_what_does_not_want_to_end(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod, on_sigterm="ignore") as owner:
        note_pids(pods, pod.uuid, ppid=owner.pid)
        stop(pods.data, pod.uuid)
        assert owner.is_alive()
        stop(pods.data, pod.uuid, force=True)
        assert owner.wait() == -signal.SIGKILL
    assert load_status(pods.data, pod.uuid).state == "exited"


_FAMILY = """
import os, signal, sys, time
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
os.waitpid(child, 0)
open(sys.argv[2], "w").write("recorded")
"""


def test_force_kills_the_init_first_so_that_the_supervisor_can_record(pods: PodFactory, tmp_path: Path) -> None:
    pod = pods.make("run", owned=True)
    record = tmp_path / "record"
    command = [sys.executable, "-I", "-S", "-c", _FAMILY, str(pod.lock_fd), str(record)]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(pod.lock_fd,))
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline())
    pod.close()
    try:
        note_pids(pods, pod.uuid, ppid=supervisor.pid, pid=child)
        stop(pods.data, pod.uuid, force=True)
        assert supervisor.wait(10) == 0
        assert record.read_text() == "recorded"
    finally:
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()
    assert load_status(pods.data, pod.uuid).state == "exited"


def test_ancestor_of_the_lock_holder_is_a_supervisor(pods: PodFactory) -> None:
    """A stage1 may close the lock in its outermost process as long as a child keeps it."""
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner, open_pod(pods.data, pod.uuid) as seen:
        parent = find_parent(owner.pid)
        assert parent == os.getpid()
        grandparent = find_parent(parent)
        assert grandparent is not None
        if grandparent > 1:
            note_pids(pods, pod.uuid, ppid=grandparent)
            found = find_supervisor(seen)
            assert found is not None
            with found:
                assert found.pid == grandparent


def test_pod_that_has_ended_is_not_an_error(pods: PodFactory, capfd: pytest.CaptureFixture[str]) -> None:
    uuids = [pods.make_closed(phase) for phase in ("run", "exited-garbage")]
    assert stop(pods.data, *uuids) == []
    assert capfd.readouterr().err.splitlines() == [f'rkt: pod "{uuid}" is already stopped' for uuid in uuids]


@pytest.mark.parametrize("phase", ["prepare", "prepared"])
def test_pod_that_never_ran_is_an_error(pods: PodFactory, capfd: pytest.CaptureFixture[str], phase: str) -> None:
    uuid = pods.make_closed(phase)
    with pytest.raises(StopError) as caught:
        stop(pods.data, uuid, "zz")
    assert caught.value.message == "failed to stop 2 pod(s)"
    assert f'rkt: pod "{uuid}" is not running\n' in capfd.readouterr().err


def test_the_caller_itself_is_never_the_supervisor(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        note_pids(pods, pod.uuid, ppid=os.getpid())
        with pytest.raises(StopError):
            stop(pods.data, pod.uuid, force=True)


@pytest.mark.parametrize(
    ("subcgroup", "own"),
    [
        (f"rkt/{UUID}", True),
        (f"/machine.slice/machine-rkt\\x2d{UUID.replace('-', chr(92) + 'x2d')}.scope/system.slice", True),
        ("", False),
        ("/", False),
        ("rkt", False),
        ("/system.slice/ssh.service", False),
        (f"rkt/{UUID}/../..", False),
        ("rkt/00000000-a507-4694-aabf-edbe4fc5266f", False),
    ],
)
def test_only_a_group_of_the_pods_own_is_killed(subcgroup: str, own: bool) -> None:
    assert is_own_cgroup(subcgroup, uuid=UUID) is own
