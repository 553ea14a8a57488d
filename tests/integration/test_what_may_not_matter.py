"""What must not change how a pod runs (user maps), and what an app finds that no other file asks about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness.archives import directory, entry, symlink
from harness.images import app_section, image_manifest, write_image
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

#: words that a careless executor might read as orders
TEMPTING = {
    "os/linux/no-new-privileges": "true",
    "coreos.com/rkt/stage1/mutable": "true",
    "appc.io/executor/supports-systemd-notify": "true",
    "PATH": "/nowhere",
    "user": "1000",
    "resource/memory": "1M",
}
QUESTIONS = ("env", "+", "ids", "+", "caps", "+", "status", "+", "cwd")


def answers(result: Result) -> dict[str, Any]:
    """The facts about the process, without those that differ from pod to pod."""
    facts = dict(result.facts)
    kept = ("Seccomp", "NoNewPrivs", "CapBnd", "CapEff", "Groups", "Umask", "SigBlk", "SigIgn")
    facts["status"] = {name: facts["status"][name] for name in kept}
    return facts


@pytest.mark.spec("IMG-059", "IMG-060")
def test_user_maps_of_an_image_change_nothing(runs: PodRuns, tmp_path: Path) -> None:
    plain = write_image(tmp_path / "plain.aci", image_manifest(app_section(*QUESTIONS)))
    maps: dict[str, Any] = {"userAnnotations": TEMPTING, "userLabels": TEMPTING}
    adorned = write_image(tmp_path / "adorned.aci", image_manifest(app_section(*QUESTIONS, **maps)))
    assert answers(runs.image(adorned)) == answers(runs.image(plain))


@pytest.mark.spec("POD-043", "POD-045")
def test_user_maps_of_a_pod_change_nothing(runs: PodRuns) -> None:
    maps = [f"--user-{kind}={name}={value}" for kind in ("annotation", "label") for name, value in TEMPTING.items()]
    assert answers(runs(*QUESTIONS, app=maps)) == answers(runs(*QUESTIONS))


@pytest.mark.spec("LNX-014", "LNX-015")
def test_hosts_file_is_provided_where_the_image_has_none(runs: PodRuns, tmp_path: Path) -> None:
    path = write_image(tmp_path / "bare.aci", image_manifest(app_section("cat", "/etc/hosts")))
    lines = runs.image(path, flags=["--hostname=chosen"]).stdout.splitlines()
    assert "127.0.0.1\tlocalhost chosen" in lines
    assert any(line.startswith("::1\tlocalhost") for line in lines)


@pytest.mark.spec("LNX-016")
def test_dangling_link_of_the_image_at_the_hosts_file_is_left_alone(runs: PodRuns, tmp_path: Path) -> None:
    app = app_section("try", "cat", "/etc/hosts")
    link = symlink("rootfs/etc/hosts", "/nowhere")
    path = write_image(tmp_path / "link.aci", image_manifest(app), directory("rootfs/etc"), link)
    assert runs.image(path).facts["cat"]["errno"] == 2


@pytest.mark.spec("ACE-015")
@pytest.mark.parametrize("masked", [directory("rootfs/db") + entry("rootfs/db/old", b"x"), entry("rootfs/db", b"x")])
def test_files_that_a_volume_hides_are_warned_of(runs: PodRuns, tmp_path: Path, masked: bytes) -> None:
    path = write_image(tmp_path / "masked.aci", image_manifest(app_section("ls", "/db")), masked)
    result = runs.image(path, flags=["--volume=v,kind=empty", "--mount=volume=v,target=/db"])
    assert 'volume "v" hides files of the image at "/db"' in result.stderr


@pytest.mark.spec("ACE-015")
def test_nothing_is_said_of_an_empty_directory_below_a_volume(runs: PodRuns, tmp_path: Path) -> None:
    path = write_image(tmp_path / "empty.aci", image_manifest(app_section("ls", "/db")), directory("rootfs/db"))
    assert "hides" not in runs.image(path, flags=["--volume=v,kind=empty", "--mount=volume=v,target=/db"]).stderr


@pytest.mark.spec("IMG-038")
def test_isolators_of_the_image_are_applied(runs: PodRuns, tmp_path: Path) -> None:
    isolators = [
        {"name": "os/linux/no-new-privileges", "value": True},
        {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}},
    ]
    app = app_section("caps", "+", "status", isolators=isolators)
    facts = runs.image(write_image(tmp_path / "confined.aci", image_manifest(app))).facts
    assert int(facts["caps"]["CapBnd"], 16) == 1 << 5
    assert int(facts["status"]["NoNewPrivs"]) == 1


@pytest.mark.spec("ACE-048", "ACE-049")
def test_variables_beyond_the_promised_ones_are_those_of_the_executor_only(runs: PodRuns) -> None:
    environment = dict(line.split("=", 1) for line in runs("env").facts["env"])
    promised = {"PATH", "AC_APP_NAME", "container"}
    assert promised <= environment.keys()
    assert environment.keys() - promised <= {"SHELL", "USER", "LOGNAME", "HOME"}


@pytest.mark.spec("DEP-005")
def test_app_section_of_a_dependency_is_ignored(runs: PodRuns, tmp_path: Path) -> None:
    below = image_manifest(app_section("exit", "9", user="1", environment=[{"name": "FROM", "value": "below"}]))
    below = below.replace(b"example.com/app", b"example.com/below")
    path = write_image(tmp_path / "below.aci", below)
    runs.rkt("fetch", "--insecure-options=image", path).checked()
    top = image_manifest(app_section("env", "+", "ids"), dependencies=[{"imageName": "example.com/below"}])
    facts = runs.image(write_image(tmp_path / "top.aci", top)).facts
    assert "FROM=below" not in facts["env"]
    assert facts["ids"]["uid"] == 0
