"""pre-start and post-stop: when they run, with what, and what their failure does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from harness.archives import directory
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

LOG = "/events/log"


def handler(name: str, *words: str) -> dict[str, Any]:
    return {"name": name, "exec": ["/bin/probe", *words]}


def note(what: str) -> list[str]:
    return ["append", LOG, f"{what}\n"]


def image_with(path: Path, main: list[str], *handlers: dict[str, Any], **members: Any) -> Path:
    """An image whose directory /events keeps what its processes note."""
    section = app_section(*main, eventHandlers=list(handlers), **members)
    return write_image(path, image_manifest(section), directory("rootfs/events"))


@pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
@pytest.mark.spec("IMG-027", "IMG-028", "ACE-007", "ACE-056", "ACE-057", "ACE-059")
def test_handlers_run_once_each_around_main_in_the_same_root(
    runs: PodRuns, tmp_path: Path, store: tuple[str, ...]
) -> None:
    path = image_with(
        tmp_path / "order.aci",
        [*note("main"), "+", "cat", LOG],
        handler("pre-start", "sleep", "0.05", "+", *note("pre-start")),
        handler("post-stop", *note("post-stop"), "+", "cat", LOG),
    )
    assert runs.image(path, flags=store).stdout == "pre-start\nmain\npre-start\nmain\npost-stop\n"


def test_committed_lifecycle_image_keeps_its_order_on_a_volume(runs: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    flags = ["--net=none", f"--volume=events,kind=host,source={tmp_path / 'events'}"]
    assert runs.rkt("run", *flags, runs.ids["lifecycle"]).checked().stdout == "pre-start\nmain\npost-stop\n"
    assert (tmp_path / "events" / "log").read_text() == "pre-start\nmain\npost-stop\n"


@pytest.mark.spec("ACE-041", "ACE-043", "ACE-047", "ACE-064")
def test_handlers_have_the_environment_capabilities_and_filter_of_the_app(runs: PodRuns, tmp_path: Path) -> None:
    look = ["env", "+", "caps", "+", "status", "Seccomp", "NoNewPrivs", "+", "cwd"]
    members = {
        "environment": [{"name": "OF_THE_APP", "value": "1"}],
        "isolators": [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}}],
    }
    path = image_with(tmp_path / "same.aci", look, handler("pre-start", *look), handler("post-stop", *look), **members)
    result = runs.image(path)
    for name in ("env", "caps", "status", "cwd"):
        before, main, after = result.every(name)
        assert before == main == after, name
    environment = result.facts["env"]
    assert "AC_APP_NAME=app" in environment and "OF_THE_APP=1" in environment
    assert any(line.startswith("container=") and line != "container=" for line in environment)
    assert "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in environment
    assert int(result.facts["caps"]["CapBnd"], 16) == 1 << 5


@pytest.mark.spec("ACE-064")
def test_post_stop_runs_in_the_apps_control_group_and_mounts(runs: PodRuns, tmp_path: Path) -> None:
    look = ["mounts", "+", "namespaces"]
    result = runs.image(image_with(tmp_path / "m.aci", look, handler("post-stop", *look)))
    main, after = result.every("mounts")
    assert main == after
    main, after = result.every("namespaces")
    assert main["mnt"] == after["mnt"] and main["pid"] == after["pid"]


@pytest.mark.spec("ACE-058")
def test_failed_pre_start_keeps_main_from_starting(runs: PodRuns, tmp_path: Path) -> None:
    path = image_with(tmp_path / "f.aci", ["print-out", "main"], handler("pre-start", "exit", "5"))
    result = runs.image(path, status=5)
    assert "main" not in result.stdout
    assert 'pre-start handler of app "app" ended with status 5' in result.stderr


@pytest.mark.parametrize(("end", "status"), [(["exit", "3"], 3), (["kill-self", "9"], 137), (["print-out", ""], 0)])
@pytest.mark.spec("ACE-059", "IMG-028")
def test_post_stop_runs_however_main_ended_and_does_not_change_the_status(
    runs: PodRuns, tmp_path: Path, end: list[str], status: int
) -> None:
    after = handler("post-stop", "print-out", "after", "+", "exit", "9")
    assert "after" in runs.image(image_with(tmp_path / "e.aci", end, after), status=status).stdout


@pytest.mark.spec("ACE-062")
def test_every_pre_start_ends_before_any_main_begins(runs: PodRuns, tmp_path: Path) -> None:
    """The slow app's handler takes longest; the quick app's main must still wait for it."""
    (tmp_path / "v").mkdir()
    slow = write_image(
        tmp_path / "slow.aci",
        image_manifest(
            app_section(
                *("append", "/v/log", "slow-main\n"),
                eventHandlers=[handler("pre-start", "sleep", "0.3", "+", "append", "/v/log", "slow-pre\n")],
            ),
            name="example.com/slow",
        ),
    )
    quick = write_image(
        tmp_path / "quick.aci",
        image_manifest(app_section("append", "/v/log", "quick-main\n"), name="example.com/quick"),
    )
    flags = [f"--volume=v,kind=host,source={tmp_path / 'v'}", "--mount=volume=v,target=/v"]
    runs.image(quick, str(slow), flags=flags)
    lines = (tmp_path / "v" / "log").read_text().split()
    assert lines[0] == "slow-pre" and sorted(lines[1:]) == ["quick-main", "slow-main"]


@pytest.mark.spec("ACE-060")
def test_stop_sends_sigterm_waits_and_runs_post_stop(runs: PodRuns, tmp_path: Path) -> None:
    path = image_with(tmp_path / "stop.aci", ["signals", "30"], handler("post-stop", "print-out", "post-stop ran"))
    words = ["run", "--net=none", "--insecure-options=image", str(path)]
    with runs.rkt.start(*words) as process:
        assert process.stdout is not None and b"ready" in process.stdout.readline()
        (uuid,) = (one.name for one in (runs.rkt.data / "pods" / "run").iterdir())
        began = time.monotonic()
        runs.rkt("stop", uuid).checked()
        output, _ = process.communicate(timeout=20)
    assert b'"number": 15' in output and b"post-stop ran" in output
    assert time.monotonic() - began < 8, "the app ended at once, and nobody waited for the timeout"
