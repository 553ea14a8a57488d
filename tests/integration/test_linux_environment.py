"""What every app of an os=linux image finds: kernel file systems, device nodes, /etc/hosts (appc OS-SPEC)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from harness.archives import directory, entry
from harness.images import app_section, image_manifest, write_image
from harness.mountinfo import MountLine, parse_mountinfo
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
BOTH_STORES = pytest.mark.parametrize("flags", [(), ("--no-overlay",)], ids=["overlay", "copy"])
USERS = pytest.mark.parametrize("user", ["0", "1000"], ids=["root", "user"])


def mount_at(result: Result, path: str) -> MountLine:
    """The mount that is seen at ``path``: the last one in the table."""
    return [mount for mount in parse_mountinfo(result.facts["mounts"]) if mount.target == path][-1]


def stats(result: Result) -> dict[str, dict[str, Any]]:
    """The answers of several ``stat`` commands, by path."""
    return {fact["path"]: fact for fact in result.every("stat")}


@BOTH_STORES
@pytest.mark.spec("LNX-001", "LNX-002", "LNX-010", "LNX-012", "LNX-013")
def test_kernel_file_systems_are_there_in_an_image_without_directories_for_them(
    runs: PodRuns, flags: tuple[str, ...]
) -> None:
    result = runs("mounts", flags=flags)
    kinds = {path: mount_at(result, path).kind for path in ("/proc", "/sys", "/dev/pts", "/dev/shm")}
    assert kinds == {"/proc": "proc", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs"}


@BOTH_STORES
@USERS
@pytest.mark.spec("LNX-003", "LNX-004", "LNX-005", "LNX-006", "LNX-007", "LNX-008", "LNX-013", "LNX-017", "LNX-018")
def test_device_nodes_have_their_numbers_and_open_for_the_app_user(
    runs: PodRuns, flags: tuple[str, ...], user: str
) -> None:
    words: list[str] = []
    for name in NODES:
        words += ["stat", f"/dev/{name}", "+"]
    for name in ("null", "zero", "full", "random", "urandom"):
        words += ["open", f"/dev/{name}", "rw", "+"]
    result = runs(*words, "ids", flags=flags, app=[f"--user={user}", f"--group={user}"])
    assert result.facts["ids"]["uid"] == int(user)
    found = stats(result)
    for name, (major, minor) in NODES.items():
        node = found[f"/dev/{name}"]
        assert (node["type"], node["major"], node["minor"]) == ("character-device", major, minor), name
        assert node["mode"] & 0o666 == 0o666, name


@USERS
@pytest.mark.spec("LNX-003", "LNX-005")
def test_null_swallows_and_full_is_full(runs: PodRuns, user: str) -> None:
    result = runs(
        *("write", "/dev/null", "gone", "+", "cat", "/dev/null", "+", "try", "write", "/dev/full", "x"),
        app=[f"--user={user}"],
    )
    assert result.stdout.startswith('{"write"'), "reading /dev/null gave something"
    assert result.facts["write"]["errno"] == 28


@pytest.mark.spec("LNX-004", "LNX-007")
def test_zero_gives_zeros_and_urandom_does_not(runs: PodRuns) -> None:
    zeros = read_device(runs, "/dev/zero")
    assert zeros.strip(b"\0") == b"" and len(zeros) > 4096
    random = read_device(runs, "/dev/urandom")
    assert len(set(random)) > 200


def read_device(runs: PodRuns, path: str) -> bytes:
    """The first bytes that ``cat`` prints of a file without an end; the pod is stopped then."""
    with runs.rkt.start(*runs.argv("cat", path)) as process:
        assert process.stdout is not None
        data = process.stdout.read(65536)
        process.terminate()
        process.communicate()
    return data


@pytest.mark.spec("LNX-009", "LNX-011", "LNX-013")
def test_console_is_a_terminal_and_ptmx_belongs_to_the_pods_devpts(runs: PodRuns) -> None:
    words = ["stat", "/dev/console", "+", "stat", "/dev/ptmx", "+", "ls", "/dev/pts", "+", "open", "/dev/ptmx", "rw"]
    result = runs(*words, "+", "open", "/dev/console", "rw", "+", "mounts")
    found = stats(result)
    console, ptmx = found["/dev/console"], found["/dev/ptmx"]
    assert console["type"] == "character-device" and console["major"] == 136
    assert ptmx["type"] == "symlink" and ptmx["target"] in ("pts/ptmx", "/dev/pts/ptmx")
    assert mount_at(result, "/dev/console").kind == "devpts"
    assert set(result.facts["ls"]) == {"ptmx", "0"}, "terminals of the host are seen"


@pytest.mark.spec("LNX-008")
def test_tty_without_a_terminal_says_enxio_and_does_not_reach_the_callers(runs: PodRuns) -> None:
    assert runs("try", "open", "/dev/tty", "rw").facts["open"]["errno"] == 6


@pytest.mark.spec("LNX-013", "LNX-003", "LNX-012")
def test_files_of_the_image_below_dev_are_masked(runs: PodRuns, tmp_path: Path) -> None:
    path = write_image(
        tmp_path / "dev.aci",
        image_manifest(app_section("ls", "/dev", "+", "stat", "/dev/null")),
        directory("rootfs/dev"),
        entry("rootfs/dev/null", b"not a device"),
        entry("rootfs/dev/of-the-image", b""),
    )
    facts = runs.image(path).facts
    assert "of-the-image" not in facts["ls"]
    assert facts["stat"]["type"] == "character-device"


@BOTH_STORES
@pytest.mark.spec("LNX-016")
def test_hosts_file_of_the_image_is_left_alone(runs: PodRuns, tmp_path: Path, flags: tuple[str, ...]) -> None:
    path = write_image(
        tmp_path / "hosts.aci",
        image_manifest(app_section("cat", "/etc/hosts")),
        directory("rootfs/etc"),
        entry("rootfs/etc/hosts", b"192.0.2.7 chosen-by-the-image\n"),
    )
    assert runs.image(path, flags=flags).stdout == "192.0.2.7 chosen-by-the-image\n"


@pytest.mark.spec("LNX-016")
def test_hosts_file_of_a_volume_is_left_alone(runs: PodRuns, tmp_path: Path) -> None:
    source = tmp_path / "etc"
    source.mkdir()
    (source / "hosts").write_text("192.0.2.8 chosen-by-the-volume\n")
    flags = [f"--volume=etc,kind=host,source={source}", "--mount=volume=etc,target=/etc"]
    assert runs("cat", "/etc/hosts", flags=flags).stdout == "192.0.2.8 chosen-by-the-volume\n"
    assert (source / "hosts").read_text() == "192.0.2.8 chosen-by-the-volume\n"


def test_sys_is_read_only_and_mtab_lists_the_pods_mounts(runs: PodRuns) -> None:
    result = runs("mounts", "+", "stat", "/etc/mtab", image="probe")
    assert "ro" in mount_at(result, "/sys").options
    assert stats(result)["/etc/mtab"]["target"] == "../proc/self/mounts"


def test_no_mount_of_the_host_shows_and_none_propagates(runs: PodRuns) -> None:
    mounts = parse_mountinfo(runs("mounts").facts["mounts"])
    assert not [mount for mount in mounts if any(word.startswith("shared") for word in mount.propagation)]
    foreign = [mount.target for mount in mounts if not re.match(r"/$|/(proc|sys|dev)(/|$)|/etc/hosts$", mount.target)]
    assert not foreign
