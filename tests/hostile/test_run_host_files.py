"""Images and volumes that point out of the pod: symlinks for our directories, odd mount points (C6, C7, C16)."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.archives import directory, entry, symlink
from harness.images import app_section, image_manifest, write_image
from harness.mountinfo import parse_mountinfo
from harness.stocked_store import PodRuns

pytestmark = pytest.mark.root
BOTH_STORES = pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])


def targets(canary: Path) -> dict[str, str]:
    return {
        "canary": str(canary),
        "climbing": "../../../../../../../../../../.." + str(canary),
        "root": "/",
        "up": "..",
        "magic": "/proc/self/root",
        "dangling": "/nowhere/at/all",
    }


@BOTH_STORES
@pytest.mark.parametrize("target", ["canary", "climbing", "root", "up", "magic", "dangling"])
@pytest.mark.parametrize("names", [("proc", "sys", "dev"), ("etc", "tmp")], ids="-".join)
def test_symlinks_for_our_directories_lead_nowhere_on_the_host(
    runs: PodRuns, tmp_path: Path, canary: Path, names: tuple[str, ...], target: str, store: tuple[str, ...]
) -> None:
    look = ["try", "ls", str(canary / "deep"), "+", "try", "write", f"{canary}/deep/file", "changed"]
    path = write_image(
        tmp_path / "links.aci",
        image_manifest(app_section(*look, "+", "try", "write", "/etc/x", "x", "+", "try", "write", "/tmp/x", "x")),
        *(symlink(f"rootfs/{name}", targets(canary)[target]) for name in names),
    )
    result = runs.rkt("run", "--net=none", "--insecure-options=image", *store, str(path))
    assert result.status in (0, 254), result.stderr
    assert "Traceback" not in result.stderr
    if result.status == 0:
        assert all(fact["errno"] for fact in result.every("ls") if isinstance(fact, dict)), "the canary is seen"


@BOTH_STORES
@pytest.mark.parametrize("name", ["null", "pts", "shm", "console", "ptmx", "mqueue"])
def test_symlinks_below_dev_are_masked_and_not_followed(
    runs: PodRuns, tmp_path: Path, canary: Path, name: str, store: tuple[str, ...]
) -> None:
    path = write_image(
        tmp_path / "dev.aci",
        image_manifest(app_section("stat", f"/dev/{name}", "+", "try", "write", "/dev/null", "x", "+", "mounts")),
        *(directory("rootfs/dev"), symlink(f"rootfs/dev/{name}", str(canary / "etc" / "file"))),
    )
    result = runs.image(path, flags=store)
    assert result.facts["stat"].get("target") != str(canary / "etc" / "file")
    kinds = {mount.target: mount.kind for mount in parse_mountinfo(result.facts["mounts"])}
    assert kinds["/dev"] == "tmpfs" and kinds["/dev/pts"] == "devpts" and kinds["/dev/shm"] == "tmpfs"


@BOTH_STORES
@pytest.mark.parametrize("target", ["canary", "climbing", "root", "magic"])
def test_volume_target_that_is_a_symlink_stays_in_the_pod(
    runs: PodRuns, tmp_path: Path, canary: Path, target: str, store: tuple[str, ...]
) -> None:
    path = write_image(
        tmp_path / "v.aci",
        image_manifest(app_section("try", "write", "/data/planted", "x")),
        *(symlink("rootfs/data", targets(canary)[target]), directory("rootfs/a"), symlink("rootfs/a/b", "/data")),
    )
    for mounted in ("/data", "/data/deep", "/a/b/deep"):
        flags = ["--volume=v,kind=empty", f"--mount=volume=v,target={mounted}", *store]
        result = runs.rkt("run", "--net=none", "--insecure-options=image", *flags, str(path))
        assert result.status in (0, 254) and "Traceback" not in result.stderr
    assert not Path("/planted").exists()


@pytest.mark.parametrize(
    "place",
    ["/", "/..", "/../../canary", "/proc", "/proc/1/root/x", "/proc/self/fd/3", "/sys", "/dev", "/dev/pts", "", "."],
)
def test_mount_point_of_the_image_in_a_place_of_ours_reaches_nothing(
    runs: PodRuns, tmp_path: Path, canary: Path, place: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    section = app_section(
        "print-out", "ran", "+", "try", "cat", "/proc/1/environ", mountPoints=[{"name": "v", "path": place}]
    )
    path = write_image(tmp_path / "mp.aci", image_manifest(section))
    flags = ["--net=none", "--insecure-options=image", f"--volume=v,kind=host,source={source}"]
    result = runs.rkt("run", *flags, str(path))
    assert result.status in (0, 1, 254) and "Traceback" not in result.stderr, result.stderr
    assert not list(source.iterdir()), "something was made in the volume of the host"


@BOTH_STORES
def test_mtab_of_the_image_is_not_followed(runs: PodRuns, tmp_path: Path, canary: Path, store: tuple[str, ...]) -> None:
    path = write_image(
        tmp_path / "mtab.aci",
        image_manifest(app_section("print-out", "ran")),
        *(directory("rootfs/etc"), symlink("rootfs/etc/mtab", str(canary / "etc" / "file"))),
    )
    assert runs.image(path, flags=store).stdout == "ran\n"


def test_nosy_files_of_the_image_never_run_on_the_host(runs: PodRuns, tmp_path: Path, canary: Path) -> None:
    """C3, C5: programs and modules that a careless runtime would pick up from the image."""
    trap = f"#!/bin/sh\necho trapped > {canary}/etc/trapped\n".encode()
    python = f"open('{canary}/etc/trapped', 'w').write('x')\n".encode()
    names = ["sh", "tar", "mount", "modprobe", "nsenter", "python3", "ldconfig", "gzip", "setsid"]
    path = write_image(
        tmp_path / "trap.aci",
        image_manifest(app_section("print-out", "ran")),
        *(entry(f"rootfs/bin/{name}", trap, mode=0o755) for name in names),
        *(directory("rootfs/usr"), directory("rootfs/usr/bin")),
        *(entry(f"rootfs/usr/bin/{name}", trap, mode=0o755) for name in names),
        *(entry(f"rootfs/{name}.py", python) for name in ("json", "os", "signal", "sitecustomize", "encodings")),
        *(
            directory("rootfs/etc"),
            entry("rootfs/etc/ld.so.preload", b"/evil.so\n"),
            entry("rootfs/evil.so", b"\x7fELF"),
        ),
    )
    for store in ((), ("--no-overlay",)):
        assert runs.image(path, flags=store).stdout == "ran\n"
