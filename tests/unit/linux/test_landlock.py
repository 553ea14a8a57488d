"""Execution confined to a directory."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from harness.forked_child import run_in_child
from harness.hidden_calls import LANDLOCK_CREATE_RULESET, hide_system_call

from rkt.linux import syscalls
from rkt.linux.landlock import confine_execution


def status_of(*argv: str) -> int:
    """Exit status of a program, or -errno if it could not be executed."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os._exit(100 + (error.errno or 0))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 100 - status if status > 100 else status


@pytest.fixture
def inside(tmp_path: Path, fixture_images: Path) -> str:
    """A program below the directory to which execution is confined."""
    directory = tmp_path / "inside"
    directory.mkdir()
    shutil.copy(fixture_images / "probe/probe", directory / "probe")
    return str(directory / "probe")


@pytest.fixture
def outside(fixture_images: Path) -> str:
    return str(fixture_images / "probe/probe")


@pytest.mark.root
def test_only_what_lies_below_can_be_executed(inside: str, outside: str) -> None:
    def body() -> tuple[bool, int, int]:
        confined = confine_execution(os.path.dirname(inside))
        return confined, status_of(inside, "exit", "3"), status_of(outside, "exit", "3")

    assert run_in_child(body) == (True, 3, -errno.EACCES)


@pytest.mark.root
def test_confinement_is_inherited(inside: str, outside: str) -> None:
    def body() -> int:
        confine_execution(os.path.dirname(inside))
        return status_of(inside, "exec", outside, "exit", "0")

    assert run_in_child(body) != 0


@pytest.mark.root
def test_reading_and_writing_are_not_confined(inside: str, tmp_path: Path) -> None:
    def body() -> str:
        confine_execution(os.path.dirname(inside))
        (tmp_path / "file").write_text("x")
        return (tmp_path / "file").read_text()

    assert run_in_child(body) == "x"


def test_unprivileged_caller_without_no_new_privs_is_told(inside: str) -> None:
    def body() -> None:
        if os.geteuid() == 0:
            syscalls.capset(effective=0, permitted=0, inheritable=0)
        confine_execution(os.path.dirname(inside))

    with pytest.raises(OSError, match="landlock: "):
        run_in_child(body)


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EOPNOTSUPP])
def test_kernel_without_landlock_confines_nothing_and_says_so(inside: str, outside: str, error: int) -> None:
    def body() -> tuple[bool, int]:
        hide_system_call(LANDLOCK_CREATE_RULESET, error)
        return confine_execution(os.path.dirname(inside)), status_of(outside, "exit", "3")

    assert run_in_child(body) == (False, 3)


@pytest.mark.root
def test_missing_directory_is_an_error_and_leaves_no_descriptor(tmp_path: Path) -> None:
    def body() -> tuple[bool, int]:
        before = len(os.listdir("/proc/self/fd"))
        try:
            confine_execution(f"{tmp_path}/missing")
            raised = False
        except FileNotFoundError:
            raised = True
        return raised, len(os.listdir("/proc/self/fd")) - before

    assert run_in_child(body) == (True, 0)
