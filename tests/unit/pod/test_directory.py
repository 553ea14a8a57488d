"""rkt.pod.directory"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness.pod_factory import Owner, PodFactory

from rkt.errors import NotPermittedError, RktError
from rkt.paths import POD_PHASES, DataDirectory
from rkt.pod import directory
from rkt.pod.directory import create_pod, find_pod_in, list_pods, open_pod, resolve_uuid
from rkt.pod.errors import PodError, PodLockedError, PodNotFoundError, UUIDError
from rkt.pod.uuid import new_uuid


def mode_of(path: str) -> int:
    return os.stat(path).st_mode & 0o7777


def test_new_pod_is_an_owned_embryo_that_others_cannot_read(data: DataDirectory) -> None:
    old = os.umask(0o777)
    try:
        os.mkdir(data.root)
        os.chmod(data.root, 0o755)
        os.umask(0)
        with create_pod(data) as pod:
            assert pod.phase == "embryo"
            assert pod.state() == "embryo"
            assert pod.is_owner
            assert pod.path == data.pod("embryo", pod.uuid)
            assert mode_of(pod.path) == 0o750
            assert not os.get_inheritable(pod.lock_fd)
            assert [mode_of(data.pod_phase(phase)) for phase in POD_PHASES] == [0o750] * 6
    finally:
        os.umask(old)


def test_new_pod_has_its_mode_whatever_the_umask(data: DataDirectory) -> None:
    create_pod(data).close()
    old = os.umask(0o077)
    try:
        with create_pod(data) as pod:
            assert mode_of(pod.path) == 0o750
    finally:
        os.umask(old)


def test_new_pod_keeps_the_group_of_a_setgid_parent(data: DataDirectory) -> None:
    create_pod(data).close()
    os.chmod(data.pod_phase("embryo"), 0o2750)
    with create_pod(data) as pod:
        assert mode_of(pod.path) == 0o2750


@pytest.mark.parametrize(
    ("phase", "locked", "unlocked"),
    [
        ("embryo", "embryo", "embryo"),
        ("prepare", "preparing", "aborted prepare"),
        ("prepared", "prepared", "prepared"),
        ("run", "running", "exited"),
        ("exited-garbage", "exited deleting", "exited garbage"),
        ("garbage", "deleting", "garbage"),
    ],
)
def test_reader_sees_the_state(pods: PodFactory, phase: str, locked: str, unlocked: str) -> None:
    with pods.make(phase, owned=True) as pod, open_pod(pods.data, pod.uuid) as seen:
        assert seen.phase == phase
        assert seen.state() == locked == pod.state()
        pod.unlock()
        assert seen.state() == unlocked == pod.state()


def test_reader_does_not_take_the_lock_away(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod, open_pod(pods.data, pod.uuid) as seen:
        assert seen.state() == "running"
        assert pod.state() == "running"
        assert seen.state() == "running"
        assert not seen.try_lock_exclusive()


def test_lock_is_freed_when_its_process_is_killed(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner, open_pod(pods.data, pod.uuid) as seen:
        assert seen.state() == "running"
        os.kill(owner.pid, 9)
        owner.wait()
        assert seen.state() == "exited"


def test_lock_that_others_hold_is_refused_and_names_the_holder(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner, open_pod(pods.data, pod.uuid) as seen:
        with pytest.raises(PodLockedError) as caught:
            seen.lock_exclusive()
        assert caught.value.message == f'pod "{pod.uuid}": unable to acquire exclusive lock'
        assert caught.value.hint == f"held by process {owner.pid}"


def test_waiting_for_a_lock_is_bounded(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "LOCK_WAIT_SECONDS", 0.1)
    with pods.make("prepared", owned=True) as pod, open_pod(pods.data, pod.uuid) as seen:
        with pytest.raises(PodLockedError):
            seen.lock_exclusive(wait=True)
        pod.unlock()
        seen.lock_exclusive(wait=True)
        assert seen.is_owner


def test_lock_survives_exec_only_on_request(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        script = "import os, sys; os.fstat(int(sys.argv[1]))"
        command = [sys.executable, "-I", "-S", "-c", script, str(pod.lock_fd)]
        quiet = subprocess.DEVNULL
        assert subprocess.run(command, close_fds=False, stderr=quiet, check=False).returncode != 0
        assert pod.keep_lock_across_exec() == pod.lock_fd
        assert subprocess.run(command, close_fds=False, stderr=quiet, check=False).returncode == 0


def test_descriptor_and_state_follow_the_pod(pods: PodFactory) -> None:
    with pods.make("prepare", owned=True) as pod, open_pod(pods.data, pod.uuid) as seen:
        pod.move_to("run")
        assert seen.phase == "prepare"
        assert seen.current_state() == "running"
        assert seen.path == pod.path == pods.data.pod("run", pod.uuid)
        pod.unlock()
        assert seen.current_state() == "exited"


def test_removed_pod_is_not_present(pods: PodFactory) -> None:
    with pods.make("embryo") as pod:
        os.rename(pod.path, pods.data.root + "/elsewhere")
        with pytest.raises(PodNotFoundError) as caught:
            pod.current_state()
        assert caught.value.message == f'pod "{pod.uuid}" was not present'


def test_another_directory_of_the_same_name_is_another_pod(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        os.rename(pod.path, pods.data.root + "/elsewhere")
        os.mkdir(pod.path)
        with pytest.raises(PodNotFoundError):
            pod.refresh()


def test_moving_needs_the_lock(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        with pytest.raises(PodError, match="it is not locked by this process"):
            pod.move_to("exited-garbage")
        assert pod.phase == "run"


@pytest.mark.parametrize(("phase", "target"), [("run", "prepared"), ("garbage", "run"), ("embryo", "run")])
def test_moving_backwards_is_refused(pods: PodFactory, phase: str, target: str) -> None:
    with pods.make(phase, owned=True) as pod, pytest.raises(PodError, match=f"to {target}: it is in {phase}"):
        pod.move_to(target)


def test_moving_creates_a_missing_phase_directory(pods: PodFactory) -> None:
    with pods.make("prepare", owned=True) as pod:
        os.rmdir(pods.data.pod_phase("run"))
        pod.move_to("run")
        assert os.path.isdir(pod.path)


def test_moving_reports_what_the_system_says(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pods.make("prepare", owned=True) as pod:
        monkeypatch.setattr(os, "rename", fail)
        with pytest.raises(PodError, match=f'cannot move pod "{pod.uuid}" to run: no space left on device'):
            pod.move_to("run")
        monkeypatch.undo()
        assert pod.state() == "preparing"


def test_files_are_written_with_their_mode(pods: PodFactory) -> None:
    with pods.make("prepare", owned=True) as pod:
        pod.write_file("one", b"1", mode=0o600)
        pod.write_file("two", b"2" * 100_000, mode=0o644, sync=False)
        assert mode_of(f"{pod.path}/one") == 0o600
        assert mode_of(f"{pod.path}/two") == 0o644
        assert Path(pod.path, "two").read_bytes() == b"2" * 100_000
        with pytest.raises(PodError, match='cannot write "two"'):
            pod.write_file("two", b"", sync=False)


def test_collector_of_embryos_cannot_steal_a_new_pod(data: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between mkdir and lock another process may lock the directory or move it away: then another UUID is tried."""
    create_pod(data).close()
    uuids = [new_uuid() for _ in range(3)]
    attempts: list[str] = []
    real = find_pod_in
    monkeypatch.setattr(directory, "new_uuid", lambda: uuids[len(attempts)])

    def race(data: DataDirectory, phase: str, uuid: str) -> directory.Pod | None:
        attempts.append(uuid)
        if len(attempts) == 1:
            os.rename(data.pod("embryo", uuid), data.pod("garbage", uuid))
        pod = real(data, phase, uuid)
        if len(attempts) == 2:
            os.rename(data.pod("embryo", uuid), data.pod("garbage", uuid))
        return pod

    monkeypatch.setattr(directory, "find_pod_in", race)
    with create_pod(data) as pod:
        assert pod.uuid == uuids[2]
        assert pod.lies_in("embryo")


def test_full_disk_is_reported_with_its_place(data: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    create_pod(data).close()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "mkdir", fail)
    with pytest.raises(PodError) as caught:
        create_pod(data)
    assert caught.value.message == f'cannot create a pod below "{data.pods}": no space left on device'


def test_missing_right_is_reported_as_such(data: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    create_pod(data).close()

    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "listdir", fail)
    with pytest.raises(NotPermittedError, match="permission denied"):
        list_pods(data)


def test_unknown_pod_is_not_present(data: DataDirectory) -> None:
    uuid = new_uuid()
    with pytest.raises(PodNotFoundError) as caught:
        open_pod(data, uuid)
    assert caught.value.message == f'pod "{uuid}" was not present'


def test_text_that_is_no_uuid_is_never_a_path(data: DataDirectory) -> None:
    create_pod(data).close()
    with pytest.raises(PodNotFoundError):
        open_pod(data, "../embryo")


@pytest.mark.parametrize("kind", ["file", "symlink"])
def test_what_is_not_a_directory_is_not_a_pod(pods: PodFactory, tmp_path: Path, kind: str) -> None:
    pods.make_closed("run")
    uuid = new_uuid()
    place = Path(pods.data.pod("run", uuid))
    if kind == "file":
        place.write_bytes(b"")
    else:
        place.symlink_to(tmp_path)
    with pytest.raises(RktError, match=f'cannot open pod "{uuid}": .* is not a directory'):
        open_pod(pods.data, uuid)


def test_pods_are_listed_by_phase_and_junk_is_not(pods: PodFactory) -> None:
    in_run = sorted(pods.make_closed("run") for _ in range(3))
    prepared = pods.make_closed("prepared")
    pods.make_closed("embryo")
    pods.make_closed("garbage")
    os.mkdir(pods.data.pod_phase("run") + "/lost+found")
    assert list_pods(pods.data) == [prepared, *in_run]
    assert list_pods(pods.data, ("run",)) == in_run


def test_nothing_is_listed_without_a_data_directory(data: DataDirectory) -> None:
    assert list_pods(data) == []
    assert not os.path.exists(data.root)


@pytest.mark.parametrize("phase", ["prepare", "prepared", "run", "exited-garbage"])
def test_pods_are_named_by_their_first_characters(pods: PodFactory, phase: str) -> None:
    uuid = pods.make_closed(phase)
    assert resolve_uuid(pods.data, uuid) == uuid
    assert resolve_uuid(pods.data, uuid[:1].upper()) == uuid
    assert resolve_uuid(pods.data, uuid.replace("-", "")) == uuid


@pytest.mark.parametrize("phase", ["embryo", "garbage"])
def test_embryos_and_garbage_cannot_be_named(pods: PodFactory, phase: str) -> None:
    uuid = pods.make_closed(phase)
    with pytest.raises(UUIDError, match="no matches found"):
        resolve_uuid(pods.data, uuid)


def test_ambiguous_text_names_no_pod(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    uuids = [f"0000000{digit}" + new_uuid()[8:] for digit in "12"]
    monkeypatch.setattr(directory, "new_uuid", uuids.pop)
    pods.make_closed("run")
    pods.make_closed("prepared")
    with pytest.raises(UUIDError, match="ambiguous uuid, 2 matches"):
        resolve_uuid(pods.data, "0000")


def test_closing_twice_is_fine(pods: PodFactory) -> None:
    pod = pods.make("run")
    pod.close()
    pod.close()


def test_nothing_heavy_is_imported_to_make_a_pod() -> None:
    script = "import os; before = set(sys.modules); import rkt.pod.directory; print(*(set(sys.modules) - before))"
    root = str(Path(directory.__file__).parents[2])
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {root!r}); {script}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    foreign = {name for name in result.stdout.split() if not name.startswith("rkt")}
    assert foreign <= {"__future__", "errno", "fcntl", "time"}
    assert not [name for name in result.stdout.split() if name.startswith("rkt.schema")]
