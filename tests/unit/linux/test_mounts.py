"""Steps of a plan: what they say, and what they do to the mount table of a private namespace."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from harness.forked_child import run_in_child
from harness.mountinfo import MountLine, load_mounts, parse_mountinfo

from rkt.linux import syscalls
from rkt.linux.mounts import (
    Attributes,
    Bind,
    BindInRoot,
    Mount,
    MountError,
    MountInRoot,
    Step,
    describe_flags,
    escape_overlay_path,
    plan_overlay,
    symlink_in_root,
)

Result = TypeVar("Result")

READ_ONLY = syscalls.MOUNT_ATTR_RDONLY
NODEV = syscalls.MOUNT_ATTR_NODEV


def in_namespace(body: Callable[[], Result]) -> Result:
    """The result of ``body`` in a private mount namespace."""

    def with_plain_umask() -> Result:
        os.umask(0o022)
        return body()

    return run_in_child(with_plain_umask, unshare=syscalls.CLONE_NEWNS)


def lines_on(path: Path | str) -> list[MountLine]:
    return [line for line in load_mounts() if line.target == str(path)]


def error_of(step: Step) -> MountError:
    """The error with which ``step`` fails in a private mount namespace."""
    with pytest.raises(MountError) as caught:
        in_namespace(step.apply)
    return caught.value


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "root"
    directory.mkdir()
    return directory


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    directory.mkdir()
    (directory / "file").write_text("content")
    return directory


# --- what steps say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "defaults"),
        (syscalls.MS_RDONLY, "ro"),
        (syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC, "nosuid,nodev,noexec"),
        (syscalls.MS_BIND | syscalls.MS_REC, "bind,rec"),
    ],
)
def test_flags_have_names(flags: int, text: str) -> None:
    assert describe_flags(flags) == text


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Mount("tmpfs", "/t", flags=syscalls.MS_NODEV, data="size=1k"), "mount tmpfs on /t (nodev,size=1k)"),
        (Mount("proc", "/p"), "mount proc on /p (defaults)"),
        (Bind("/a", "/b"), "bind /a on /b"),
        (Bind("/a", "/b", attributes=READ_ONLY), "bind /a on /b (attributes 0x1)"),
        (BindInRoot("/a", root="/r", path="/p"), "bind /a on /p in /r (attributes 0x0)"),
        (
            BindInRoot("/a", root="/r", path="/p", recursive=True, attributes=READ_ONLY | NODEV),
            "bind recursively /a on /p in /r (attributes 0x5)",
        ),
        (MountInRoot("tmpfs", root="/r", path="/p"), "mount tmpfs on /p in /r (defaults)"),
        (Attributes("/a", READ_ONLY), "set attributes 0x1 on /a"),
    ],
)
def test_steps_describe_themselves(step: Step, text: str) -> None:
    assert step.describe() == text


# --- mounts of the runtime's own -----------------------------------------------------------------------------------


@pytest.mark.root
def test_mount_mounts_a_file_system(root: Path) -> None:
    def body() -> list[MountLine]:
        Mount("tmpfs", str(root), flags=syscalls.MS_NOSUID, data="size=64k", source="named").apply()
        return lines_on(root)

    (line,) = in_namespace(body)
    assert (line.kind, line.source) == ("tmpfs", "named")
    assert "nosuid" in line.options


@pytest.mark.root
def test_mount_that_fails_says_what_where_and_why(root: Path) -> None:
    error = error_of(Mount("nosuchfs", str(root)))
    assert error.message.startswith(f'cannot mount nosuchfs on "{root}": ')
    assert "no such device" in error.message.lower()


@pytest.mark.root
def test_bind_with_attributes_leaves_the_source_writable(root: Path, source: Path) -> None:
    def body() -> tuple[bool, bool]:
        Bind(str(source), str(root), attributes=READ_ONLY).apply()
        return os.access(root / "file", os.W_OK), os.access(source / "file", os.W_OK)

    assert in_namespace(body) == (False, True)


@pytest.mark.root
def test_bind_of_a_missing_path_fails_unless_it_is_optional(root: Path) -> None:
    missing = f"{root}/missing"
    assert error_of(Bind(missing, str(root))).message.startswith(f'cannot bind "{missing}" on "{root}": ')
    in_namespace(Bind(missing, str(root), optional=True).apply)
    in_namespace(Bind(str(root), missing, optional=True).apply)


@pytest.mark.root
def test_optional_bind_hides_no_other_error(root: Path, source: Path) -> None:
    assert error_of(Bind(f"{source}/file", str(root), optional=True)).message.startswith("cannot bind ")


@pytest.mark.root
def test_attributes_change_a_mount_and_not_what_is_below(root: Path) -> None:
    def body() -> tuple[bool, bool]:
        Mount("tmpfs", str(root)).apply()
        (root / "sub").mkdir()
        Mount("tmpfs", f"{root}/sub").apply()
        Attributes(str(root), READ_ONLY).apply()
        return os.access(root, os.W_OK), os.access(root / "sub", os.W_OK)

    assert in_namespace(body) == (False, True)


@pytest.mark.root
def test_attributes_of_what_is_no_mount_are_an_error(root: Path) -> None:
    assert error_of(Attributes(str(root), READ_ONLY)).message.startswith(f'cannot change the mount "{root}": ')


# --- mounts inside an app's root -----------------------------------------------------------------------------------


@pytest.mark.root
@pytest.mark.spec("ACE-012", "ACE-017", "ACE-018")
def test_missing_target_is_created_for_root_0755(root: Path, source: Path) -> None:
    def body() -> tuple[list[str], list[tuple[int, int, int]]]:
        BindInRoot(str(source), root=str(root), path="/a/b/c").apply()
        status = [os.stat(root / path) for path in ("a", "a/b")]
        return os.listdir(root / "a/b/c"), [(each.st_mode, each.st_uid, each.st_gid) for each in status]

    assert in_namespace(body) == (["file"], [(0o40755, 0, 0)] * 2)
    target = os.stat(root / "a/b/c")
    assert (target.st_mode, target.st_uid, target.st_gid) == (0o40755, 0, 0)


@pytest.mark.root
@pytest.mark.spec("ACE-013", "ACE-030")
def test_bind_hides_what_the_target_holds_and_shows_the_source(root: Path, source: Path) -> None:
    (root / "data").mkdir()
    (root / "data/hidden").touch()

    def body() -> list[str]:
        BindInRoot(str(source), root=str(root), path="/data").apply()
        (root / "data/written").touch()
        return sorted(os.listdir(root / "data"))

    assert in_namespace(body) == ["file", "written"]
    assert sorted(os.listdir(source)) == ["file", "written"]
    assert os.listdir(root / "data") == ["hidden"]


@pytest.mark.root
@pytest.mark.spec("ACE-014")
def test_file_in_the_place_of_the_target_gives_way(root: Path, source: Path) -> None:
    (root / "data").write_text("in the way")

    def body() -> list[str]:
        BindInRoot(str(source), root=str(root), path="/data").apply()
        return os.listdir(root / "data")

    assert in_namespace(body) == ["file"]


@pytest.mark.root
@pytest.mark.spec("ACE-023")
def test_single_file_is_bound_on_a_file(root: Path, source: Path) -> None:
    def body() -> str:
        BindInRoot(f"{source}/file", root=str(root), path="/etc/file").apply()
        return (root / "etc/file").read_text()

    assert in_namespace(body) == "content"
    assert (root / "etc/file").read_bytes() == b""


@pytest.mark.root
def test_file_cannot_be_bound_on_a_directory(root: Path, source: Path) -> None:
    (root / "data").mkdir()
    error = error_of(BindInRoot(f"{source}/file", root=str(root), path="/data", what='volume "v"'))
    assert error.message == f'cannot mount "{source}/file" on "/data" for volume "v": file exists'


@pytest.mark.root
@pytest.mark.parametrize("target", ["/outside", "../outside", "../../outside", "/../outside"])
def test_symlink_of_the_image_leads_no_mount_outside(tmp_path: Path, root: Path, source: Path, target: str) -> None:
    (tmp_path / "outside").mkdir()
    (root / "outside").mkdir()
    (root / "data").symlink_to(target)

    def body() -> tuple[list[str], list[str]]:
        BindInRoot(str(source), root=str(root), path="/data").apply()
        return os.listdir(root / "outside"), os.listdir(tmp_path / "outside")

    assert in_namespace(body) == (["file"], [])


@pytest.mark.root
@pytest.mark.spec("ACE-011")
def test_read_only_bind_refuses_writes_all_the_way_down(root: Path, source: Path) -> None:
    (source / "sub").mkdir()

    def body() -> tuple[int, int, list[bool]]:
        Mount("tmpfs", f"{source}/sub").apply()
        step = BindInRoot(str(source), root=str(root), path="/data", recursive=True, attributes=READ_ONLY)
        step.apply()
        numbers = [write_error(root / "data" / name) for name in ("new", "sub/new")]
        lines = [line for line in load_mounts() if line.target.startswith(f"{root}/data")]
        return numbers[0], numbers[1], ["ro" in line.options for line in lines]

    assert in_namespace(body) == (errno.EROFS, errno.EROFS, [True, True])


@pytest.mark.root
@pytest.mark.spec("ACE-011")
def test_writable_bind_is_rw_in_the_mount_table(root: Path, source: Path) -> None:
    def body() -> list[bool]:
        BindInRoot(str(source), root=str(root), path="/data").apply()
        return ["rw" in line.options for line in lines_on(root / "data")]

    assert in_namespace(body) == [True]


def write_error(path: Path) -> int:
    try:
        path.touch()
    except OSError as error:
        return error.errno or -1
    return 0


@pytest.mark.root
@pytest.mark.spec("ACE-031")
@pytest.mark.parametrize(("recursive", "names"), [(True, ["inside"]), (False, [])])
def test_submounts_come_along_only_when_recursive(root: Path, source: Path, recursive: bool, names: list[str]) -> None:
    (source / "sub").mkdir()

    def body() -> list[str]:
        Mount("tmpfs", f"{source}/sub").apply()
        (source / "sub/inside").touch()
        BindInRoot(str(source), root=str(root), path="/data", recursive=recursive).apply()
        return os.listdir(root / "data/sub")

    assert in_namespace(body) == names


@pytest.mark.root
def test_bound_tree_is_private_even_when_the_source_is_shared(root: Path, source: Path) -> None:
    """What is mounted below the source later, or below the target, stays where it was made."""
    (source / "sub").mkdir()

    def body() -> tuple[list[str], int, int]:
        Bind(str(source), str(source)).apply()
        syscalls.mount(None, str(source), None, syscalls.MS_SHARED)
        BindInRoot(str(source), root=str(root), path="/data", recursive=True).apply()
        propagation = [word for line in lines_on(root / "data") for word in line.propagation]
        Mount("tmpfs", f"{source}/sub").apply()
        below_target = len(lines_on(root / "data/sub"))
        Mount("tmpfs", f"{root}/data/sub").apply()
        return propagation, below_target, len(lines_on(source / "sub"))

    assert in_namespace(body) == ([], 0, 1)


@pytest.mark.root
@pytest.mark.spec("ACE-020", "ACE-021")
def test_missing_host_source_is_an_error_and_is_not_created(root: Path, tmp_path: Path) -> None:
    missing = f"{tmp_path}/missing"
    step = BindInRoot(missing, root=str(root), path="/data", host_source=True, what='volume "v"')
    error = error_of(step)
    assert error.message == f'volume "v": source "{missing}" does not exist'
    assert error.hint == "create it first"
    assert not os.path.exists(missing)
    assert os.listdir(root) == []


@pytest.mark.root
@pytest.mark.spec("ACE-024", "ACE-025")
def test_host_source_that_is_a_symlink_is_an_error(root: Path, source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    step = BindInRoot(f"{tmp_path}/link", root=str(root), path="/data", host_source=True, what='volume "v"')
    error = error_of(step)
    assert error.message == f'volume "v": source "{tmp_path}/link" leads through a symbolic link'
    assert error.hint == f'use "{source}" instead'


@pytest.mark.root
@pytest.mark.spec("ACE-026")
def test_host_source_below_a_symlink_is_an_error(root: Path, source: Path, tmp_path: Path) -> None:
    (source / "sub").mkdir()
    (tmp_path / "link").symlink_to(source)
    step = BindInRoot(f"{tmp_path}/link/sub", root=str(root), path="/data", host_source=True, what='volume "v"')
    error = error_of(step)
    assert error.message == f'volume "v": source "{tmp_path}/link/sub" leads through a symbolic link'
    assert error.hint == f'use "{source}/sub" instead'


@pytest.mark.root
def test_source_below_a_file_is_explained(root: Path, source: Path) -> None:
    error = error_of(BindInRoot(f"{source}/file/x", root=str(root), path="/d", host_source=True, what='volume "v"'))
    assert error.message == f'volume "v": cannot open source "{source}/file/x": not a directory'


@pytest.mark.root
def test_mount_in_root_stays_in_the_root(tmp_path: Path, root: Path) -> None:
    (root / "run").symlink_to("../../..")

    def body() -> tuple[list[MountLine], int]:
        MountInRoot("tmpfs", root=str(root), path="/run/lock", flags=syscalls.MS_NODEV, data="size=64k").apply()
        return lines_on(root / "lock"), len([line for line in load_mounts() if line.target.startswith(str(tmp_path))])

    (line,), count = in_namespace(body)
    assert (line.kind, count) == ("tmpfs", 1)
    assert "nodev" in line.options


@pytest.mark.root
def test_mount_in_root_that_fails_says_why(root: Path) -> None:
    (root / "dangling").symlink_to("nowhere")
    error = error_of(MountInRoot("tmpfs", root=str(root), path="/dangling/x"))
    assert error.message.startswith('cannot mount tmpfs on "/dangling/x": ')


@pytest.mark.root
def test_nothing_of_a_step_reaches_the_namespace_of_its_maker(root: Path, source: Path) -> None:
    before = [str(line) for line in load_mounts()]
    in_namespace(lambda: BindInRoot(str(source), root=str(root), path="/data").apply())
    assert [str(line) for line in load_mounts()] == before


# --- overlay -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "escaped"),
    [("/plain", "/plain"), ("/a,b", "/a\\,b"), ("/a:b", "/a\\:b"), ("/a\\b", "/a\\\\b"), ("/a b", "/a b")],
)
def test_overlay_paths_are_escaped(path: str, escaped: str) -> None:
    assert escape_overlay_path(path) == escaped


def test_overlay_honours_no_device_node() -> None:
    step = plan_overlay("/target", lower="/lower", upper="/upper", work="/work")
    assert step.describe() == "mount overlay on /target (nodev,lowerdir=/lower,upperdir=/upper,workdir=/work)"


@pytest.mark.root
@pytest.mark.needs("overlay")
@pytest.mark.parametrize(
    "name", ["plain", "a b", "a,b", "a:b", "a\\b", "a\\,b:c d\\", ",", ":", "upperdir=x,lowerdir=y"]
)
def test_overlay_of_paths_with_separators(tmp_path: Path, name: str) -> None:
    """A data directory may be called anything (F31): the words of overlayfs' options are no part of it."""
    place = tmp_path / name
    for directory in ("lower", "upper", "work", "target"):
        (place / directory).mkdir(parents=True)
    (place / "lower/file").write_text("lower")

    def body() -> tuple[str, str]:
        paths = {key: f"{place}/{key}" for key in ("lower", "upper", "work")}
        plan_overlay(f"{place}/target", **paths).apply()
        (place / "target/new").write_text("upper")
        return (place / "target/file").read_text(), (place / "upper/new").read_text()

    assert in_namespace(body) == ("lower", "upper")
    assert sorted(os.listdir(place / "lower")) == ["file"]


# --- symlinks ------------------------------------------------------------------------------------------------------


def test_symlink_in_root_is_made_where_nothing_is(root: Path) -> None:
    (root / "etc").mkdir()
    symlink_in_root(str(root), "/etc/mtab", "../proc/self/mounts")
    assert os.readlink(root / "etc/mtab") == "../proc/self/mounts"
    symlink_in_root(str(root), "/etc/mtab", "another")
    assert os.readlink(root / "etc/mtab") == "../proc/self/mounts"


def test_symlink_in_root_without_its_parent_is_no_error(root: Path) -> None:
    symlink_in_root(str(root), "/etc/mtab", "x")
    assert os.listdir(root) == []


def test_symlink_in_root_does_not_leave_the_root(tmp_path: Path, root: Path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "etc").symlink_to("../outside")
    symlink_in_root(str(root), "/etc/mtab", "x")
    assert os.listdir(tmp_path / "outside") == []


def test_mount_table_of_the_tests_is_understood() -> None:
    assert parse_mountinfo("1 2 0:3 / /a\\040b rw,nodev shared:1 - tmpfs t rw")[0].target == "/a b"
