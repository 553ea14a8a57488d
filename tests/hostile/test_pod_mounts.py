"""Mounts that a dead pod left below its directory: gone after gc, and what was mounted is as it was."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.lifecycle import deletion, gc
from rkt.linux import syscalls
from rkt.linux.mountinfo import load_mountinfo, mounts_below
from rkt.paths import DataDirectory
from rkt.pod import removal
from rkt.pod.directory import list_pods

pytestmark = pytest.mark.root


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[PodFactory]:
    yield PodFactory(DataDirectory(str(tmp_path / "data")))
    while mounts := mounts_below(str(tmp_path), load_mountinfo()):
        syscalls.mount(None, mounts[0].path, None, syscalls.MS_PRIVATE)
        syscalls.umount2(mounts[0].path, syscalls.MNT_DETACH)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A shared mount of the host with a file, and a mount below it."""
    directory = tmp_path / "canary"
    directory.mkdir()
    syscalls.mount("tmpfs", str(directory), "tmpfs", 0, "size=64k")
    syscalls.mount(None, str(directory), None, syscalls.MS_SHARED)
    (directory / "below").mkdir()
    syscalls.mount("tmpfs", str(directory / "below"), "tmpfs", 0, "size=64k")
    (directory / "file").write_text("canary")
    (directory / "below/file").write_text("canary")
    return directory


def bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    syscalls.mount(str(source), str(target), None, syscalls.MS_BIND | syscalls.MS_REC)


def collect(data: DataDirectory) -> None:
    gc.collect(data, tell=lambda _: None, format_duration=str, grace_period_seconds=0)


def is_intact(canary: Path) -> bool:
    return (canary / "file").read_text() == (canary / "below/file").read_text() == "canary"


def test_leftover_mounts_are_detached_and_their_content_stays(pods: PodFactory, canary: Path) -> None:
    with pods.make("run") as pod:
        root = Path(pod.path)
        bind(canary, root / "stage1/rootfs/opt/stage2/web/rootfs/data")
        bind(canary, root / "odd \\ name\n#1")
        bind(canary, root / "stage1/rootfs/opt/stage2/web/rootfs/data/below")
    assert len(mounts_below(pods.data.pods, load_mountinfo())) >= 5
    collect(pods.data)
    assert list_pods(pods.data) == []
    assert mounts_below(pods.data.pods, load_mountinfo()) == []
    assert is_intact(canary)


def test_busy_mounts_do_not_keep_a_pod(pods: PodFactory, canary: Path) -> None:
    with pods.make("run") as pod:
        target = Path(pod.path, "stage1/rootfs/data")
        bind(canary, target)
    process = subprocess.Popen(["sleep", "60"], cwd=target)
    try:
        with (target / "file").open() as held:
            collect(pods.data)
            assert held.read() == "canary"
        assert list_pods(pods.data) == []
    finally:
        process.kill()
        process.wait()
    assert is_intact(canary)


@pytest.mark.parametrize("openat2", [True, False])
def test_removal_stops_at_a_mount_that_could_not_be_detached(
    pods: PodFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], openat2: bool
) -> None:
    """A bind of the same file system has the same device number: only the mount itself tells."""

    def missing(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if not openat2:
        monkeypatch.setattr(removal, "openat2", missing)
    monkeypatch.setattr(deletion, "detach_mounts", lambda _: None)
    home = tmp_path / "home"
    home.mkdir()
    (home / "file").write_text("canary")
    with pods.make("run") as pod:
        bind(home, Path(pod.path, "stage1/rootfs/data"))
    collect(pods.data)
    assert (home / "file").read_text() == "canary"
    assert list_pods(pods.data, ("garbage",)) == [pod.uuid]
    assert 'cannot remove "rootfs/data": something is mounted there' in capfd.readouterr().err
    monkeypatch.undo()
    collect(pods.data)
    assert list_pods(pods.data, ("garbage",)) == []
    assert (home / "file").read_text() == "canary"


def test_file_mounts_are_detached_too(pods: PodFactory, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("canary")
    with pods.make("prepare") as pod:
        target = Path(pod.path, "netns")
        target.write_bytes(b"")
        syscalls.mount(str(source), str(target), None, syscalls.MS_BIND)
    collect(pods.data)
    assert list_pods(pods.data, ("garbage",)) == []
    assert source.read_text() == "canary"
