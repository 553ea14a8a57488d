"""Durable files: whole content or none, on whatever step the power goes."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.forked_child import exit_code_of_child, run_in_child

from rkt.linux import durable


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def names_in(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 4096], ids=["empty", "short", "1 MiB"])
def test_write_file_writes_exactly_the_bytes(tmp_path: Path, data: bytes) -> None:
    durable.write_file(f"{tmp_path}/file", data)
    assert (tmp_path / "file").read_bytes() == data
    assert names_in(tmp_path) == {"file"}


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o444, 0o4755])
def test_write_file_gives_the_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    def body() -> None:
        os.umask(0o077)
        durable.write_file(f"{tmp_path}/file", b"x", mode=mode)

    run_in_child(body)
    assert mode_of(tmp_path / "file") == mode


def test_write_file_replaces_content_and_mode(tmp_path: Path) -> None:
    durable.write_file(f"{tmp_path}/file", b"a long old content", mode=0o600)
    durable.write_file(f"{tmp_path}/file", b"new", mode=0o640)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert mode_of(tmp_path / "file") == 0o640


def test_write_file_replaces_a_symlink_and_not_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "file").symlink_to("victim")
    durable.write_file(f"{tmp_path}/file", b"new")
    assert (tmp_path / "victim").read_text() == "kept"
    assert not (tmp_path / "file").is_symlink()


def test_write_file_without_replace_keeps_the_existing_file(tmp_path: Path) -> None:
    durable.write_file(f"{tmp_path}/file", b"first", replace=False)
    with pytest.raises(FileExistsError):
        durable.write_file(f"{tmp_path}/file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names_in(tmp_path) == {"file"}


def test_write_file_takes_a_name_without_directory(tmp_path: Path) -> None:
    def body() -> None:
        os.chdir(tmp_path)
        durable.write_file("file", b"here")

    run_in_child(body)
    assert (tmp_path / "file").read_bytes() == b"here"


def test_write_file_takes_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    durable.write_file(f"{tmp_path}/{'n' * 255}", b"x")
    assert names_in(tmp_path) == {"n" * 255}


def test_write_file_into_a_missing_directory_fails_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.write_file(f"{tmp_path}/missing/file", b"x")
    assert names_in(tmp_path) == set()


def test_write_file_over_a_directory_fails_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        durable.write_file(f"{tmp_path}/file", b"x")
    assert names_in(tmp_path) == {"file"}


@pytest.mark.root
def test_write_file_on_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    from rkt.linux import syscalls

    def body() -> tuple[int, bytes, set[str]]:
        syscalls.mount("small", str(tmp_path), "tmpfs", 0, "size=64k")
        durable.write_file(f"{tmp_path}/file", b"old")
        try:
            durable.write_file(f"{tmp_path}/file", b"x" * 1_000_000)
            number = 0
        except OSError as error:
            number = error.errno or -1
        return number, (tmp_path / "file").read_bytes(), names_in(tmp_path)

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) == (errno.ENOSPC, b"old", {"file"})


def die_before(step: str, count: int) -> None:
    """From now on the process is killed when it is about to make its ``count``-th call of os.``step``."""
    real: Callable[..., object] = getattr(os, step)
    left = [count]

    def counting(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(os, step, counting)


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [
        ("write", 1, b"old"),
        ("fchmod", 1, b"old"),
        ("fsync", 1, b"old"),
        ("rename", 1, b"old"),
        ("fsync", 2, b"new"),
    ],
)
def test_killed_between_two_steps_leaves_old_or_new(tmp_path: Path, step: str, count: int, expected: bytes) -> None:
    durable.write_file(f"{tmp_path}/file", b"old")

    def body() -> None:
        die_before(step, count)
        durable.write_file(f"{tmp_path}/file", b"new")

    assert exit_code_of_child(body) == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == expected
    leftovers = names_in(tmp_path) - {"file"}
    assert all(name.startswith(".tmp-") for name in leftovers), "gc would not find it"


def test_content_is_synced_before_the_rename_and_the_directory_after(tmp_path: Path) -> None:
    def body() -> list[str]:
        order: list[str] = []
        for step in ("write", "fsync", "rename"):
            _record(order, step)
        durable.write_file(f"{tmp_path}/file", b"new")
        return order

    assert run_in_child(body) == ["write", "fsync", "rename", "fsync"]


def _record(order: list[str], step: str) -> None:
    real: Callable[..., object] = getattr(os, step)

    def recording(*arguments: object, **options: object) -> object:
        order.append(step)
        return real(*arguments, **options)

    setattr(os, step, recording)


def test_publish_without_replace_keeps_both_files(tmp_path: Path) -> None:
    (tmp_path / "temporary").write_text("new")
    (tmp_path / "file").write_text("old")
    with pytest.raises(FileExistsError):
        durable.publish(f"{tmp_path}/temporary", f"{tmp_path}/file", replace=False)
    assert names_in(tmp_path) == {"temporary", "file"}
    durable.publish(f"{tmp_path}/temporary", f"{tmp_path}/file")
    assert names_in(tmp_path) == {"file"}
    assert (tmp_path / "file").read_text() == "new"


def test_rename_moves_a_directory_and_syncs_both_parents(tmp_path: Path) -> None:
    (tmp_path / "from/pod").mkdir(parents=True)
    (tmp_path / "to").mkdir()

    def body() -> list[str]:
        synced: list[str] = []
        real = os.fsync

        def recording(fd: int) -> None:
            synced.append(os.readlink(f"/proc/self/fd/{fd}"))
            real(fd)

        os.fsync = recording  # type: ignore[assignment]
        durable.rename(f"{tmp_path}/from/pod", f"{tmp_path}/to/pod")
        return synced

    assert run_in_child(body) == [f"{tmp_path}/to", f"{tmp_path}/from"]
    assert (tmp_path / "to/pod").is_dir()


def test_rename_of_a_missing_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.rename(f"{tmp_path}/missing", f"{tmp_path}/other")


def test_remove_if_present_takes_missing_for_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    durable.remove_if_present(f"{tmp_path}/file")
    durable.remove_if_present(f"{tmp_path}/file")
    assert names_in(tmp_path) == set()


def test_remove_if_present_raises_other_errors(tmp_path: Path) -> None:
    with pytest.raises((IsADirectoryError, PermissionError)):
        durable.remove_if_present(str(tmp_path))


def test_make_directories_makes_what_is_missing_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)

    def body() -> None:
        os.umask(0o022)
        durable.make_directories(f"{tmp_path}/a/b/c", mode=0o750)
        durable.make_directories(f"{tmp_path}/a/b/c", mode=0o700)

    run_in_child(body)
    assert [mode_of(tmp_path / name) for name in ("a", "a/b", "a/b/c")] == [0o700, 0o750, 0o750]


def test_make_directories_refuses_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in ("file", "file/below"):
        with pytest.raises((FileExistsError, NotADirectoryError)):
            durable.make_directories(f"{tmp_path}/{path}")


def test_make_directories_at_the_same_time_all_succeed(tmp_path: Path) -> None:
    """Two processes that create the same parents do not disturb each other."""

    def body() -> bool:
        real = os.mkdir

        def late(path: str, mode: int = 0o777) -> None:
            # another process was quicker
            real(path, mode)
            real(path, mode)

        os.mkdir = late  # type: ignore[assignment]
        durable.make_directories(f"{tmp_path}/a/b")
        return os.path.isdir(f"{tmp_path}/a/b")

    assert run_in_child(body)


def test_temporary_names_are_never_the_same_and_fit() -> None:
    names = {durable.temporary_name("n" * 300) for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(f".tmp-{os.getpid()}-") and len(name) <= 255 for name in names)


def test_sync_directory_takes_a_descriptor_or_a_path(tmp_path: Path) -> None:
    durable.sync_directory(str(tmp_path))
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        durable.sync_directory(fd)
        os.fstat(fd)
    finally:
        os.close(fd)
    with pytest.raises(FileNotFoundError):
        durable.sync_directory(f"{tmp_path}/missing")
