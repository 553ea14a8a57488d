"""Paths below a root whose content is hostile, with openat2 and with the walk that replaces it.

The fallback is reached by a real seccomp filter that hides openat2 in a child, as an old kernel or a container would.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from harness.forked_child import run_in_child
from harness.hidden_calls import OPENAT2, hide_system_call

from rkt.linux.safe_path import ensure_in_root, open_in_root, open_without_symlinks, openat2

Result = TypeVar("Result")
Way = Callable[[Callable[[], Result]], Result]


def with_openat2(function: Callable[[], Result]) -> Result:
    return run_in_child(function)


def without_openat2(function: Callable[[], Result]) -> Result:
    def body() -> Result:
        hide_system_call(OPENAT2)
        return function()

    return run_in_child(body)


@pytest.fixture(params=[with_openat2, without_openat2], ids=["openat2", "fallback"])
def way(request: pytest.FixtureRequest) -> Way[object]:
    """Runs a function in a child that has openat2, or has not."""
    chosen: Way[object] = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    directory = tmp_path / "root"
    (directory / "etc").mkdir(parents=True)
    (directory / "etc/passwd").write_text("inside")
    return directory


def opened(root: Path, path: str) -> str:
    """What ``path`` leads to, as a host path."""
    fd = open_in_root(str(root), path)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def number_of(function: Callable[[], object]) -> int:
    """The errno of the OSError that ``function`` raises, 0 for none."""
    try:
        function()
    except OSError as error:
        return error.errno or -1
    return 0


def test_hidden_openat2_is_hidden() -> None:
    """The instrument of these tests: the fallback is really what runs."""

    def body() -> int:
        hide_system_call(OPENAT2)
        return number_of(lambda: openat2(-100, "/", os.O_PATH, resolve=0))

    assert run_in_child(body) == errno.ENOSYS
    assert run_in_child(lambda: number_of(lambda: openat2(-100, "/", os.O_PATH, resolve=0))) == 0


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "etc/passwd", "//etc/./passwd", "etc/../etc/passwd", "../../etc/passwd"]
)
def test_plain_paths_start_at_the_root(root: Path, way: Way[str], path: str) -> None:
    assert way(lambda: opened(root, path)) == f"{root}/etc/passwd"


@pytest.mark.parametrize("path", ["", "/", ".", "..", "../..", "/..", "etc/../.."])
def test_the_root_is_its_own_parent(root: Path, way: Way[str], path: str) -> None:
    assert way(lambda: opened(root, path)) == str(root)


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "etc/passwd", "../../../../etc/passwd", "/../etc/passwd", "chain", "up/up/etc/passwd"]
)
def test_symlinks_are_followed_inside_only(root: Path, way: Way[str], target: str) -> None:
    (root / "link").symlink_to(target)
    (root / "chain").symlink_to("/up/etc/../etc/passwd")
    (root / "up").symlink_to("..")
    assert way(lambda: opened(root, "/link")) == f"{root}/etc/passwd"


def test_absolute_symlink_to_the_root_is_the_root(root: Path, way: Way[str]) -> None:
    (root / "slash").symlink_to("/")
    assert way(lambda: opened(root, "slash/slash/etc/passwd")) == f"{root}/etc/passwd"


@pytest.mark.parametrize("target", ["/secret", "../secret", "../../secret", "/etc/../../secret"])
def test_a_secret_beside_the_root_is_out_of_reach(root: Path, way: Way[int], target: str) -> None:
    (root / "link").symlink_to(target)
    assert way(lambda: number_of(lambda: opened(root, "link"))) == errno.ENOENT
    assert way(lambda: number_of(lambda: opened(root, target))) == errno.ENOENT


def test_loop_of_symlinks_is_an_error(root: Path, way: Way[int]) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert way(lambda: number_of(lambda: opened(root, "a"))) == errno.ELOOP


@pytest.mark.parametrize(("links", "expected"), [(40, 0), (41, errno.ELOOP)])
def test_as_many_symlinks_as_the_kernel_follows(root: Path, way: Way[int], links: int, expected: int) -> None:
    (root / "0").symlink_to("etc")
    for number in range(1, links):
        (root / str(number)).symlink_to(str(number - 1))
    assert way(lambda: number_of(lambda: opened(root, str(links - 1)))) == expected


def test_file_in_the_middle_of_a_path_is_an_error(root: Path, way: Way[int]) -> None:
    assert way(lambda: number_of(lambda: opened(root, "etc/passwd/x"))) == errno.ENOTDIR
    assert way(lambda: number_of(lambda: opened(root, "etc/passwd/.."))) == errno.ENOTDIR


@pytest.mark.parametrize("target", ["etc/passwd", "nowhere", "loop"])
@pytest.mark.parametrize("flags", [os.O_PATH, os.O_RDONLY, os.O_PATH | os.O_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY])
def test_last_symlink_is_not_followed_when_asked(root: Path, way: Way[object], target: str, flags: int) -> None:
    (root / "up").symlink_to("/")
    (root / "loop").symlink_to(target)

    def body() -> tuple[int, str]:
        try:
            fd = open_in_root(str(root), "up/loop", flags | os.O_NOFOLLOW)
        except OSError as error:
            return error.errno or -1, ""
        return 0, os.readlink("", dir_fd=fd)

    expected = {os.O_PATH: (0, target), os.O_RDONLY: (errno.ELOOP, "")}.get(flags, (errno.ENOTDIR, ""))
    assert way(body) == expected


def test_slash_after_a_symlink_follows_it(root: Path, way: Way[str]) -> None:
    (root / "link").symlink_to("etc")

    def body() -> str:
        fd = open_in_root(str(root), "link/", os.O_PATH | os.O_NOFOLLOW)
        return os.readlink(f"/proc/self/fd/{fd}")

    assert way(body) == f"{root}/etc"


@pytest.mark.parametrize("path", ["etc\0x", "\0", "etc/passwd\0/../../secret"])
def test_path_with_a_null_byte_is_an_error(root: Path, way: Way[int], path: str) -> None:
    """To C it would be another, shorter path."""
    assert way(lambda: number_of(lambda: opened(root, path))) == errno.EINVAL


@pytest.mark.parametrize("path", ["etc/passwd/", "etc/passwd/."])
def test_slash_after_a_file_is_an_error(root: Path, way: Way[int], path: str) -> None:
    assert way(lambda: number_of(lambda: opened(root, path))) == errno.ENOTDIR


def test_file_is_opened_for_reading(root: Path, way: Way[tuple[bytes, bool]]) -> None:
    def body() -> tuple[bytes, bool]:
        fd = open_in_root(str(root), "/etc/passwd", os.O_RDONLY)
        try:
            return os.read(fd, 100), os.get_inheritable(fd)
        finally:
            os.close(fd)

    assert way(body) == (b"inside", False)


def test_directory_is_opened_for_reading(root: Path, way: Way[list[str]]) -> None:
    def body() -> list[str]:
        fd = open_in_root(str(root), "/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    assert way(body) == ["etc"]


def test_root_may_be_a_descriptor_that_stays_open(root: Path, way: Way[str]) -> None:
    def body() -> str:
        root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
        fd = open_in_root(root_fd, "etc")
        os.fstat(root_fd)
        return os.readlink(f"/proc/self/fd/{fd}")

    assert way(body) == f"{root}/etc"


def test_magic_links_of_procfs_are_refused(way: Way[int]) -> None:
    """/proc/self/fd/N would lead to whatever the runtime has open (CVE-2024-21626)."""

    def body() -> int:
        fd = os.open("/", os.O_PATH | os.O_DIRECTORY)
        return number_of(lambda: os.close(open_in_root("/", f"/proc/self/fd/{fd}/etc")))

    assert way(body) == errno.ELOOP


@pytest.mark.parametrize("what", [open_in_root, ensure_in_root])
def test_no_descriptor_is_left_open(root: Path, way: Way[bool], what: Callable[..., int]) -> None:
    (root / "loop").symlink_to("loop")
    (root / "deep").symlink_to("/etc/../etc/./passwd")

    def body() -> bool:
        before = len(os.listdir("/proc/self/fd"))
        for path in ("/", "deep", "loop", "missing/x", "etc/passwd/x", "etc/new/file"):
            try:
                os.close(what(str(root), path, **({"directory": False} if what is ensure_in_root else {})))
            except OSError:
                continue
        return len(os.listdir("/proc/self/fd")) == before

    assert way(body)


# --- open_without_symlinks -----------------------------------------------------------------------------------------


def test_host_path_without_symlinks_is_opened(root: Path, way: Way[str]) -> None:
    def body() -> str:
        fd = open_without_symlinks(f"{root}//./etc/passwd")
        return os.readlink(f"/proc/self/fd/{fd}")

    assert way(body) == f"{root}/etc/passwd"


@pytest.mark.parametrize("path", ["link", "link/passwd", "final"])
def test_host_path_with_a_symlink_anywhere_is_refused(root: Path, way: Way[int], path: str) -> None:
    (root / "link").symlink_to("etc")
    (root / "final").symlink_to("etc/passwd")
    assert way(lambda: number_of(lambda: open_without_symlinks(f"{root}/{path}"))) == errno.ELOOP


def test_missing_host_path_is_an_error(root: Path, way: Way[int]) -> None:
    assert way(lambda: number_of(lambda: open_without_symlinks(f"{root}/missing/x"))) == errno.ENOENT


def test_host_path_with_dot_dot_is_walked(root: Path, way: Way[str]) -> None:
    def body() -> str:
        fd = open_without_symlinks(f"{root}/etc/../etc")
        return os.readlink(f"/proc/self/fd/{fd}")

    assert way(body) == f"{root}/etc"


# --- ensure_in_root ------------------------------------------------------------------------------------------------


def ensured(root: Path, path: str, *, directory: bool) -> str:
    os.umask(0o022)
    fd = ensure_in_root(str(root), path, directory=directory)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def test_missing_directories_are_created_0755(root: Path, way: Way[str]) -> None:
    assert way(lambda: ensured(root, "/a/b/c", directory=True)) == f"{root}/a/b/c"
    assert [os.stat(root / path).st_mode for path in ("a", "a/b", "a/b/c")] == [0o40755] * 3


def test_missing_file_is_created_0644_and_empty(root: Path, way: Way[str]) -> None:
    assert way(lambda: ensured(root, "/a/file", directory=False)) == f"{root}/a/file"
    assert os.stat(root / "a/file").st_mode == 0o100644
    assert (root / "a/file").read_bytes() == b""


def test_what_exists_is_left_as_it_is(root: Path, way: Way[str]) -> None:
    (root / "etc").chmod(0o700)
    assert way(lambda: ensured(root, "/etc", directory=True)) == f"{root}/etc"
    assert way(lambda: ensured(root, "/etc/passwd", directory=False)) == f"{root}/etc/passwd"
    assert (root / "etc/passwd").read_text() == "inside"
    assert os.stat(root / "etc").st_mode & 0o777 == 0o700


@pytest.mark.spec("ACE-014")
def test_file_is_replaced_by_a_directory(root: Path, way: Way[str]) -> None:
    assert way(lambda: ensured(root, "/etc/passwd", directory=True)) == f"{root}/etc/passwd"
    assert (root / "etc/passwd").is_dir()


def test_file_above_the_target_is_not_replaced(root: Path, way: Way[int]) -> None:
    assert way(lambda: number_of(lambda: ensured(root, "/etc/passwd/x", directory=True))) == errno.ENOTDIR
    assert (root / "etc/passwd").read_text() == "inside"


def test_directory_where_a_file_is_wanted_is_refused(root: Path, way: Way[int]) -> None:
    assert way(lambda: number_of(lambda: ensured(root, "/etc", directory=False))) == errno.EEXIST


@pytest.mark.parametrize("directory", [True, False])
def test_dangling_symlink_is_refused(root: Path, way: Way[int], directory: bool) -> None:
    (root / "link").symlink_to("/nowhere")
    number = way(lambda: number_of(lambda: ensured(root, "/link", directory=directory)))
    assert number in (errno.ENOENT, errno.EEXIST)
    assert (root / "link").is_symlink()
    assert not (root / "nowhere").exists()


def test_symlink_to_a_file_is_replaced_as_the_file_would_be(root: Path, way: Way[str]) -> None:
    """A target that is a link to a file: the link gives way to a directory, the file that it named stays."""
    (root / "link").symlink_to("/etc/passwd")
    assert way(lambda: ensured(root, "/link", directory=True)) == f"{root}/link"
    assert (root / "etc/passwd").read_text() == "inside"


@pytest.mark.parametrize("target", ["/", "../../..", "/..", "../.."])
def test_creation_through_a_symlink_stays_inside(root: Path, way: Way[str], target: str) -> None:
    (root / "link").symlink_to(target)
    assert way(lambda: ensured(root, "/link/made", directory=True)) == f"{root}/made"
    assert sorted(entry.name for entry in root.parent.iterdir()) == ["root", "secret"]


@pytest.mark.parametrize("path", ["/..", "/../../made", "/a/../../../made", "../made"])
def test_creation_through_dot_dot_stays_inside(root: Path, way: Way[str], path: str) -> None:
    assert way(lambda: ensured(root, path, directory=True)).startswith(str(root))
    assert sorted(entry.name for entry in root.parent.iterdir()) == ["root", "secret"]


def test_the_root_itself_exists(root: Path, way: Way[str]) -> None:
    assert way(lambda: ensured(root, "/", directory=True)) == str(root)
