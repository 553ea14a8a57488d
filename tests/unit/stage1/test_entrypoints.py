"""Entrypoints of a pod's stage1: the built-in flavour, and a foreign image that is a shell script."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from harness.forked_child import run_in_child
from harness.pod_factory import PodFactory

from rkt import stage_contract
from rkt.paths import DataDirectory
from rkt.pod.directory import Pod
from rkt.stage1 import entrypoints
from rkt.stage1.entrypoints import Stage1Error
from rkt.stage_contract import RunArguments

STUB = """#!/bin/sh
{
    echo "directory $(pwd)"
    for word; do echo "argument $word"; done
    echo "lock $RKT_LOCK_FD"
    echo "open $(readlink /proc/self/fd/$RKT_LOCK_FD)"
    echo "kept $KEPT"
} > stub-output
exit 7
"""


def make_foreign(pod_path: str, annotations: dict[str, str], *, script: str = STUB, mode: int = 0o755) -> None:
    """The stage1 of the pod: an image with one script."""
    manifest = {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/stage1",
        "annotations": [{"name": name, "value": value} for name, value in annotations.items()],
    }
    Path(pod_path, stage_contract.STAGE1_MANIFEST).write_text(json.dumps(manifest))
    path = Path(pod_path, stage_contract.STAGE1_ROOTFS, "bin/stub")
    path.parent.mkdir()
    path.write_text(script)
    path.chmod(mode)


@pytest.fixture
def pods(tmp_path: Path) -> PodFactory:
    return PodFactory(DataDirectory(str(tmp_path / "data")))


def run_in(pod: Pod, arguments: RunArguments, log: list[str] | None = None) -> int:
    """The exit status of the pod, from a child that the stage1 may replace."""

    def body() -> int:
        pid = os.fork()
        if pid == 0:
            try:
                os.environ["KEPT"] = "of the caller"
                entrypoints.run_pod(pod, arguments, settle=lambda: Path(pod.path, "settled").touch())
            finally:
                os._exit(99)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run_in_child(body)


def test_foreign_stage1_is_executed_by_the_contract(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        make_foreign(pod.path, {stage_contract.RUN: "/bin/stub"})
        arguments = RunArguments(pod.uuid, net="host", debug=True, insecure=frozenset(("paths",)))
        assert run_in(pod, arguments) == 7
        lines = Path(pod.path, "stub-output").read_text().splitlines()
        assert Path(pod.path, "settled").exists(), "nothing runs before the pod is durable"
    found = dict(line.split(" ", 1) for line in lines if not line.startswith("argument"))
    assert found["directory"] == pod.path
    assert [line.split(" ", 1)[1] for line in lines if line.startswith("argument")] == arguments.to_argv("x")[1:]
    assert found["kept"] == "of the caller"


def test_lock_is_inherited_by_a_foreign_stage1(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        make_foreign(pod.path, {stage_contract.RUN: "/bin/stub"})
        run_in(pod, RunArguments(pod.uuid))
        lines = Path(pod.path, "stub-output").read_text().splitlines()
        found = dict(line.split(" ", 1) for line in lines if not line.startswith("argument"))
        assert int(found["lock"]) > 2
        assert found["open"] == pod.path
        fd = os.open(pod.path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)


def test_flavor_is_the_link_of_the_pod(tmp_path: Path) -> None:
    assert entrypoints.find_flavor(str(tmp_path)) is None
    (tmp_path / stage_contract.FLAVOR).symlink_to("native")
    assert entrypoints.find_flavor(str(tmp_path)) == "native"


@pytest.mark.parametrize("name", ["unheard-of", "../native", "os", ""])
def test_flavor_that_is_not_built_in_is_none(tmp_path: Path, name: str) -> None:
    """The link names no module: it is looked up in a table."""
    if name:
        (tmp_path / stage_contract.FLAVOR).symlink_to(name)
    else:
        (tmp_path / stage_contract.FLAVOR).write_text("native")
    assert entrypoints.find_flavor(str(tmp_path)) is None


@pytest.mark.parametrize("annotations", [{}, {stage_contract.GC: "/bin/stub"}, {stage_contract.RUN: ""}])
def test_stage1_without_the_annotation_is_an_error(pods: PodFactory, annotations: dict[str, str]) -> None:
    with pods.make("run", owned=True) as pod:
        make_foreign(pod.path, annotations)
        with pytest.raises(Stage1Error) as caught:
            run_in_child(lambda: entrypoints.run_pod(pod, RunArguments(pod.uuid), settle=lambda: None))
        assert caught.value.message == f'stage1 of pod "{pod.uuid}" has no annotation "{stage_contract.RUN}"'


@pytest.mark.parametrize("value", ["/../../../bin/sh", "../../bin/sh", "/bin/../../x"])
def test_entrypoint_outside_the_stage1_is_refused(pods: PodFactory, value: str) -> None:
    with pods.make("run", owned=True) as pod:
        make_foreign(pod.path, {stage_contract.RUN: value})
        with pytest.raises(Stage1Error, match="leaves its root file system"):
            run_in_child(lambda: entrypoints.run_pod(pod, RunArguments(pod.uuid), settle=lambda: None))


def test_entrypoint_that_cannot_be_executed_is_an_error(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        make_foreign(pod.path, {stage_contract.RUN: "/bin/missing"})
        with pytest.raises(Stage1Error) as caught:
            run_in_child(lambda: entrypoints.run_pod(pod, RunArguments(pod.uuid), settle=lambda: None))
        where = f"{pod.path}/stage1/rootfs/bin/missing"
        assert caught.value.message == f'cannot execute "{where}" of stage1: no such file or directory'


# --- garbage collection --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("debug", "words"), [(False, []), (True, ["--debug"])])
def test_foreign_gc_is_called_with_the_uuid(pods: PodFactory, debug: bool, words: list[str]) -> None:
    with pods.make("run") as pod:
        make_foreign(pod.path, {stage_contract.GC: "/bin/stub"}, script=STUB.replace("exit 7", "exit 0"))
        run_in_child(lambda: entrypoints.collect_garbage(pod.path, uuid=pod.uuid, debug=debug))
        lines = Path(pod.path, "stub-output").read_text().splitlines()
    assert f"directory {pod.path}" in lines
    assert [line.split(" ", 1)[1] for line in lines if line.startswith("argument")] == [*words, pod.uuid]


@pytest.mark.parametrize(("path", "status"), [("/bin/stub", 7), ("/bin/missing", 254)])
def test_failed_foreign_gc_is_an_error(pods: PodFactory, path: str, status: int) -> None:
    with pods.make("run") as pod:
        make_foreign(pod.path, {stage_contract.GC: path})
        with pytest.raises(Stage1Error) as caught:
            run_in_child(lambda: entrypoints.collect_garbage(pod.path, uuid=pod.uuid))
    assert caught.value.message == f'stage1 gc of pod "{pod.uuid}" failed with status {status}'


def test_stage1_without_gc_has_nothing_to_give_back(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        entrypoints.collect_garbage(pod.path, uuid=pod.uuid)
        make_foreign(pod.path, {stage_contract.RUN: "/bin/stub"})
        entrypoints.collect_garbage(pod.path, uuid=pod.uuid)
        assert not Path(pod.path, "stub-output").exists()


def test_builtin_flavor_collects_in_this_process(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        Path(pod.path, stage_contract.FLAVOR).symlink_to("native")
        entrypoints.collect_garbage(pod.path, uuid=pod.uuid)
