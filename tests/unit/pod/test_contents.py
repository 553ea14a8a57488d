"""rkt.pod.contents and rkt.pod.network_info"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.errors import RktError
from rkt.pod import contents
from rkt.pod.errors import PodContentError
from rkt.pod.network_info import NetworkInfo, decode_networks

NETWORK = {
    "netName": "default",
    "netConf": "net/99-default.conf",
    "pluginPath": "stage1/rootfs/usr/lib/rkt/plugins/net/ptp",
    "ifName": "eth0",
    "ip": "172.16.28.2",
    "args": "",
    "mask": "255.255.255.0",
}


def test_manifests_of_a_pod_are_read(pods: PodFactory) -> None:
    with pods.make(apps=("web", "db")) as pod:
        assert [str(app.name) for app in pod.load_manifest().apps] == ["web", "db"]
        assert contents.load_image_manifest(pod, "db").name == "example.com/db"
        assert contents.list_prepared_apps(pod) == ["db", "web"]


def test_missing_manifests_are_named(pods: PodFactory) -> None:
    with pods.make() as pod:
        os.unlink(f"{pod.path}/pod")
        with pytest.raises(PodContentError) as caught:
            pod.load_manifest()
        assert caught.value.message == f'pod "{pod.uuid}": it has no manifest'
        with pytest.raises(PodContentError, match='app "db" has no image manifest'):
            contents.load_image_manifest(pod, "db")


def test_bad_manifest_is_an_error_with_the_pods_name(pods: PodFactory) -> None:
    with pods.make() as pod:
        Path(pod.path, "pod").write_bytes(b"\xff\xfe")
        with pytest.raises(RktError, match=f'manifest of pod "{pod.uuid}"'):
            pod.load_manifest()


def test_pid_comes_before_ppid(pods: PodFactory) -> None:
    with pods.make() as pod:
        assert contents.find_pid(pod) is None
        assert contents.find_started_ns(pod) is None
        Path(pod.path, "ppid").write_text("17\n")
        assert contents.find_pid(pod) == 17
        Path(pod.path, "pid").write_text("18\n")
        assert contents.find_pid(pod) == 18
        os.utime(f"{pod.path}/pid", ns=(5, 7_000_000_001))
        assert contents.find_started_ns(pod) == 7_000_000_001


def test_pid_that_is_being_written_is_not_there_yet(pods: PodFactory) -> None:
    with pods.make() as pod:
        Path(pod.path, "pid").write_bytes(b"")
        Path(pod.path, "ppid").write_text("17\n")
        assert contents.find_pid(pod) == 17


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "4194305", "x", "1 2", "٣", "9" * 31])
def test_bad_pid_is_an_error(pods: PodFactory, text: str) -> None:
    with pods.make() as pod:
        Path(pod.path, "pid").write_text(text)
        with pytest.raises(PodContentError, match=f'pod "{pod.uuid}": "pid" does not hold a process ID'):
            contents.find_pid(pod)


def test_created_is_the_time_of_pod_created_else_of_the_manifest(pods: PodFactory) -> None:
    with pods.make() as pod:
        os.utime(f"{pod.path}/pod-created", ns=(1, 2_000_000_000))
        os.utime(f"{pod.path}/pod", ns=(1, 3_000_000_000))
        assert contents.find_created_ns(pod) == 2_000_000_000
        os.unlink(f"{pod.path}/pod-created")
        assert contents.find_created_ns(pod) == 3_000_000_000
        os.unlink(f"{pod.path}/pod")
        assert contents.find_created_ns(pod) is None


@pytest.mark.spec("ACE-063")
@pytest.mark.parametrize(("text", "status"), [("0\n", 0), ("7", 7), ("-1\n", -1), ("255\n", 255)])
def test_exit_status_is_what_pid_1_recorded(pods: PodFactory, text: str, status: int) -> None:
    with pods.make() as pod:
        assert contents.find_exit_status(pod, "web") is None
        Path(pod.path, "stage1/rootfs/rkt/status/web").write_text(text)
        assert contents.find_exit_status(pod, "web") == status


def test_exit_status_is_found_in_the_upper_directory_of_an_overlay(pods: PodFactory) -> None:
    with pods.make() as pod:
        Path(pod.path, "stage1TreeStoreID").write_text("deps-sha512-abc\n")
        upper = Path(pod.path, "overlay/deps-sha512-abc/upper/rkt")
        (upper / "status").mkdir(parents=True)
        (upper / "status/web").write_text("3\n")
        os.utime(upper / "status/web", ns=(1, 4))
        (upper / "supervisor-status").symlink_to("ready")
        assert contents.find_exit_status(pod, "web") == 3
        assert contents.find_exit_time_ns(pod, "web") == 4
        assert contents.is_ready(pod)


@pytest.mark.parametrize("text", ["", "x", "0x1", "1.5", "2147483648", "-2147483649", "--1"])
def test_bad_exit_status_is_an_error(pods: PodFactory, text: str) -> None:
    with pods.make() as pod:
        Path(pod.path, "stage1/rootfs/rkt/status/web").write_text(text)
        with pytest.raises(PodContentError, match='the exit status of app "web" is not a number'):
            contents.find_exit_status(pod, "web")


@pytest.mark.parametrize("app", ["", ".", "..", "a/b", "../web", "a\0"])
def test_name_that_is_no_apps_is_never_a_path(pods: PodFactory, app: str) -> None:
    with pods.make() as pod, pytest.raises(PodContentError, match="is not the name of an app"):
        contents.find_exit_status(pod, app)


def test_ready_is_a_link_to_ready(pods: PodFactory) -> None:
    with pods.make() as pod:
        link = Path(pod.path, "stage1/rootfs/rkt/supervisor-status")
        assert not contents.is_ready(pod)
        link.symlink_to("starting")
        assert not contents.is_ready(pod)
        link.unlink()
        link.symlink_to("ready")
        assert contents.is_ready(pod)


def test_text_file_is_trimmed_and_checked(pods: PodFactory) -> None:
    with pods.make() as pod:
        assert contents.find_text_file(pod, "subcgroup") is None
        Path(pod.path, "subcgroup").write_text("rkt/x\n")
        assert contents.find_text_file(pod, "subcgroup") == "rkt/x"
        Path(pod.path, "subcgroup").write_bytes(b"\xff")
        with pytest.raises(PodContentError, match='"subcgroup" is not UTF-8 text'):
            contents.find_text_file(pod, "subcgroup")


def test_networks_are_read_and_written_in_the_same_form(pods: PodFactory) -> None:
    with pods.make() as pod:
        assert contents.load_networks(pod) == ()
        Path(pod.path, "net-info.json").write_text(json.dumps([NETWORK, {"netName": "b", "new": 1}]))
        first, second = contents.load_networks(pod)
        assert first.to_json() == NETWORK
        assert list(first.to_json()) == list(NETWORK)
        assert first.describe() == "default:ip4=172.16.28.2"
        assert second == NetworkInfo(name="b")


def test_no_networks_may_be_null() -> None:
    assert decode_networks(b"null", source="x") == ()


@pytest.mark.parametrize("text", [b"{}", b"[1]", b'[{"ip": 4}]', b"", b"[", b"\xff", b"[" * 100_000, b'[{"ip":null}]'])
def test_bad_networks_are_an_error(pods: PodFactory, text: bytes) -> None:
    with pods.make() as pod:
        Path(pod.path, "net-info.json").write_bytes(text)
        with pytest.raises(PodContentError, match=f'pod "{pod.uuid}": .*net-info.json'):
            contents.load_networks(pod)
