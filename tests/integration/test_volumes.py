"""Volumes: what is mounted where, who sees it, what is made for it, and what is refused (appc ACE-009 to ACE-031)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.archives import directory, entry
from harness.images import app_section, image_manifest, write_image
from harness.mountinfo import MountLine, parse_mountinfo
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

BOTH_STORES = pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
EROFS, ENOENT = 30, 2


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A host directory with a file in it."""
    path = tmp_path / "source"
    path.mkdir()
    (path / "on-the-host").write_text("from the host\n")
    return path


def mount_at(result: Result, path: str) -> MountLine:
    return [mount for mount in parse_mountinfo(result.facts["mounts"]) if mount.target == path][-1]


def host_volume(source: Path, *options: str, target: str = "/mnt") -> list[str]:
    return [",".join([f"--volume=v,kind=host,source={source}", *options]), f"--mount=volume=v,target={target}"]


@BOTH_STORES
@pytest.mark.spec("ACE-009", "ACE-030")
def test_host_volume_shows_the_source_and_writes_reach_it(runs: PodRuns, source: Path, store: tuple[str, ...]) -> None:
    words = ["cat", "/mnt/on-the-host", "+", "write", "/mnt/from-the-pod", "written", "+", "mounts"]
    result = runs(*words, flags=[*store, *host_volume(source)])
    assert result.stdout.startswith("from the host\n")
    assert (source / "from-the-pod").read_text() == "written"
    assert "rw" in mount_at(result, "/mnt").options


@BOTH_STORES
@pytest.mark.spec("ACE-011")
def test_read_only_volume_refuses_writes(runs: PodRuns, source: Path, store: tuple[str, ...]) -> None:
    flags = [*store, *host_volume(source, "readOnly=true")]
    result = runs("try", "write", "/mnt/x", "x", "+", "mounts", flags=flags)
    assert result.facts["write"]["errno"] == EROFS
    assert "ro" in mount_at(result, "/mnt").options
    assert sorted(path.name for path in source.iterdir()) == ["on-the-host"]


@pytest.mark.spec("ACE-011")
def test_read_only_mount_point_of_the_image_refuses_writes_to_a_writable_volume(runs: PodRuns, source: Path) -> None:
    flags = [f"--volume=config,kind=host,source={source}", f"--volume=database,kind=host,source={source}"]
    words = ["try", "write", "/config/x", "x", "+", "try", "write", "/db/x", "x"]
    assert [fact["errno"] for fact in runs(*words, image="probe", flags=flags).every("write")] == [EROFS, 0]


@pytest.mark.spec("ACE-010", "ACE-028", "ACE-009")
def test_apps_share_an_empty_volume(runs: PodRuns) -> None:
    flags = ["--volume=database,kind=empty", "--net=none"]
    result = runs.rkt("run", *flags, runs.ids["writer"], runs.ids["reader"]).checked()
    assert "a greeting from the writer" in result.stdout


@pytest.mark.parametrize(
    ("options", "mode", "owner"), [("", 0o755, (0, 0)), (",mode=1770,uid=1000,gid=50", 0o1770, (1000, 50))]
)
@pytest.mark.spec("ACE-028")
def test_empty_volume_begins_empty_with_its_mode_and_owner(
    runs: PodRuns, options: str, mode: int, owner: tuple[int, int]
) -> None:
    flags = [f"--volume=v,kind=empty{options}", "--mount=volume=v,target=/mnt"]
    facts = runs("stat", "/mnt", "+", "ls", "/mnt", flags=flags).facts
    assert facts["ls"] == []
    assert (facts["stat"]["mode"], (facts["stat"]["uid"], facts["stat"]["gid"])) == (mode, owner)


@pytest.mark.spec("ACE-029")
def test_empty_volume_goes_with_the_pod(runs: PodRuns) -> None:
    runs("write", "/mnt/x", "kept", flags=["--volume=v,kind=empty", "--mount=volume=v,target=/mnt"])
    (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
    assert (pod / "sharedVolumes" / "v" / "x").read_text() == "kept"
    runs.rkt("gc", "--grace-period=0s").checked()
    assert not list(runs.rkt.data.rglob("sharedVolumes"))


@BOTH_STORES
@pytest.mark.spec("ACE-012", "ACE-017", "ACE-018")
def test_missing_target_is_made_with_its_parents_owned_by_root_as_0755(
    runs: PodRuns, source: Path, store: tuple[str, ...]
) -> None:
    source.chmod(0o700)
    words = ["stat", "/deep", "+", "stat", "/deep/er", "+", "ls", "/deep/er/still"]
    result = runs(*words, flags=[*store, *host_volume(source, target="/deep/er/still")])
    for made in result.every("stat"):
        assert (made["type"], made["mode"], made["uid"], made["gid"]) == ("directory", 0o755, 0, 0)
    assert result.facts["ls"] == ["on-the-host"]


@BOTH_STORES
@pytest.mark.spec("ACE-013")
def test_files_below_the_target_are_masked(runs: PodRuns, source: Path, tmp_path: Path, store: tuple[str, ...]) -> None:
    path = write_image(
        tmp_path / "full.aci",
        image_manifest(app_section("ls", "/full", "+", "try", "cat", "/full/of-the-image")),
        directory("rootfs/full"),
        entry("rootfs/full/of-the-image", b"x"),
    )
    facts = runs.image(path, flags=[*store, *host_volume(source, target="/full")]).facts
    assert facts["ls"] == ["on-the-host"] and facts["cat"]["errno"] == ENOENT


@pytest.mark.spec("ACE-020", "ACE-021")
def test_missing_source_is_an_error_and_is_not_made(runs: PodRuns, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    result = runs("print-out", "ran", flags=host_volume(missing), status=254)
    assert f'volume "v": source "{missing}" does not exist' in result.stderr
    assert result.stdout == "" and not missing.exists()


@pytest.mark.spec("ACE-023")
def test_single_file_is_a_volume(runs: PodRuns, source: Path) -> None:
    assert runs("cat", "/mnt", flags=host_volume(source / "on-the-host")).stdout == "from the host\n"


@pytest.mark.parametrize("spelling", ["link", "link/", "directory-link/inner"])
@pytest.mark.spec("ACE-024", "ACE-025", "ACE-026")
def test_symlink_anywhere_in_the_source_is_an_error(runs: PodRuns, tmp_path: Path, spelling: str) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "directory-link").symlink_to("real")
    flags = [f"--volume=v,kind=host,source={tmp_path}/{spelling}", "--mount=volume=v,target=/mnt"]
    result = runs("print-out", "ran", flags=flags, status=254)
    assert "symlink" in result.stderr or "symbolic link" in result.stderr, result.stderr
    assert result.stdout == ""


@pytest.fixture
def nested(source: Path) -> Iterator[Path]:
    """The source with another file system mounted below it."""
    below = source / "below"
    below.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "nested", below], check=True)
    (below / "deep").write_text("seen")
    yield source
    subprocess.run(["umount", below], check=True)


@pytest.mark.parametrize(("option", "seen"), [((), True), (("recursive=true",), True), (("recursive=false",), False)])
@pytest.mark.needs("mount")
@pytest.mark.spec("ACE-031")
def test_mounts_below_the_source_are_seen_unless_recursive_is_false(
    runs: PodRuns, nested: Path, option: tuple[str, ...], seen: bool
) -> None:
    facts = runs("ls", "/mnt/below", flags=host_volume(nested, *option)).facts
    assert facts["ls"] == (["deep"] if seen else [])


@pytest.mark.needs("mount")
@pytest.mark.spec("ACE-011")
def test_read_only_holds_for_mounts_below_the_source_too(runs: PodRuns, nested: Path) -> None:
    flags = host_volume(nested, "readOnly=true")
    assert runs("try", "write", "/mnt/below/x", "x", flags=flags).facts["write"]["errno"] == EROFS


@pytest.mark.parametrize("targets", [("/a", "/a/b"), ("/a/b", "/a")])
@pytest.mark.spec("ACE-016")
def test_nested_targets_are_an_error(runs: PodRuns, source: Path, targets: tuple[str, str]) -> None:
    flags = [f"--volume=v,kind=host,source={source}", *(f"--mount=volume=v,target={path}" for path in targets)]
    result = runs("print-out", "ran", flags=flags, status=254)
    assert 'mounts of app "hello" overlap: "/a" and "/a/b"' in result.stderr


def test_mount_point_without_volume_gets_an_empty_one_with_a_warning(runs: PodRuns) -> None:
    result = runs("ls", "/db", image="probe")
    assert result.facts["ls"] == []
    assert 'app "probe": no volume for mount point "database": an empty one is made' in result.stderr


def test_device_node_on_a_volume_does_not_open(runs: PodRuns, source: Path) -> None:
    os.mknod(source / "null", 0o020666, os.makedev(1, 3))
    assert runs("try", "open", "/mnt/null", flags=host_volume(source)).facts["open"]["errno"] == 13


@pytest.mark.spec("ACE-009", "ACE-011")
def test_volume_on_a_read_only_rootfs_stays_writable(runs: PodRuns, source: Path) -> None:
    words = ["write", "/mnt/x", "y", "+", "try", "write", "/x", "y"]
    facts: dict[str, Any] = runs(*words, flags=host_volume(source), app=["--readonly-rootfs"]).facts
    assert (source / "x").read_text() == "y" and facts["write"]["errno"] == EROFS
