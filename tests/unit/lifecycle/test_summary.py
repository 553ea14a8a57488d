"""rkt.lifecycle.summary and rkt.lifecycle.pod_json"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from harness.pod_factory import IMAGE_ID, PodFactory, pod_manifest

from rkt.lifecycle.pod_json import pod_to_json
from rkt.lifecycle.summary import MountSummary, load_summary
from rkt.pod.directory import Pod


def write(pod: Pod, name: str, content: str, *, mtime_ns: int | None = None) -> None:
    path = Path(pod.path, name)
    path.write_text(content)
    if mtime_ns is not None:
        os.utime(path, ns=(0, mtime_ns))


@pytest.mark.parametrize(
    ("phase", "owned", "pod_state", "app_state"),
    [
        ("prepare", True, "preparing", "unknown"),
        ("prepare", False, "aborted prepare", "unknown"),
        ("prepared", False, "prepared", "created"),
        ("run", True, "running", "running"),
        ("run", False, "exited", "exited"),
        ("exited-garbage", True, "exited deleting", "exited"),
        ("exited-garbage", False, "exited garbage", "exited"),
    ],
)
def test_state_of_the_apps_follows_the_pod(
    pods: PodFactory, phase: str, owned: bool, pod_state: str, app_state: str
) -> None:
    with pods.make(phase, owned=owned) as pod:
        summary = load_summary(pod)
        assert summary.state == pod_state
        assert [app.state for app in summary.apps] == [app_state]
        assert summary.errors == ()


@pytest.mark.spec("ACE-063")
def test_app_that_ended_in_a_running_pod_has_exited(pods: PodFactory) -> None:
    with pods.make("run", apps=("web", "db"), owned=True) as pod:
        write(pod, "stage1/rootfs/rkt/status/db", "3\n", mtime_ns=5)
        web, db = load_summary(pod).apps
        assert (web.state, web.exit_code, web.finished_ns) == ("running", None, None)
        assert (db.state, db.exit_code, db.finished_ns) == ("exited", 3, 5)


def test_everything_of_a_pod_is_gathered(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        app = {
            "name": "web",
            "image": {"name": "example.com/web", "id": IMAGE_ID},
            "app": {"exec": ["/x"], "user": "0", "group": "0", "userLabels": {"tier": "front"}},
            "mounts": [{"volume": "data", "path": "/data"}, {"volume": "scratch", "path": "/tmp"}],
        }
        volumes = [
            {"name": "data", "kind": "host", "source": "/srv", "readOnly": True},
            {"name": "scratch", "kind": "empty"},
        ]
        members = {"apps": [app], "volumes": volumes, "userAnnotations": {"who": "me"}}
        Path(pod.path, "pod").write_bytes(pod_manifest(**members))
        write(pod, "pod-created", "", mtime_ns=1_500_000_000)
        write(pod, "ppid", "42", mtime_ns=2_500_000_000)
        write(pod, "net-info.json", json.dumps([{"netName": "default", "ip": "10.0.0.2"}]))
        summary = load_summary(pod)
    assert (summary.created_ns, summary.started_ns, summary.pid) == (1_500_000_000, 2_500_000_000, 42)
    assert summary.apps[0].image_name == "example.com/web:1.2.3"
    assert summary.apps[0].mounts == (
        MountSummary(name="data", container_path="/data", host_path="/srv", read_only=True),
        MountSummary(name="scratch", container_path="/tmp", host_path="", read_only=False),
    )
    assert pod_to_json(summary) == {
        "name": summary.uuid,
        "state": "exited",
        "networks": [
            {
                "netName": "default",
                "netConf": "",
                "pluginPath": "",
                "ifName": "",
                "ip": "10.0.0.2",
                "args": "",
                "mask": "",
            }
        ],
        "app_names": ["web"],
        "apps": [
            {
                "name": "web",
                "state": "exited",
                "created_at": 1_500_000_000,
                "started_at": 2_500_000_000,
                "image_id": IMAGE_ID,
                "mounts": [
                    {"name": "data", "container_path": "/data", "host_path": "/srv", "read_only": True},
                    {"name": "scratch", "container_path": "/tmp", "host_path": "", "read_only": False},
                ],
                "user_labels": {"tier": "front"},
            }
        ],
        "created_at": 1,
        "started_at": 2,
        "user_annotations": {"who": "me"},
    }


def test_unknown_members_are_left_out_of_json(pods: PodFactory) -> None:
    with pods.make("prepare") as pod:
        for name in ("pod", "pod-created"):
            os.unlink(f"{pod.path}/{name}")
        assert pod_to_json(load_summary(pod)) == {"name": pod.uuid, "state": "aborted prepare"}


def test_networks_of_a_pod_that_did_not_run_are_not_shown(pods: PodFactory) -> None:
    with pods.make("prepared") as pod:
        write(pod, "net-info.json", '[{"netName": "default"}]')
        assert load_summary(pod).networks == ()


def test_marked_pod_has_finished_when_it_was_marked(pods: PodFactory) -> None:
    with pods.make("exited-garbage") as pod:
        assert load_summary(pod).apps[0].finished_ns == os.stat(pod.path).st_ctime_ns


@pytest.mark.parametrize("phase", ["prepare", "garbage"])
def test_half_written_pod_may_lack_its_manifest(pods: PodFactory, phase: str) -> None:
    with pods.make(phase) as pod:
        os.unlink(f"{pod.path}/pod")
        summary = load_summary(pod)
        assert not summary.has_manifest
        assert summary.errors == ()


def test_what_cannot_be_read_is_left_out_and_reported(pods: PodFactory) -> None:
    with pods.make("run", apps=("web", "db")) as pod:
        write(pod, "pid", "x")
        write(pod, "net-info.json", "{")
        write(pod, "stage1/rootfs/rkt/status/web", "x")
        write(pod, "stage1/rootfs/rkt/status/db", "0\n")
        os.unlink(f"{pod.path}/appsinfo/db/manifest")
        summary = load_summary(pod)
    assert (summary.pid, summary.networks) == (None, ())
    assert [(app.name, app.image_name, app.exit_code) for app in summary.apps] == [
        ("web", "example.com/web:1.2.3", None),
        ("db", None, 0),
    ]
    assert len(summary.errors) == 4
    assert all(f'pod "{pod.uuid}"' in error.message for error in summary.errors)
