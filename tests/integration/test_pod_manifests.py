"""Pod manifests: the one that rkt makes, and one that the user supplies, kept byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.stocked_store import PodRuns


def document(runs: PodRuns, *exec: str, image: str = "hello", **members: Any) -> dict[str, Any]:
    """A pod manifest of one app that runs the probe."""
    app = {"exec": ["/bin/probe", *exec], "user": "0", "group": "0"}
    runtime_app = {"name": "mine", "image": {"name": f"example.com/{image}", "id": runs.ids[image]}, "app": app}
    return {"acVersion": "0.8.11", "acKind": "PodManifest", "apps": [runtime_app | members]}


def write(path: Path, value: dict[str, Any] | bytes) -> Path:
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def test_supplied_manifest_is_kept_byte_for_byte(runs: PodRuns, tmp_path: Path) -> None:
    text = json.dumps(document(runs, "print-out", "supplied"), indent=3).replace("{", "{ \n", 1) + "\n\n"
    path = write(tmp_path / "pod.json", text.encode())
    assert runs.rkt("run", "--net=none", f"--pod-manifest={path}").checked().stdout == "supplied\n"
    (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
    assert (pod / "pod").read_bytes() == text.encode()
    assert runs.rkt("cat-manifest", "--pretty-print=false", pod.name).checked().stdout.strip() == text.strip()
    assert json.loads(runs.rkt("cat-manifest", pod.name).checked().stdout) == json.loads(text)


def test_unknown_members_annotations_and_isolators_survive(runs: PodRuns, tmp_path: Path) -> None:
    value = document(runs, "print-out", "x")
    value |= {"future": {"a": [1]}, "annotations": [{"name": "example.com/x", "value": "y"}]}
    path = write(tmp_path / "pod.json", value)
    uuid = runs.rkt("prepare", "--quiet", f"--pod-manifest={path}").checked().stdout.strip()
    assert json.loads(runs.rkt("cat-manifest", uuid).checked().stdout) == value
    runs.rkt("rm", uuid).checked()


@pytest.mark.spec("POD-011", "ACE-067", "ACE-068")
def test_app_section_of_the_manifest_replaces_the_images_as_a_whole(runs: PodRuns, tmp_path: Path) -> None:
    """The probe image has an environment and mount points; none of it is used."""
    path = write(tmp_path / "pod.json", document(runs, "env", "+", "mounts", image="probe"))
    facts = runs.rkt("run", "--net=none", f"--pod-manifest={path}").checked().facts
    assert not [line for line in facts["env"] if line.startswith("GREETING=")]
    assert not [line for line in facts["mounts"] if " /db " in line or " /config " in line]
    assert "AC_APP_NAME=mine" in facts["env"]


@pytest.mark.spec("ACE-068")
def test_handlers_of_the_image_do_not_run_when_the_manifest_has_an_app(runs: PodRuns, tmp_path: Path) -> None:
    path = write(tmp_path / "pod.json", document(runs, "print-out", "main", image="lifecycle"))
    assert runs.rkt("run", "--net=none", f"--pod-manifest={path}").checked().stdout == "main\n"


def test_app_of_the_image_runs_when_the_manifest_has_none(runs: PodRuns, tmp_path: Path) -> None:
    value = document(runs)
    del value["apps"][0]["app"]
    path = write(tmp_path / "pod.json", value)
    assert runs.rkt("run", "--net=none", f"--pod-manifest={path}").checked().stdout == "hello\n"


@pytest.mark.spec("ACE-005", "ACE-010")
def test_read_only_root_and_volumes_of_the_manifest_take_effect(runs: PodRuns, tmp_path: Path) -> None:
    value = document(runs, "try", "write", "/x", "x", "+", "write", "/v/x", "x", "+", "cat", "/v/x")
    value["apps"][0] |= {"readOnlyRootFS": True, "mounts": [{"volume": "v", "path": "/v"}]}
    value["volumes"] = [{"name": "v", "kind": "empty"}]
    result = runs.rkt("run", "--net=none", f"--pod-manifest={write(tmp_path / 'pod.json', value)}").checked()
    assert result.facts["write"]["errno"] == 30 and result.stdout.endswith("x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"apps": []}, "pod must contain at least one application"),
        ({"acKind": "ImageManifest"}, "acKind"),
        ({"volumes": [{"name": "UPPER", "kind": "empty"}]}, "volumes[0]"),
    ],
)
def test_bad_manifest_is_refused_with_the_place_and_leaves_no_pod(
    runs: PodRuns, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    path = write(tmp_path / "pod.json", document(runs) | change)
    result = runs.rkt("run", "--net=none", f"--pod-manifest={path}").checked(254)
    assert reason in result.stderr and "Traceback" not in result.stderr
    assert not [pod for phase in (runs.rkt.data / "pods").glob("*") for pod in phase.iterdir()]


def test_made_manifest_is_complete(runs: PodRuns) -> None:
    words = ["--user-annotation=a=b", "--user-label=l=m", "--annotation=example.com/n=o", "--readonly-rootfs"]
    flags = ["--quiet", "--volume=database,kind=empty", "--volume=config,kind=empty,readOnly=true"]
    uuid = runs.rkt(*runs.argv("env", image="probe", verb="prepare", flags=flags, app=words)).checked().stdout.strip()
    manifest = json.loads(runs.rkt("cat-manifest", uuid).checked().stdout)
    (app,) = manifest["apps"]
    assert (app["name"], app["readOnlyRootFS"]) == ("probe", True)
    assert app["image"]["id"].startswith(runs.ids["probe"]) and len(app["image"]["id"]) == len("sha512-") + 128
    assert app["app"]["exec"] == ["/bin/probe", "env"]
    assert {mount["path"] for mount in app["mounts"]} == {"/db", "/config"}
    assert app["app"]["userAnnotations"] == {"a": "b"} and app["app"]["userLabels"] == {"l": "m"}
    assert {"name": "example.com/n", "value": "o"} in app["annotations"]
    runs.rkt("rm", uuid).checked()
