"""rkt.lifecycle.status and rkt.lifecycle.cat_manifest"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.pod_factory import Owner, PodFactory, pod_manifest

from rkt.errors import RktError
from rkt.lifecycle.cat_manifest import load_manifest_bytes
from rkt.lifecycle.status import FOREVER, WaitError, format_status, load_status
from rkt.lifecycle.summary import AppSummary, PodSummary
from rkt.pod.errors import PodContentError, UUIDError
from rkt.pod.network_info import NetworkInfo

UUID = "6733c088-a507-4694-aabf-edbe4fc5266f"


def lines(**fields: object) -> list[str]:
    return format_status(PodSummary(uuid=UUID, **fields), format_time=lambda ns: f"t{ns}")  # type: ignore[arg-type]


def later(act: Callable[[], object], seconds: float = 0.15) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_exited_pod_shows_its_apps_in_the_manifests_order() -> None:
    apps = (AppSummary(name="web", exit_code=3), AppSummary(name="db"), AppSummary(name="api", exit_code=0))
    network = NetworkInfo(name="default", ip="172.16.28.2")
    assert lines(state="exited", created_ns=1, started_ns=2, pid=1234, networks=(network,), apps=apps) == [
        "state=exited",
        "created=t1",
        "started=t2",
        "networks=default:ip4=172.16.28.2",
        "pid=1234",
        "exited=true",
        "app-web=3",
        "app-api=0",
    ]


def test_running_pod_does_not_show_its_apps() -> None:
    apps = (AppSummary(name="web", exit_code=3),)
    assert lines(state="running", pid=7, apps=apps) == ["state=running", "pid=7", "exited=false"]
    assert lines(state="running") == ["state=running", "exited=false"]


@pytest.mark.parametrize("state", ["embryo", "preparing", "aborted prepare", "prepared", "garbage"])
def test_pod_that_never_ran_has_no_pid(state: str) -> None:
    assert lines(state=state, created_ns=1, pid=7) == [f"state={state}", "created=t1"]


@pytest.mark.parametrize("state", ["deleting", "exited deleting", "exited", "exited garbage"])
def test_pod_that_ran_has_exited(state: str) -> None:
    assert lines(state=state) == [f"state={state}", "exited=true"]


def test_status_of_a_named_pod(pods: PodFactory) -> None:
    uuid = pods.make_closed("prepared")
    assert load_status(pods.data, uuid[:6]).state == "prepared"
    with pytest.raises(UUIDError):
        load_status(pods.data, "../run/" + uuid)


@pytest.mark.parametrize("phase", ["prepare", "run", "exited-garbage"])
def test_waiting_for_a_finished_pod_returns_at_once(pods: PodFactory, phase: str) -> None:
    uuid = pods.make_closed(phase)
    started = time.monotonic()
    load_status(pods.data, uuid, finished_seconds=FOREVER)
    assert time.monotonic() - started < 0.1


def test_waiting_ends_when_the_pod_does(pods: PodFactory) -> None:
    pod = pods.make("run", owned=True)
    with Owner(pod) as owner:
        timer = later(lambda: os.kill(owner.pid, 9))
        summary = load_status(pods.data, pod.uuid, finished_seconds=10)
        timer.join()
    assert summary.state == "exited"


def test_waiting_outlasts_preparing_and_being_prepared(pods: PodFactory) -> None:
    with pods.make("prepare", owned=True) as pod:
        steps = [lambda: pod.move_to("prepared"), lambda: pod.move_to("run"), pod.unlock]
        timers = [later(step, 0.1 * (number + 1)) for number, step in enumerate(steps)]
        assert load_status(pods.data, pod.uuid, finished_seconds=10).state == "exited"
        for timer in timers:
            timer.join()


def test_waiting_has_an_end(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        with pytest.raises(WaitError) as caught:
            load_status(pods.data, pod.uuid, finished_seconds=0.05)
        assert caught.value.message == f'pod "{pod.uuid}" is not finished: the time to wait is over'
        with pytest.raises(WaitError, match="is not ready: the time to wait is over"):
            load_status(pods.data, pod.uuid, ready_seconds=0)


def test_ready_is_waited_for_before_the_end(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        link = Path(pod.path, "stage1/rootfs/rkt/supervisor-status")
        timers = [later(lambda: link.symlink_to("ready"), 0.1), later(pod.unlock, 0.3)]
        assert load_status(pods.data, pod.uuid, ready_seconds=10).state == "running"
        assert load_status(pods.data, pod.uuid, ready_seconds=10, finished_seconds=10).state == "exited"
        for timer in timers:
            timer.join()


def test_pod_that_ended_will_never_be_ready(pods: PodFactory) -> None:
    uuid = pods.make_closed("run")
    with pytest.raises(WaitError, match="ended before it was ready: it is exited"):
        load_status(pods.data, uuid, ready_seconds=FOREVER)


def test_pod_that_is_removed_is_not_waited_for(pods: PodFactory) -> None:
    with pods.make("prepared") as pod:
        timer = later(lambda: os.rename(pod.path, pods.data.root + "/gone"))
        with pytest.raises(WaitError, match="was removed while it was waited for"):
            load_status(pods.data, pod.uuid, finished_seconds=10)
        timer.join()


@pytest.mark.parametrize("phase", ["prepare", "prepared", "run", "exited-garbage"])
def test_manifest_is_given_out_byte_for_byte(pods: PodFactory, phase: str) -> None:
    uuid = pods.make_closed(phase, apps=("web", "db"))
    assert load_manifest_bytes(pods.data, uuid) == pod_manifest(("web", "db"))


def test_missing_or_bad_manifest_is_not_given_out(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        Path(pod.path, "pod").write_bytes(b"{}")
        with pytest.raises(RktError, match=f'manifest of pod "{pod.uuid}"'):
            load_manifest_bytes(pods.data, pod.uuid)
        os.unlink(f"{pod.path}/pod")
        with pytest.raises(PodContentError, match="it has no manifest"):
            load_manifest_bytes(pods.data, pod.uuid)
