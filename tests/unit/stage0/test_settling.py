"""Making a pod durable beside its start: what the apps may have made by then is neither opened nor walked through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rkt import stage_contract
from rkt.paths import DataDirectory
from rkt.pod.directory import Pod, create_pod
from rkt.stage0.prepare import settle_pod

#: where apps write, below the pod directory
_OF_APPS = (
    *stage_contract.overlay_directories("tree", "app"),
    f"{stage_contract.SHARED_VOLUMES}/volume",
    stage_contract.app_rootfs("app"),
)


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    """A pod directory with the places in which an app writes."""
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    with create_pod(DataDirectory(str(data))) as pod:
        pod.move_to("prepare")
        for place in _OF_APPS:
            os.makedirs(f"{pod.path}/{place}")
        pod.write_file(stage_contract.OVERLAY_PREPARED, b"")
        yield pod


@pytest.mark.parametrize("place", _OF_APPS)
@pytest.mark.parametrize("below", ["", "directory"])
def test_settling_opens_nothing_that_an_app_has_made(pod: Pod, place: str, below: str) -> None:
    directory = f"{pod.path}/{place}/{below}"
    os.makedirs(directory, exist_ok=True)
    # it stands for a device node: opening /dev/watchdog restarts the host. To sync a FIFO is an error
    os.mkfifo(f"{directory}/fifo")
    settle_pod(pod)


def test_settling_does_not_follow_a_directory_that_became_a_symlink(pod: Pod, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    os.mkfifo(outside / "fifo")
    os.symlink(outside, f"{pod.path}/{_OF_APPS[0]}/link")
    settle_pod(pod)


def test_settling_syncs_rendered_root_file_systems_without_opening_them(pod: Pod) -> None:
    os.unlink(f"{pod.path}/{stage_contract.OVERLAY_PREPARED}")
    os.mkfifo(f"{pod.path}/{stage_contract.app_rootfs('app')}/fifo")
    os.mkfifo(f"{pod.path}/{stage_contract.STAGE1_ROOTFS}/fifo-of-a-foreign-stage1")
    settle_pod(pod)


def test_pod_is_settled_in_its_phase(pod: Pod) -> None:
    pod.move_to("prepared", sync=False)
    settle_pod(pod)
    assert pod.lies_in("prepared")
