"""Another user plants directories or symlinks where pods are to be made, or races with the collector."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.lifecycle.list import load_listing
from rkt.lifecycle.rm import RemovalError, remove_pods
from rkt.paths import DataDirectory
from rkt.pod.directory import create_pod, list_pods
from rkt.pod.errors import PodError

_OTHER_USER = 1000


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(str(tmp_path / "data"))


def tree(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*"))


@pytest.mark.root
@pytest.mark.parametrize("name", ["", "/pods", "/pods/embryo"])
@pytest.mark.parametrize("kind", ["directory of another user", "symlink of another user", "writable by all"])
def test_pods_are_not_made_where_others_can_write(data: DataDirectory, tmp_path: Path, name: str, kind: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    place = Path(data.root + name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "symlink of another user":
        place.symlink_to(target)
        os.chown(place, _OTHER_USER, _OTHER_USER, follow_symlinks=False)
    else:
        place.mkdir()
        os.chmod(place, 0o777 if kind == "writable by all" else 0o755)
        if kind == "directory of another user":
            os.chown(place, _OTHER_USER, _OTHER_USER)
    before = tree(tmp_path)
    with pytest.raises(PodError, match="cannot create a pod below") as caught:
        create_pod(data)
    assert caught.value.hint == "use a directory that only root can change"
    assert tree(tmp_path) == before


@pytest.mark.root
def test_link_of_the_administrator_is_followed(data: DataDirectory, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    os.mkdir(data.root)
    os.symlink(tmp_path / "disk", data.pods)
    with create_pod(data) as pod:
        assert (tmp_path / "disk/embryo" / pod.uuid).is_dir()


@pytest.mark.parametrize("text", ["../../etc", "..", "/", ".", "*", "", " ", "%2e%2e", "\0", "\x1b[2J", "a/../b"])
def test_uuid_arguments_are_no_paths(data: DataDirectory, capfd: pytest.CaptureFixture[str], text: str) -> None:
    pods = PodFactory(data)
    for phase in ("prepare", "prepared", "run", "exited-garbage"):
        pods.make_closed(phase)
    before = tree(Path(data.root))
    with pytest.raises(RemovalError):
        remove_pods(data, [text], tell=pytest.fail)
    assert tree(Path(data.root)) == before
    assert "\x1b" not in capfd.readouterr().err


_COLLECT = """
import sys
from rkt.lifecycle import gc
from rkt.lifecycle.list import load_listing
from rkt.paths import DataDirectory
data = DataDirectory(sys.argv[1])
print("ready", flush=True)
while True:
    gc.collect(data, tell=lambda _: None, format_duration=str, grace_period_seconds=0, expire_prepared_seconds=0)
    assert not load_listing(data).errors, load_listing(data).errors
"""


def test_collectors_in_a_loop_never_take_a_pod_from_its_owner(data: DataDirectory) -> None:
    """Two endless gc (with list) against one maker of pods: what is owned stays whole, what is given up goes."""
    create_pod(data).close()
    command = [sys.executable, "-c", _COLLECT, data.root]
    collectors = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    try:
        for collector in collectors:
            assert collector.stdout is not None
            assert collector.stdout.readline() == b"ready\n"
        _make_pods(PodFactory(data), seconds=2.0)
        deadline = time.monotonic() + 10
        while _everything(data) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _everything(data) == []
    finally:
        for collector in collectors:
            collector.terminate()
        ends = [(collector.communicate()[1], collector.returncode) for collector in collectors]
    for said, status in ends:
        assert status == -signal.SIGTERM, said.decode()
        assert b"cannot" not in said


def _make_pods(pods: PodFactory, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    made = 0
    while time.monotonic() < deadline:
        with pods.make("prepare", owned=True) as pod:
            assert pod.lies_in("prepare")
            pod.move_to("run" if made % 2 else "prepared")
            assert pod.load_manifest().apps
            assert [seen.uuid for seen in load_listing(pods.data).pods if seen.uuid == pod.uuid] == [pod.uuid]
            assert pod.lies_in(pod.phase)
        made += 1
    assert made > 10


def _everything(data: DataDirectory) -> list[str]:
    return list_pods(data, ("embryo", "prepare", "prepared", "run", "exited-garbage", "garbage"))
