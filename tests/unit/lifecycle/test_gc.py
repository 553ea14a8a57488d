"""rkt.lifecycle.gc, rkt.lifecycle.deletion and rkt.lifecycle.rm"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.pod_factory import Owner, PodFactory

from rkt.lifecycle import deletion, gc
from rkt.lifecycle.deletion import delete_pod
from rkt.lifecycle.leftover_mounts import detach_mounts
from rkt.lifecycle.rm import RemovalError, remove_pods
from rkt.paths import POD_PHASES, DataDirectory
from rkt.pod.directory import list_pods
from rkt.pod.errors import PodError
from rkt.pod.removal import remove_tree

YEARS = 10 * 365 * 86400


def phases_of(data: DataDirectory) -> dict[str, str]:
    """{uuid: phase}"""
    return {uuid: phase for phase in POD_PHASES for uuid in list_pods(data, (phase,))}


def collect(
    data: DataDirectory,
    *,
    grace_period_seconds: float = gc.GRACE_PERIOD_SECONDS,
    expire_prepared_seconds: float = gc.EXPIRE_PREPARED_SECONDS,
    mark_only: bool = False,
) -> list[str]:
    """What gc said on stdout."""
    said: list[str] = []
    gc.collect(
        data,
        tell=said.append,
        format_duration=lambda seconds: f"{seconds:g}s",
        grace_period_seconds=grace_period_seconds,
        expire_prepared_seconds=expire_prepared_seconds,
        mark_only=mark_only,
    )
    return said


def test_pods_are_marked_and_kept_within_the_grace_period(pods: PodFactory, capfd: pytest.CaptureFixture[str]) -> None:
    exited, aborted, embryo = (pods.make_closed(phase) for phase in ("run", "prepare", "embryo"))
    prepared = pods.make_closed("prepared")
    assert sorted(collect(pods.data)) == sorted(f'Garbage collecting pod "{uuid}"' for uuid in (aborted, embryo))
    assert phases_of(pods.data) == {exited: "exited-garbage", prepared: "prepared"}
    assert capfd.readouterr().err.splitlines() == [
        f'rkt: moving pod "{exited}" to garbage',
        f'rkt: moving failed prepare "{aborted}" to garbage',
        f'rkt: moving abandoned embryo "{embryo}" to garbage',
        f'rkt: pod "{exited}" not removed: still within grace period (1800s)',
    ]


def test_mark_only_deletes_nothing(pods: PodFactory) -> None:
    exited, aborted, embryo, marked = (
        pods.make_closed(phase) for phase in ("run", "prepare", "embryo", "exited-garbage")
    )
    prepared = pods.make_closed("prepared")
    assert collect(pods.data, mark_only=True, grace_period_seconds=0, expire_prepared_seconds=0) == []
    assert phases_of(pods.data) == {
        exited: "exited-garbage",
        marked: "exited-garbage",
        aborted: "garbage",
        embryo: "garbage",
        prepared: "prepared",
    }


def test_without_grace_nothing_but_owned_pods_remains(pods: PodFactory) -> None:
    for phase in POD_PHASES:
        pods.make_closed(phase, apps=("web", "db"))
    owned = {phase: pods.make(phase, owned=True) for phase in POD_PHASES}
    collect(pods.data, grace_period_seconds=0, expire_prepared_seconds=0)
    assert phases_of(pods.data) == {pod.uuid: phase for phase, pod in owned.items()}
    for pod in owned.values():
        assert os.path.exists(f"{pod.path}/pod")
        pod.close()
    collect(pods.data, grace_period_seconds=0, expire_prepared_seconds=0)
    assert [os.listdir(pods.data.pod_phase(phase)) for phase in POD_PHASES] == [[]] * 6


def test_lock_held_by_another_process_is_respected(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod):
        collect(pods.data, grace_period_seconds=0)
        assert phases_of(pods.data) == {pod.uuid: "run"}
    collect(pods.data, grace_period_seconds=0)
    assert phases_of(pods.data) == {}


def test_gc_without_pods_does_nothing(data: DataDirectory) -> None:
    assert collect(data) == []
    assert not os.path.exists(data.root)


@pytest.mark.parametrize("wall_seconds", [YEARS, -YEARS])
def test_clock_that_jumps_deletes_nothing(pods: PodFactory, monkeypatch: pytest.MonkeyPatch, wall_seconds: int) -> None:
    expected = {pods.make_closed(phase): phase for phase in ("prepared", "exited-garbage")}
    real: Callable[[], int] = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + wall_seconds * 10**9)
    assert collect(pods.data) == []
    assert phases_of(pods.data) == expected


def test_future_times_of_another_boot_delete_nothing(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {pods.make_closed(phase): phase for phase in ("prepared", "exited-garbage")}
    for uuid, phase in expected.items():
        pods.path(phase, uuid).joinpath("phase-entered").unlink()
    real: Callable[[], int] = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - YEARS * 10**9)
    assert collect(pods.data) == []
    assert phases_of(pods.data) == expected


def test_pods_are_deleted_when_their_time_has_come(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for phase in ("prepared", "exited-garbage"):
        pods.make_closed(phase)
    real: Callable[[int], int] = time.clock_gettime_ns
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: real(clock) + 31 * 60 * 10**9)
    collect(pods.data)
    assert list(phases_of(pods.data).values()) == ["prepared"]
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: real(clock) + 25 * 3600 * 10**9)
    collect(pods.data)
    assert phases_of(pods.data) == {}


def test_pod_that_cannot_be_deleted_does_not_keep_the_others(
    pods: PodFactory, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bad, good = sorted(pods.make_closed("garbage") for _ in range(2))
    real = detach_mounts

    def detach(path: str) -> None:
        if path.endswith(bad):
            raise PodError("it is busy")
        real(path)

    monkeypatch.setattr(deletion, "detach_mounts", detach)
    collect(pods.data)
    assert phases_of(pods.data) == {bad: "garbage"}
    assert f'rkt: GC of leftover mounts for pod "{bad}" failed: it is busy\n' in capfd.readouterr().err
    monkeypatch.undo()
    collect(pods.data)
    assert phases_of(pods.data) == {}
    assert good not in phases_of(pods.data)


def test_failing_stage1_collection_is_said_and_the_pod_deleted(
    pods: PodFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    with pods.make("exited-garbage") as pod:
        annotation = {"name": "coreos.com/rkt/stage1/gc", "value": "/gc"}
        manifest = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "x", "annotations": [annotation]}
        Path(pod.path, "stage1/manifest").write_text(json.dumps(manifest))
        script = Path(pod.path, "stage1/rootfs/gc")
        script.write_text(f"#!/bin/sh\npwd > {pods.data.root}/seen\necho $* >> {pods.data.root}/seen\nexit 3\n")
        script.chmod(0o755)
        place = pod.path
    collect(pods.data, grace_period_seconds=0)
    assert Path(pods.data.root, "seen").read_text().split() == [place, pod.uuid]
    assert f'rkt: problem performing stage1 GC on "{pod.uuid}"' in capfd.readouterr().err
    assert phases_of(pods.data) == {}


@pytest.mark.parametrize("phase", ["exited-garbage", "garbage"])
def test_deletion_that_is_interrupted_anywhere_is_finished_by_the_next(
    pods: PodFactory, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    """Fails at the n-th call that changes the disk, for every n, as a kill there would."""
    calls = ("rename", "unlink", "rmdir")
    real = {name: getattr(os, name) for name in calls}

    class KilledError(BaseException):
        pass

    for kill_at in range(1, 200):
        uuid = pods.make_closed(phase, apps=("web", "db"))
        count = 0

        def counted(name: str, kill_at: int = kill_at) -> Callable[..., None]:
            def call(*arguments: object, **keywords: object) -> None:
                nonlocal count
                count += 1
                if count == kill_at:
                    raise KilledError
                real[name](*arguments, **keywords)

            return call

        for name in calls:
            monkeypatch.setattr(os, name, counted(name))
        try:
            collect(pods.data, grace_period_seconds=0)
            finished = True
        except KilledError:
            finished = False
        for name in calls:
            monkeypatch.setattr(os, name, real[name])
        left = phases_of(pods.data)
        assert left in ({}, {uuid: phase}, {uuid: "garbage"})
        if left == {uuid: "exited-garbage"}:
            # a pod that can be named is whole
            assert sorted(os.listdir(pods.path(phase, uuid)))[:2] == ["appsinfo", "phase-entered"]
        collect(pods.data, grace_period_seconds=0)
        assert phases_of(pods.data) == {}
        if finished:
            assert count < kill_at
            return
    raise AssertionError("a deletion takes more than 200 steps")


def test_manifest_is_the_last_file_to_go(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    def remove(fd: int, name: str) -> None:
        removed.append(name)
        remove_tree(fd, name)

    monkeypatch.setattr(deletion, "remove_tree", remove)
    with pods.make("garbage", owned=True) as pod:
        delete_pod(pod)
    assert removed[0] == "rootfs"
    assert removed[-1] == "pod"


def test_full_disk_does_not_stop_a_deletion(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp of a phase is the only thing written; it may be missing."""
    uuid = pods.make_closed("run")
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if fd > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    collect(pods.data, grace_period_seconds=0)
    assert uuid not in phases_of(pods.data)


def remove(data: DataDirectory, *texts: str) -> list[str]:
    said: list[str] = []
    remove_pods(data, texts, tell=said.append)
    return said


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ("prepare", 'rkt: moving failed prepare "{}" to garbage\n'),
        ("prepared", 'rkt: moving expired prepared pod "{}" to garbage\n'),
        ("run", ""),
        ("exited-garbage", ""),
    ],
)
def test_rm_removes_what_does_not_run(
    pods: PodFactory, capfd: pytest.CaptureFixture[str], phase: str, message: str
) -> None:
    uuid, other = pods.make_closed(phase), pods.make_closed("prepared")
    assert remove(pods.data, uuid) == [f'"{uuid}"']
    assert phases_of(pods.data) == {other: "prepared"}
    assert capfd.readouterr().err == message.format(uuid)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ("prepare", 'pod "{}" is currently being prepared'),
        ("prepared", 'pod "{}": unable to acquire exclusive lock'),
        ("run", 'pod "{}" is currently running'),
        ("exited-garbage", 'pod "{}" is currently being deleted'),
    ],
)
def test_rm_refuses_what_is_owned_and_goes_on(
    pods: PodFactory, capfd: pytest.CaptureFixture[str], phase: str, message: str
) -> None:
    free = pods.make_closed("run")
    said: list[str] = []
    with pods.make(phase, owned=True) as pod:
        with pytest.raises(RemovalError) as caught:
            remove_pods(pods.data, [pod.uuid, free], tell=said.append)
        assert caught.value.message == "failed to remove one or more pods"
        assert phases_of(pods.data) == {pod.uuid: phase}
        assert f"rkt: {message.format(pod.uuid)}\n" in capfd.readouterr().err
    assert said == [f'"{free}"']


def test_rm_twice_says_that_there_is_none(pods: PodFactory, capfd: pytest.CaptureFixture[str]) -> None:
    uuid = pods.make_closed("run")
    remove(pods.data, uuid)
    with pytest.raises(RemovalError):
        remove(pods.data, uuid)
    assert f'no matches found for "{uuid}"' in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "UUID cannot be empty"), ("../run", 'no matches found for "../run"'), ("/", 'no matches found for "/"')],
)
def test_rm_of_no_uuid_removes_nothing(
    pods: PodFactory, capfd: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    uuid = pods.make_closed("run")
    with pytest.raises(RemovalError):
        remove(pods.data, text)
    assert f"rkt: {message}\n" in capfd.readouterr().err
    assert phases_of(pods.data) == {uuid: "run"}
