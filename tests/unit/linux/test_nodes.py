"""Directories, files, links and device nodes as steps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.linux.mounts import MountError, Step
from rkt.linux.nodes import (
    EnsureDirectoryInRoot,
    MakeCharacterDevice,
    MakeDirectory,
    MakeFile,
    MakeSymlink,
    SymlinkInRoot,
)


def apply(step: Step, *, umask: int = 0o077) -> None:
    """Apply in a child whose umask takes everything that it can."""

    def body() -> None:
        os.umask(umask)
        step.apply()

    run_in_child(body)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (MakeDirectory("/d"), "mkdir /d (0755)"),
        (MakeDirectory("/d", mode=0o1777), "mkdir /d (1777)"),
        (MakeFile("/f", mode=0), "create /f (0000, 0 bytes)"),
        (MakeCharacterDevice("/dev/null", 1, 3), "mknod /dev/null c 1:3"),
        (MakeSymlink("/l", "target"), "symlink /l -> target"),
        (EnsureDirectoryInRoot("/r", "/tmp", mode=0o1777), "ensure /tmp in /r (1777)"),
        (SymlinkInRoot("/r", "/etc/mtab", "x"), "symlink /etc/mtab -> x in /r unless it exists"),
    ],
)
def test_steps_describe_themselves(step: Step, text: str) -> None:
    assert step.describe() == text


@pytest.mark.parametrize("mode", [0o755, 0o1777, 0o700, 0])
def test_directory_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    apply(MakeDirectory(f"{tmp_path}/d", mode=mode))
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == mode


def test_existing_directory_is_kept(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o700)
    apply(MakeDirectory(f"{tmp_path}/d"))
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o620, 0])
def test_file_is_empty_and_has_its_mode(tmp_path: Path, mode: int) -> None:
    apply(MakeFile(f"{tmp_path}/f", mode=mode))
    status = (tmp_path / "f").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_size) == (mode, 0)


def test_file_is_not_made_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "f").symlink_to("victim")
    with pytest.raises(MountError, match="too many levels of symbolic links"):
        apply(MakeFile(f"{tmp_path}/f", mode=0))
    assert stat.S_IMODE((tmp_path / "victim").stat().st_mode) != 0


@pytest.mark.root
def test_device_is_what_was_asked_for_and_open_to_everyone(tmp_path: Path) -> None:
    apply(MakeCharacterDevice(f"{tmp_path}/null", 1, 3))
    status = (tmp_path / "null").stat()
    assert status.st_mode == stat.S_IFCHR | 0o666
    assert status.st_rdev == os.makedev(1, 3)


def test_symlink_holds_its_text(tmp_path: Path) -> None:
    apply(MakeSymlink(f"{tmp_path}/l", "/proc/self/fd"))
    assert os.readlink(tmp_path / "l") == "/proc/self/fd"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (MakeDirectory("{place}/missing/d"), 'cannot create the directory "{place}/missing/d": '),
        (MakeFile("{place}/missing/f"), 'cannot create the file "{place}/missing/f": '),
        (MakeCharacterDevice("{place}/missing/c", 1, 3), 'cannot create the device node "{place}/missing/c": '),
        (MakeSymlink("{place}/missing/l", "x"), 'cannot create the symlink "{place}/missing/l": '),
    ],
)
def test_failures_name_the_path_and_the_reason(tmp_path: Path, step: Step, message: str) -> None:
    step.path = step.path.replace("{place}", str(tmp_path))  # type: ignore[attr-defined]
    with pytest.raises(MountError) as caught:
        apply(step)
    assert caught.value.message.startswith(message.replace("{place}", str(tmp_path)))


def test_missing_directory_of_an_app_is_made_with_its_mode(tmp_path: Path) -> None:
    apply(EnsureDirectoryInRoot(str(tmp_path), "/tmp", mode=0o1777), umask=0o022)
    assert stat.S_IMODE((tmp_path / "tmp").stat().st_mode) == 0o1777


def test_directory_of_the_image_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir(mode=0o700)
    apply(EnsureDirectoryInRoot(str(tmp_path), "/tmp", mode=0o1777))
    assert stat.S_IMODE((tmp_path / "tmp").stat().st_mode) == 0o700


def test_dangling_link_in_place_of_a_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir(mode=0o700)
    (tmp_path / "root/tmp").symlink_to("../outside")
    apply(EnsureDirectoryInRoot(f"{tmp_path}/root", "/tmp", mode=0o1777))
    assert (tmp_path / "root/tmp").readlink() == Path("../outside")
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o700


def test_symlink_of_an_app_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/mtab").write_text("image's")
    apply(SymlinkInRoot(str(tmp_path), "/etc/mtab", "x"))
    assert (tmp_path / "etc/mtab").read_text() == "image's"
