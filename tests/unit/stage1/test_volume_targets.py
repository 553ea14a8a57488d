"""Targets of volumes that are refused, because the executor or the overlap check depends on them."""

from __future__ import annotations

import pytest

from rkt.schema.app import App, MountPoint
from rkt.schema.pod import Mount, PodManifest, RuntimeApp, RuntimeImage
from rkt.schema.volume import Volume
from rkt.stage1.volumes import VolumeError, plan_volume_mounts

IMAGE = RuntimeImage(id="sha512-" + "0" * 128)
SCRATCH = Volume(name="scratch", kind="empty")


def plan(path: str) -> list[str]:
    app = App(exec=("/x",), user="0", group="0")
    runtime_app = RuntimeApp(name="app", image=IMAGE, mounts=(Mount(volume="scratch", path=path),))
    manifest = PodManifest(ac_version="0.8.11", apps=(runtime_app,), volumes=(SCRATCH,))
    return [mount.path for mount in plan_volume_mounts(manifest, runtime_app, app, pod_path="/pod")]


@pytest.mark.parametrize("path", ["/", "//", "/.", "/proc", "/proc/self", "//proc//1/root", "/sys", "/dev", "/dev/"])
def test_volume_over_what_the_executor_needs_is_refused(path: str) -> None:
    with pytest.raises(VolumeError, match="the executor keeps it for itself"):
        plan(path)


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/a/.."])
def test_path_that_goes_up_is_refused(path: str) -> None:
    with pytest.raises(VolumeError, match=r"\.\."):
        plan(path)


@pytest.mark.parametrize("path", ["/dev/log", "/sys/fs/cgroup", "/process", "/a..b", "/data/"])
def test_other_paths_are_an_apps_to_give(path: str) -> None:
    assert plan(path) == [path.rstrip("/")]


def test_mount_point_of_an_image_over_the_root_is_refused() -> None:
    point = MountPoint(name="scratch", path="/")
    app = App(exec=("/x",), user="0", group="0", mount_points=(point,))
    runtime_app = RuntimeApp(name="app", image=IMAGE)
    manifest = PodManifest(ac_version="0.8.11", apps=(runtime_app,), volumes=(SCRATCH,))
    with pytest.raises(VolumeError, match="the executor keeps it for itself"):
        plan_volume_mounts(manifest, runtime_app, app, pod_path="/pod")
