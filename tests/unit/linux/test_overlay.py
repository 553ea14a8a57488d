"""Whether an overlay is possible, and the reason if not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.linux import syscalls
from rkt.linux.mounts import MountError, plan_overlay
from rkt.linux.overlay import find_obstacle


@pytest.mark.needs("overlay")
def test_plain_directory_is_no_obstacle(tmp_path: Path) -> None:
    assert find_obstacle(str(tmp_path)) is None


@pytest.mark.root
@pytest.mark.needs("overlay")
def test_overlay_on_an_overlay_is_refused_as_the_kernel_refuses_it(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "target"):
        (tmp_path / name).mkdir()

    def body() -> tuple[str | None, bool]:
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs", 0)
        for name in ("lower", "upper", "work", "target"):
            os.mkdir(tmp_path / name)
        paths = {name: f"{tmp_path}/{name}" for name in ("lower", "upper", "work")}
        plan_overlay(f"{tmp_path}/target", **paths).apply()
        below = {name: f"{tmp_path}/target/{name}" for name in ("lower", "upper", "work")}
        for path in below.values():
            os.mkdir(path)
        try:
            plan_overlay(f"{tmp_path}/target", **below).apply()
            refused = False
        except MountError:
            refused = True
        return find_obstacle(f"{tmp_path}/target"), refused

    obstacle, refused = run_in_child(body, unshare=syscalls.CLONE_NEWNS)
    assert obstacle == f'the file system of "{tmp_path}/target" is overlay'
    assert refused


@pytest.mark.root
@pytest.mark.needs("overlay")
def test_tmpfs_is_no_obstacle(tmp_path: Path) -> None:
    def body() -> str | None:
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs", 0)
        return find_obstacle(str(tmp_path))

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) is None


@pytest.mark.root
def test_kernel_without_overlayfs_is_named(tmp_path: Path) -> None:
    """/proc/filesystems of a kernel that has none, and no module to load."""
    filesystems = tmp_path / "filesystems"
    filesystems.write_text("nodev\ttmpfs\n\text4\n")

    def body() -> str | None:
        syscalls.mount(str(filesystems), "/proc/filesystems", None, syscalls.MS_BIND)
        os.environ["PATH"] = "/nonexistent"
        return find_obstacle(str(tmp_path))

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) == "the kernel does not support overlayfs"
