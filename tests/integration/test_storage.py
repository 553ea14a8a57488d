"""Where the data lies: odd names, read-only, full; overlay or copy; and features that the machine lacks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness.archives import entry
from harness.images import app_section, image_manifest, write_image
from harness.private_machine import in_private_machine, mount, run_command
from harness.rkt_command import Result, RktCommand
from harness.stocked_store import PodRuns, StockedStore
from harness.trees import snapshot

LOOK = ["stat", "/", "+", "stat", "/bin/probe", "+", "ls", "/", "+", "env", "+", "ids", "+", "caps", "+", "cwd"]
NAMES = ["with space", "comma,and:colon", "back\\slash", "grüße-日本", "quote'\"$HOME", "x" * 180, "new\nline", "%s{}"]


@pytest.mark.parametrize(
    "name", NAMES, ids=["space", "comma", "backslash", "unicode", "quote", "long", "newline", "format"]
)
@pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
def test_data_directory_may_have_any_name(
    tmp_path: Path, leak_check: None, stocked_store: StockedStore, name: str, store: tuple[str, ...]
) -> None:
    command = RktCommand(tmp_path / name)
    stocked_store.copy_to(command.data)
    runs = PodRuns(command, stocked_store.ids)
    flags = [*store, "--volume=v,kind=empty", "--mount=volume=v,target=/v"]
    assert runs("write", "/v/x", "y", "+", "cat", "/v/x", "+", "write", "/x", "y", flags=flags).stdout == "y"
    command("gc", "--grace-period=0s").checked()
    assert not list((command.data / "pods" / "run").iterdir())


def test_data_directory_may_be_a_symlink(tmp_path: Path, leak_check: None, stocked_store: StockedStore) -> None:
    (tmp_path / "real").mkdir()
    stocked_store.copy_to(tmp_path / "real" / "data")
    command = RktCommand(tmp_path / "link-is-here")
    command.data.symlink_to(tmp_path / "real" / "data")
    assert PodRuns(command, stocked_store.ids)("print-out", "well").stdout == "well\n"


@pytest.mark.needs("overlay")
def test_overlay_and_copy_give_the_app_the_same(runs: PodRuns) -> None:
    overlay, copy = runs(*LOOK), runs(*LOOK, flags=["--no-overlay"])
    assert sorted(overlay.facts["ls"]) == sorted(copy.facts["ls"])
    for name in ("env", "ids", "caps", "cwd"):
        assert overlay.facts[name] == copy.facts[name], name
    for one, other in zip(overlay.every("stat"), copy.every("stat"), strict=True):
        for key in ("type", "mode", "uid", "gid"):
            assert one[key] == other[key], key
        assert one["path"] == "/" or one["mtime"] == other["mtime"]


def test_machine_without_overlay_copies_and_says_so(runs: PodRuns, tmp_path: Path) -> None:
    """/proc/filesystems without overlay, and a modprobe that finds nothing."""
    shown = tmp_path / "filesystems"
    shown.write_text(Path("/proc/filesystems").read_text().replace("\toverlay\n", "\tother\n"))

    def run() -> Result:
        mount("--bind", shown, "/proc/filesystems")
        os.environ["PATH"] = "/nonexistent"
        return run_command(runs.rkt.argv(*runs.argv("mounts")))

    result = in_private_machine(run).checked()
    assert not [line for line in result.facts["mounts"] if " / / " in line and "overlay" in line]
    assert "the kernel does not support overlayfs" in result.stderr


def test_machine_without_libseccomp_is_told_what_is_missing(runs: PodRuns, tmp_path: Path) -> None:
    for cached in (runs.rkt.data / "seccomp").iterdir():
        cached.unlink()
    libraries = [
        line.split()[-1]
        for line in subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout.splitlines()
        if "libseccomp.so.2 " in line
    ]

    def run(*flags: str) -> Result:
        for library in libraries:
            mount("--bind", "/dev/null", os.path.realpath(library))
        return run_command(runs.rkt.argv(*flags, *runs.argv("print-out", "ran")))

    refused = in_private_machine(run).checked(254)
    assert "libseccomp" in refused.stderr and "hint:" in refused.stderr and refused.stdout == ""
    allowed = in_private_machine(lambda: run("--insecure-options=seccomp")).checked()
    assert allowed.stdout == "ran\n"


def test_read_only_store_is_named_and_read_by_the_verbs_that_only_read(runs: PodRuns, fixture_images: Path) -> None:
    def run() -> list[Result]:
        mount("--bind", runs.rkt.data, runs.rkt.data)
        mount("-o", "remount,bind,ro", runs.rkt.data)
        words = [
            *(["image", "list"], ["image", "cat-manifest", runs.ids["hello"]], ["list"]),
            *(runs.argv("print-out", "ran"), ["fetch", str(fixture_images / "tree-base.aci")], ["gc"]),
        ]
        return [run_command(runs.rkt.argv(*some, "--insecure-options=image")) for some in words[:3]] + [
            run_command(runs.rkt.argv("--insecure-options=image", *some)) for some in words[3:]
        ]

    before = snapshot(runs.rkt.data)
    listed, manifest, pods, ran, fetched, collected = in_private_machine(run)
    for reading in (listed, manifest, pods):
        reading.checked()
    for writing in (ran, fetched):
        writing.checked(254)
        assert "read-only file system" in writing.stderr and "Traceback" not in writing.stderr
    assert "Traceback" not in collected.stderr
    assert snapshot(runs.rkt.data) == before


@pytest.mark.parametrize("verb", ["fetch", "run", "prepare"])
def test_full_disk_is_named_and_loses_nothing(
    tmp_path: Path, leak_check: None, stocked_store: StockedStore, verb: str
) -> None:
    """A file system of 12 MB takes the stocked store and not an image of 20 MB; then it is freed and all works."""
    big = write_image(tmp_path / "big.aci", image_manifest(app_section("print-out", "big")), *_ballast(20))
    command = RktCommand(tmp_path / "machine")

    def run() -> list[Result]:
        command.data.mkdir()
        mount("-t", "tmpfs", "-o", "size=12m", "small", command.data)
        subprocess.run(["cp", "-a", f"{stocked_store.data}/.", command.data], check=True)
        net = ["--net=none"] if verb == "run" else []
        failed = run_command(command.argv("--insecure-options=image", verb, *net, str(big)))
        left = run_command(["find", str(command.data / "cas" / "tmp"), str(command.data / "tmp"), "-type", "f"])
        run_command(command.argv("gc", "--grace-period=0s"))
        runs = PodRuns(command, stocked_store.ids)
        after = run_command(command.argv(*runs.argv("print-out", "well")))
        listed = run_command(command.argv("image", "list", "--no-legend", "--fields=name"))
        return [failed, left, after, listed]

    failed, left, after, listed = in_private_machine(run)
    failed.checked(254)
    assert "no space left on device" in failed.stderr and "Traceback" not in failed.stderr
    assert left.stdout == ""
    assert after.checked().stdout == "well\n"
    assert len(listed.checked().stdout.splitlines()) == len(stocked_store.ids)


@pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
def test_disk_that_fills_while_rendering_or_preparing_is_named(
    tmp_path: Path, leak_check: None, stocked_store: StockedStore, store: tuple[str, ...]
) -> None:
    image = write_image(tmp_path / "six.aci", image_manifest(app_section("print-out", "ran")), *_ballast(6))
    command = RktCommand(tmp_path / "machine")

    def run() -> list[Result]:
        command.data.mkdir()
        mount("-t", "tmpfs", "-o", "size=12m", "small", command.data)
        subprocess.run(["cp", "-a", f"{stocked_store.data}/.", command.data], check=True)
        failed = run_command(command.argv("--insecure-options=image", "run", "--net=none", *store, str(image)))
        run_command(command.argv("gc", "--grace-period=0s"))
        mount("-o", "remount,size=40m", command.data)
        again = run_command(command.argv("--insecure-options=image", "run", "--net=none", *store, str(image)))
        return [failed, again]

    failed, again = in_private_machine(run)
    failed.checked(254)
    assert "no space left on device" in failed.stderr and "Traceback" not in failed.stderr
    assert again.checked().stdout == "ran\n", "the next command repairs what the full disk left"


def _ballast(megabytes: int) -> list[bytes]:
    return [entry("rootfs/ballast", os.urandom(megabytes << 20))]
