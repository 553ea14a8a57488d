"""From a pod directory to a plan, and the flavour's init as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from harness.native_pod import NativePod

from rkt import stage_contract
from rkt.errors import RktError
from rkt.linux import syscalls
from rkt.schema.problems import ManifestError
from rkt.stage1.flavors import entrypoint_script
from rkt.stage1.native.entrypoint import PodContentError, plan_pod
from rkt.stage1.native.plan import PodPlan
from rkt.stage_contract import RunArguments


def plan(pod: NativePod, **options: object) -> PodPlan:
    pod.write_manifest()
    return plan_pod(str(pod.path), RunArguments(pod.uuid, **options))  # type: ignore[arg-type]


def test_plan_has_every_app_in_the_order_of_the_manifest(pod: NativePod) -> None:
    for name in ("b", "a", "c"):
        pod.add_app(name, "exit", "0")
    found = plan(pod)
    assert [app.name for app in found.apps] == ["b", "a", "c"]
    assert (found.uuid, found.hostname, found.interactive) == (pod.uuid, f"rkt-{pod.uuid}", False)


def test_namespaces_follow_the_options(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0")
    assert plan(pod).namespaces & syscalls.CLONE_NEWNET
    assert plan(pod).namespaces & syscalls.CLONE_NEWIPC
    assert not plan(pod, net="host").namespaces & syscalls.CLONE_NEWNET
    assert not plan(pod, ipc="parent").namespaces & syscalls.CLONE_NEWIPC


def test_compiled_filters_are_kept_in_the_data_directory(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0")
    assert len(plan(pod).apps[0].main.programs) == 2
    assert [entry.suffix for entry in (pod.data / "seccomp").iterdir()] == [".bpf"]
    assert plan(pod, insecure=frozenset(("seccomp",))).apps[0].main.programs == ()


@pytest.mark.spec("ACE-068")
def test_app_of_the_pod_manifest_is_used_and_not_the_images(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", environment=[{"name": "A", "value": "pod"}])
    write_image(pod, "web", {"exec": ["/image"], "user": "1", "group": "1"})
    main = plan(pod).apps[0].main
    assert (main.argv, main.user) == (("/bin/probe", "exit", "0"), "0")


def write_image(pod: NativePod, app: str, section: dict[str, object] | None) -> None:
    document = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/web"}
    path = pod.path / stage_contract.app_info(app) / "manifest"
    path.write_text(json.dumps(document | ({"app": section} if section else {})))


def test_app_of_the_image_is_used_where_the_pod_has_none(pod: NativePod) -> None:
    pod.add_app("web")
    del pod.manifest["apps"][0]["app"]
    write_image(pod, "web", {"exec": ["/image"], "user": "1", "group": "2", "workingDirectory": "/w"})
    main = plan(pod).apps[0].main
    assert (main.argv, main.user, main.group, main.working_directory) == (("/image",), "1", "2", "/w")


def test_app_that_neither_describes_is_an_error(pod: NativePod) -> None:
    pod.add_app("web")
    del pod.manifest["apps"][0]["app"]
    write_image(pod, "web", None)
    with pytest.raises(PodContentError, match='app "web": no app section'):
        plan(pod)


@pytest.mark.parametrize("words", [[], [""]])
def test_app_without_a_command_is_an_error_with_a_hint(pod: NativePod, words: list[str]) -> None:
    pod.add_app("web", exec=words)
    with pytest.raises(PodContentError) as caught:
        plan(pod)
    assert caught.value.message == 'image "example.com/web" has an empty "exec"'
    assert caught.value.hint == "try --exec=BINARY"


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b'{"acKind":"ImageManifest"}', b"\xff"])
def test_manifest_that_is_none_is_an_error(pod: NativePod, data: bytes) -> None:
    (pod.path / "pod").write_bytes(data)
    with pytest.raises(ManifestError):
        plan_pod(str(pod.path), RunArguments(pod.uuid))


@pytest.mark.spec("ISO-003")
def test_isolators_that_are_not_enforced_are_told(pod: NativePod, capfd: pytest.CaptureFixture[str]) -> None:
    pod.add_app(
        "web",
        *("exit", "0"),
        isolators=[
            {"name": "resource/network-bandwidth", "value": {"default": True, "limit": "1M"}},
            {"name": "resource/memory", "value": {"limit": "1Mi"}},
        ],
    )
    plan(pod)
    told = capfd.readouterr().err
    assert told.splitlines() == [
        'rkt: warning: isolator "resource/network-bandwidth" of app "web" is ignored: not supported by this version'
    ]


# --- init as a program ---------------------------------------------------------------------------------------------


@pytest.fixture
def init(pod: NativePod) -> Path:
    """The entrypoint of the built-in flavour as it lies in the pod."""
    path = pod.rootfs / "init"
    path.write_bytes(entrypoint_script("native"))
    path.chmod(0o755)
    return path


@pytest.mark.root
@pytest.mark.needs("overlay", "namespaces", "seccomp")
def test_init_of_the_pod_runs_it_by_the_contract(pod: NativePod, init: Path) -> None:
    pod.add_app("web", "print-out", "ran", "+", "fds", "+", "exit", "5")
    pod.write_manifest()
    lock = os.open(pod.path, os.O_RDONLY)
    done = subprocess.run(
        RunArguments(pod.uuid).to_argv(str(init)),
        cwd=pod.path,
        env={**os.environ, "RKT_LOCK_FD": str(lock), "PYTHONPATH": "/nonexistent"},
        pass_fds=(lock,),
        capture_output=True,
        timeout=60,
        check=False,
    )
    os.close(lock)
    assert (done.returncode, done.stderr) == (5, b"")
    first, facts = done.stdout.splitlines()
    assert first == b"ran"
    assert json.loads(facts)["fds"].keys() == {"0", "1", "2"}


@pytest.mark.parametrize("words", [[], ["--nonsense", "uuid"], ["--net=bridge", "uuid"]])
def test_init_that_cannot_says_why_in_a_line(pod: NativePod, init: Path, words: list[str]) -> None:
    done = subprocess.run([init, *words], cwd=pod.path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 254
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_plan_of_a_missing_pod_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((OSError, RktError)):
        plan_pod(f"{tmp_path}/pods/run/missing", RunArguments("missing"))
