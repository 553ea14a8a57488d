"""Isolators that exist: capabilities, no-new-privileges, OOM score, CPU and memory limits; the others are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.images import app_section, image_manifest, write_image
from harness.mountinfo import load_mounts
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

#: the 14 capabilities of appc, and single ones
DEFAULT = 0x00000000A80425FB
KILL, NET_ADMIN, NET_RAW, MKNOD, SYS_ADMIN = 1 << 5, 1 << 12, 1 << 13, 1 << 27, 1 << 21


def run_isolated(runs: PodRuns, tmp_path: Path, isolators: dict[str, Any], *words: str, user: str = "0") -> Result:
    """A pod of an image with these isolators that runs the probe with ``words``."""
    listed = [{"name": name, "value": value} for name, value in isolators.items()]
    section = app_section(*words, user=user, group=user, isolators=listed)
    return runs.image(write_image(tmp_path / "isolated.aci", image_manifest(section)))


def capability_sets(result: Result) -> dict[str, int]:
    return {name: int(value, 16) for name, value in result.facts["caps"].items()}


@pytest.mark.spec("ISO-033")
def test_default_bounding_set_is_the_fourteen(runs: PodRuns) -> None:
    sets = capability_sets(runs("caps"))
    assert sets == {"CapInh": 0, "CapAmb": 0, "CapPrm": DEFAULT, "CapEff": DEFAULT, "CapBnd": DEFAULT}


@pytest.mark.spec("ISO-033")
def test_app_of_another_user_has_no_capability_but_the_same_bound(runs: PodRuns) -> None:
    sets = capability_sets(runs("caps", app=["--user=1000"]))
    assert sets == {"CapInh": 0, "CapAmb": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": DEFAULT}


@pytest.mark.spec("ISO-034", "ISO-035")
def test_remove_set_takes_from_the_default_and_ignores_what_is_not_in_it(runs: PodRuns, tmp_path: Path) -> None:
    isolator = {"os/linux/capabilities-remove-set": {"set": ["CAP_NET_RAW", "CAP_MKNOD", "CAP_SYS_ADMIN"]}}
    assert capability_sets(run_isolated(runs, tmp_path, isolator, "caps"))["CapBnd"] == DEFAULT & ~(NET_RAW | MKNOD)


@pytest.mark.spec("ISO-036")
def test_retain_set_is_exactly_what_it_lists(runs: PodRuns, tmp_path: Path) -> None:
    isolator = {"os/linux/capabilities-retain-set": {"set": ["CAP_KILL", "CAP_NET_ADMIN"]}}
    sets = capability_sets(run_isolated(runs, tmp_path, isolator, "caps"))
    assert sets["CapBnd"] == sets["CapEff"] == sets["CapPrm"] == KILL | NET_ADMIN


def test_capabilities_of_the_command_line_replace_the_images(runs: PodRuns) -> None:
    sets = capability_sets(runs("caps", app=["--caps-retain=CAP_KILL,CAP_SYS_ADMIN"]))
    assert sets["CapBnd"] == KILL | SYS_ADMIN


@pytest.mark.parametrize("user", ["0", "1000"])
@pytest.mark.spec("ISO-041")
def test_no_new_privileges_is_set_where_asked_for(runs: PodRuns, tmp_path: Path, user: str) -> None:
    isolator = {"os/linux/no-new-privileges": True}
    facts = run_isolated(runs, tmp_path, isolator, "status", "NoNewPrivs", "Seccomp", user=user).facts
    assert (facts["status"]["NoNewPrivs"], facts["status"]["Seccomp"]) == ("1", "2")


@pytest.mark.spec("ISO-044")
def test_oom_score_adjustment_takes_effect(runs: PodRuns, tmp_path: Path) -> None:
    isolator = {"os/linux/oom-score-adj": 321}
    assert run_isolated(runs, tmp_path, isolator, "cat", "/proc/self/oom_score_adj").stdout == "321\n"


def cgroup_of(pod: Path, app: str, controller: str) -> Path:
    """The app's group in the hierarchy that has the controller."""
    subcgroup = (pod / "subcgroup").read_text().strip()
    for mount in load_mounts():
        if mount.kind == "cgroup" and controller in mount.super_options:
            return Path(mount.target, subcgroup, app)
    unified = next(mount.target for mount in load_mounts() if mount.kind == "cgroup2")
    return Path(unified, subcgroup, app)


def group_value(group: Path, *names: str) -> str:
    """The first of the files that exists: v1's name or v2's."""
    return next((group / name).read_text().strip() for name in names if (group / name).exists())


@pytest.mark.needs("cgroups")
@pytest.mark.spec("ISO-046", "ISO-057", "ISO-060")
def test_limits_of_cpu_and_memory_are_in_the_apps_control_groups(runs: PodRuns, tmp_path: Path) -> None:
    app = ["--memory=64M", "--cpu=500m", "--cpu-shares=333"]
    with runs.rkt.start(*runs.argv("print-out", "up", "+", "signals", app=app)) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"up\n"
            (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
            memory = group_value(cgroup_of(pod, "hello", "memory"), "memory.limit_in_bytes", "memory.max")
            shares = group_value(cgroup_of(pod, "hello", "cpu"), "cpu.shares", "cpu.weight")
            quota = group_value(cgroup_of(pod, "hello", "cpu"), "cpu.cfs_quota_us", "cpu.max").split()[0]
        finally:
            process.terminate()
            process.communicate()
    assert int(memory) == 64 * 1000**2 // 4096 * 4096
    assert int(shares) in (333, 1 + (333 - 2) * 9999 // 262142)
    assert int(quota) == 50000


@pytest.mark.needs("cgroups")
@pytest.mark.spec("ISO-060")
def test_memory_beyond_the_limit_is_not_to_be_had(runs: PodRuns) -> None:
    """An app that may have 32 MB asks for 64 with MAP_POPULATE, and is killed for it."""
    populate = "0x8022"
    mmap = ["syscall", "9", "0", "67108864", "3", populate, "-1", "0"]
    result = runs.rkt(*runs.argv(*mmap, app=["--memory=32M"]))
    assert result.status == 137, result.stdout + result.stderr


@pytest.mark.needs("cgroups")
def test_processes_of_an_app_are_limited(runs: PodRuns) -> None:
    with runs.rkt.start(*runs.argv("print-out", "up", "+", "signals")) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"up\n"
            (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
            limit = group_value(cgroup_of(pod, "hello", "pids"), "pids.max")
        finally:
            process.terminate()
            process.communicate()
    assert int(limit) == 4096


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resource/block-iops", {"default": True, "limit": "1000"}),
        ("os/linux/selinux-context", {"user": "u", "role": "r", "type": "t", "level": "s0"}),
        ("example.com/unheard-of", {"anything": [1, 2]}),
    ],
)
@pytest.mark.spec("ISO-003", "ISO-002")
def test_isolator_that_is_not_enforced_is_reported_and_the_pod_runs(
    runs: PodRuns, tmp_path: Path, name: str, value: dict[str, Any]
) -> None:
    result = run_isolated(runs, tmp_path, {name: value}, "print-out", "ran")
    assert result.stdout == "ran\n"
    assert f'isolator "{name}" of app "app" is ignored' in result.stderr


def test_isolators_of_the_command_line_are_in_the_pod_manifest(runs: PodRuns) -> None:
    uuid = runs.rkt(*runs.argv("print-out", verb="prepare", app=["--memory=16M", "--cpu=1500m"])).checked().stdout
    manifest = json.loads(runs.rkt("cat-manifest", uuid.strip()).checked().stdout)
    isolators = {one["name"]: one["value"] for one in manifest["apps"][0]["app"]["isolators"]}
    assert isolators == {"resource/memory": {"limit": "16M"}, "resource/cpu": {"limit": "1500m"}}
    runs.rkt("rm", uuid.strip()).checked()
