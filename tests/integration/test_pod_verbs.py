"""The verbs on pods from end to end: every state of a pod, and what each verb says and does in it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from harness.pod_state import pod_states
from harness.stocked_store import PodRuns


def prepare(runs: PodRuns, *commands: str) -> str:
    """The UUID of a prepared pod."""
    return (
        runs.rkt(*runs.argv(*(commands or ("print-out", "ran")), verb="prepare", flags=["--quiet"]))
        .checked()
        .stdout[:-1]
    )


def state_of(runs: PodRuns, uuid: str) -> str:
    lines = runs.rkt("status", uuid).checked().stdout.splitlines()
    return lines[0].removeprefix("state=")


def list_rows(runs: PodRuns) -> list[list[str]]:
    return [line.split("\t") for line in runs.rkt("list", "--full", "--no-legend").checked().stdout.splitlines()]


def test_a_pod_passes_through_its_states(runs: PodRuns) -> None:
    uuid = prepare(runs, "signals", "30")
    assert state_of(runs, uuid) == "prepared"
    with runs.rkt.start("run-prepared", "--net=none", uuid) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        status = dict(line.split("=", 1) for line in runs.rkt("status", uuid).checked().stdout.splitlines())
        assert (status["state"], status["exited"]) == ("running", "false")
        assert Path(f"/proc/{status['pid']}").exists()
        rows = json.loads(runs.rkt("list", "--format=json").checked().stdout)
        assert [(row["name"], row["state"], row["app_names"]) for row in rows] == [(uuid, "running", ["hello"])]
        assert uuid in runs.rkt("stop", uuid).checked().stdout
        process.communicate(timeout=20)
    assert state_of(runs, uuid) == "exited"
    runs.rkt("gc", "--mark-only").checked()
    assert pod_states(runs.rkt.data) == {uuid: "exited garbage"}
    assert state_of(runs, uuid) == "exited garbage"
    kept = runs.rkt("gc", "--grace-period=1h").checked()
    assert f'pod "{uuid}" not removed: still within grace period' in kept.stderr
    runs.rkt("gc", "--grace-period=0s").checked()
    assert pod_states(runs.rkt.data) == {}
    missing = runs.rkt("status", uuid).checked(254)
    assert uuid in missing.stderr or "no matches found" in missing.stderr


def test_list_shows_the_documented_columns(runs: PodRuns) -> None:
    uuid = prepare(runs)
    legend, row = runs.rkt("list").checked().stdout.splitlines()
    assert legend.split() == ["UUID", "APP", "IMAGE", "NAME", "STATE", "CREATED", "STARTED", "NETWORKS"]
    assert row.split()[:4] == [uuid[:8], "hello", "example.com/hello:1.0.0", "prepared"]
    runs.rkt("rm", uuid).checked()


def test_prefix_of_a_uuid_is_enough_and_an_ambiguous_one_is_not(runs: PodRuns) -> None:
    uuid = prepare(runs)
    assert state_of(runs, uuid[:8]) == "prepared"
    assert runs.rkt("status", "").status == 254
    runs.rkt("rm", uuid[:8]).checked()


def test_run_prepared_runs_once(runs: PodRuns) -> None:
    uuid = prepare(runs)
    assert runs.rkt("run-prepared", "--net=none", uuid).checked().stdout == "ran\n"
    again = runs.rkt("run-prepared", "--net=none", uuid).checked(254)
    assert f'pod "{uuid}" is not prepared' in again.stderr and "exited" in again.stderr


def test_prepared_pod_runs_without_the_store(runs: PodRuns) -> None:
    """With a copied root file system a pod is all in its directory: the image may go meanwhile."""
    uuid = (
        runs.rkt(*runs.argv("print-out", "alone", verb="prepare", flags=["--quiet", "--no-overlay"])).checked().stdout
    )
    runs.rkt("image", "rm", runs.ids["hello"]).checked()
    assert runs.rkt("run-prepared", "--net=none", uuid.strip()).checked().stdout == "alone\n"


def test_prepared_overlay_pod_runs_after_its_image_was_removed(runs: PodRuns) -> None:
    uuid = prepare(runs, "print-out", "still here")
    runs.rkt("image", "rm", runs.ids["hello"]).checked()
    assert runs.rkt("run-prepared", "--net=none", uuid).checked().stdout == "still here\n"


def test_uuid_file_is_saved_before_the_start_and_read_by_the_other_verbs(runs: PodRuns, tmp_path: Path) -> None:
    file = tmp_path / "uuid"
    with runs.rkt.start(*runs.argv("signals", "30", flags=[f"--uuid-file-save={file}"])) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        uuid = file.read_text().strip()
        assert pod_states(runs.rkt.data) == {uuid: "running"}
        assert "state=running" in runs.rkt("status", f"--uuid-file={file}").checked().stdout
        assert json.loads(runs.rkt("cat-manifest", f"--uuid-file={file}").checked().stdout)["acKind"] == "PodManifest"
        assert uuid in runs.rkt("stop", f"--uuid-file={file}").checked().stdout
        process.communicate(timeout=20)
    assert uuid in runs.rkt("rm", f"--uuid-file={file}").checked().stdout
    assert pod_states(runs.rkt.data) == {}


def test_status_wait_comes_back_when_the_pod_has_ended(runs: PodRuns) -> None:
    with runs.rkt.start(*runs.argv("signals", "30")) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        (uuid,) = pod_states(runs.rkt.data)
        assert "time to wait is over" in runs.rkt("status", "--wait=50ms", uuid).checked(254).stderr
        assert "state=running" in runs.rkt("status", "--wait-ready=10s", uuid).checked().stdout
        with runs.rkt.start("status", "--wait", uuid) as waiting:
            time.sleep(0.1)
            assert waiting.poll() is None
            process.terminate()
            out, _ = waiting.communicate(timeout=20)
        process.communicate(timeout=20)
    assert b"state=exited\n" in out and b"app-hello=0\n" in out


def test_stop_force_kills_an_app_that_does_not_listen(runs: PodRuns) -> None:
    with runs.rkt.start(*runs.argv("signals", "30", "+", "sleep", "60")) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        (uuid,) = pod_states(runs.rkt.data)
        began = time.monotonic()
        assert uuid in runs.rkt("stop", "--force", uuid).checked().stdout
        process.communicate(timeout=20)
        assert process.returncode == 137 and time.monotonic() - began < 8
    assert "already stopped" in runs.rkt("stop", uuid).checked().stderr


def test_stop_of_what_does_not_run_is_an_error(runs: PodRuns) -> None:
    uuid = prepare(runs)
    result = runs.rkt("stop", uuid).checked(254)
    assert f'pod "{uuid}" is not running' in result.stderr and "failed to stop 1 pod(s)" in result.stderr
    runs.rkt("rm", uuid).checked()


def test_rm_and_gc_leave_a_running_pod_alone(runs: PodRuns) -> None:
    with runs.rkt.start(*runs.argv("signals", "30", "+", "write", "/still", "writable")) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        (uuid,) = pod_states(runs.rkt.data)
        assert "running" in runs.rkt("rm", uuid).checked(254).stderr
        runs.rkt("gc", "--grace-period=0s", "--expire-prepared=0s").checked()
        assert pod_states(runs.rkt.data) == {uuid: "running"}
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.leaves_pods("prepared")
def test_gc_expires_prepared_pods_by_their_age(runs: PodRuns) -> None:
    young, old = prepare(runs), prepare(runs)
    long_ago = time.time() - 25 * 3600
    for path in ("pod-created", "."):
        os.utime(runs.rkt.data / "pods" / "prepared" / old / path, (long_ago, long_ago))
    runs.rkt("gc").checked()
    assert young in pod_states(runs.rkt.data)
    runs.rkt("gc", "--expire-prepared=0s").checked()
    runs.rkt("gc", "--grace-period=0s").checked()
    assert not {young, old} & set(pod_states(runs.rkt.data))


def test_rm_takes_several_pods_and_says_which_it_could_not(runs: PodRuns) -> None:
    first, second = prepare(runs), prepare(runs)
    result = runs.rkt("rm", first, "00000000-0000-4000-8000-000000000000", second).checked(254)
    assert first in result.stdout and second in result.stdout
    assert pod_states(runs.rkt.data) == {}


def test_pod_that_cannot_start_is_an_exited_pod_that_gc_takes(runs: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "no").mkdir()
    flags = ["--quiet", f"--volume=v,kind=host,source={tmp_path}/no", "--mount=volume=v,target=/v"]
    uuid = runs.rkt(*runs.argv(verb="prepare", flags=flags)).checked().stdout.strip()
    (tmp_path / "no").rmdir()
    failed = runs.rkt("run-prepared", "--net=none", uuid).checked(254)
    assert f'volume "v": source "{tmp_path}/no" does not exist' in failed.stderr
    assert pod_states(runs.rkt.data) == {uuid: "exited"}
    runs.rkt("gc", "--grace-period=0s").checked()
    assert pod_states(runs.rkt.data) == {}


def test_list_and_gc_of_an_empty_machine_are_silent(runs: PodRuns) -> None:
    assert runs.rkt("list", "--no-legend").checked().stdout == ""
    assert runs.rkt("list", "--format=json").checked().stdout.strip() in ("[]", "null")
    runs.rkt("gc").checked()
