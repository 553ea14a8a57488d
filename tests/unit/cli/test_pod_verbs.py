"""The verbs on pods that lie on disk, and the making of a pod up to its start."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

Rkt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pod(trusting_rkt: Rkt, hello: str) -> str:
    """The UUID of a prepared pod with one app."""
    status, output, errors = trusting_rkt("prepare", "--no-overlay", hello)
    assert status == 0, errors
    return output.strip()


def test_prepare_prints_the_uuid_and_leaves_a_prepared_pod(trusting_rkt: Rkt, pod: str) -> None:
    assert len(pod) == 36
    status, output, _ = trusting_rkt("status", pod[:8])
    assert status == 0
    assert output.splitlines()[0] == "state=prepared"
    assert output.splitlines()[1].startswith("created=20")


def test_prepared_pod_is_listed(trusting_rkt: Rkt, pod: str) -> None:
    _, output, _ = trusting_rkt("list")
    heading, row = output.splitlines()
    assert heading.split("\t")[0] == "UUID"
    cells = [cell for cell in row.split("\t") if cell]
    assert cells[0] == pod[:8]
    assert cells[1] == "hello"
    assert cells[2].startswith("example.com/hello:")
    assert cells[3] == "prepared"
    _, full, _ = trusting_rkt("list", "--full", "--no-legend")
    assert full.startswith(pod)
    _, document, _ = trusting_rkt("list", "--format=json")
    assert [entry["name"] for entry in json.loads(document)] == [pod]


def test_status_waits_no_longer_than_it_is_told(trusting_rkt: Rkt, pod: str) -> None:
    status, output, errors = trusting_rkt("status", "--wait=50ms", pod)
    assert (status, output) == (254, "")
    assert "the time to wait is over" in errors


def test_manifest_of_a_pod_is_what_was_asked_for(trusting_rkt: Rkt, hello: str) -> None:
    _, uuid, _ = trusting_rkt(
        *(
            "prepare",
            "--no-overlay",
            "-volume",
            "database:/tmp",
            "--mount",
            "volume=database,target=/db",
            "--set-env=A=b",
        ),
        *(hello, "--name=greeter", "--memory=16M", "--user-label=k=v", "--exec=/bin/probe", "--", "exit", "3"),
    )
    _, output, _ = trusting_rkt("cat-manifest", uuid.strip())
    manifest = json.loads(output)
    (app,) = manifest["apps"]
    assert app["name"] == "greeter"
    assert app["image"]["id"].startswith(hello)
    assert app["app"]["exec"] == ["/bin/probe", "exit", "3"]
    assert {"name": "A", "value": "b"} in app["app"]["environment"]
    assert {"name": "resource/memory", "value": {"limit": "16M"}} in app["app"]["isolators"]
    assert app["app"]["userLabels"] == {"k": "v"}
    assert app["mounts"] == [{"volume": "database", "path": "/db"}]
    assert manifest["volumes"] == [{"name": "database", "kind": "host", "source": "/tmp"}]


def test_supplied_manifest_is_stored_byte_for_byte(trusting_rkt: Rkt, hello: str, tmp_path: Path) -> None:
    manifest = {"acVersion": "0.8.11", "acKind": "PodManifest", "apps": [{"name": "x", "image": {"id": hello}}]}
    data = json.dumps(manifest, indent=3).encode() + b"\n\n"
    path = tmp_path / "manifest"
    path.write_bytes(data)
    status, uuid, errors = trusting_rkt("prepare", "--no-overlay", f"--pod-manifest={path}")
    assert status == 0, errors
    assert (tmp_path / "data" / "pods" / "prepared" / uuid.strip() / "pod").read_bytes() == data
    assert trusting_rkt("cat-manifest", "--pretty-print=false", uuid.strip())[1].encode() == data


def test_supplied_manifest_needs_its_images_in_the_store(trusting_rkt: Rkt, tmp_path: Path) -> None:
    manifest = {
        "acVersion": "0.8.11",
        "acKind": "PodManifest",
        "apps": [{"name": "x", "image": {"id": "sha512-" + "0" * 128}}],
    }
    path = tmp_path / "manifest"
    path.write_text(json.dumps(manifest))
    status, _, errors = trusting_rkt("prepare", f"--pod-manifest={path}")
    assert status == 254
    assert "no image IDs found" in errors
    assert trusting_rkt("list", "--no-legend")[1] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("HELLO", "HELLO"), "multiple apps with name hello"),
        (("--mount=volume=none,target=/x", "HELLO"), 'dangling mount point "/x": volume "none" not found'),
        (("--volume=a:/x", "--volume=a:/y", "HELLO"), 'duplicate volume name "a"'),
        (("--port=http:80", "HELLO"), 'port name "http" could not be found in any apps'),
    ],
)
def test_request_that_makes_no_pod_leaves_none(
    trusting_rkt: Rkt, hello: str, words: tuple[str, ...], message: str
) -> None:
    status, output, errors = trusting_rkt("prepare", *(hello if word == "HELLO" else word for word in words))
    assert (status, output) == (254, "")
    assert message in errors
    assert trusting_rkt("list", "--no-legend")[1] == ""


def test_pod_in_another_state_is_not_run(trusting_rkt: Rkt, pod: str, tmp_path: Path) -> None:
    pods = tmp_path / "data" / "pods"
    (pods / "prepared" / pod).rename(pods / "run" / pod)
    status, _, errors = trusting_rkt("run-prepared", pod)
    assert status == 254
    assert f'pod "{pod}" is not prepared' in errors


def test_pod_that_does_not_run_is_removed(trusting_rkt: Rkt, pod: str, tmp_path: Path) -> None:
    uuid_file = tmp_path / "uuid"
    uuid_file.write_text(f"{pod}\n")
    status, output, errors = trusting_rkt("rm", f"--uuid-file={uuid_file}")
    assert (status, output) == (0, f'"{pod}"\n')
    assert f'moving expired prepared pod "{pod}" to garbage' in errors
    assert trusting_rkt("list", "--no-legend")[1] == ""


def test_pod_that_does_not_run_is_not_stopped(trusting_rkt: Rkt, pod: str) -> None:
    status, output, errors = trusting_rkt("stop", pod)
    assert (status, output) == (254, "")
    assert f'pod "{pod}" is not running' in errors
    assert errors.endswith("stop: failed to stop 1 pod(s)\n")


def test_gc_takes_prepared_pods_when_their_time_has_come(trusting_rkt: Rkt, pod: str) -> None:
    assert trusting_rkt("gc")[:2] == (0, "")
    assert pod in trusting_rkt("list", "--full")[1]
    status, output, errors = trusting_rkt("gc", "--expire-prepared=0", "--grace-period=0s")
    assert (status, output) == (0, f'Garbage collecting pod "{pod}"\n')
    assert f'moving expired prepared pod "{pod}" to garbage' in errors
