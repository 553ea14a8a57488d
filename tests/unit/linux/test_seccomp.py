"""Filters: compiled by libseccomp, cached, and as strict as they say. The default filter is in the child it is for."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.forked_child import exit_code_of_child, run_in_child

from rkt.linux import seccomp, syscalls
from rkt.linux.seccomp import ALLOW, Compare, Filter, Rule, errno_action

GETPID_FAILS = Filter(default=ALLOW, foreign=ALLOW, rules=(Rule("getpid", errno_action(77)),))


def result_of(programs: tuple[bytes, ...], number: int, *arguments: int) -> int:
    """The call's value, or -errno, under ``programs``."""

    def body() -> int:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        for program in programs:
            syscalls.seccomp_load(program)
        values = [ctypes.c_ulong(argument) for argument in arguments]
        value = int(syscalls.libc.syscall(ctypes.c_long(number), *values))
        return -ctypes.get_errno() if value < 0 else value

    return run_in_child(body)


def test_rule_fails_with_its_errno() -> None:
    assert result_of((seccomp.compile_filter(GETPID_FAILS),), 39) == -77
    assert result_of((seccomp.compile_filter(GETPID_FAILS),), 102) == os.getuid()


def test_default_action_is_for_calls_without_a_rule() -> None:
    names = ("exit_group", "write", "close", "prctl", "seccomp", "futex", "getuid", "mmap", "munmap", "brk", "read")
    allowing = Filter(default=errno_action(77), foreign=ALLOW, rules=tuple(Rule(name, ALLOW) for name in names))
    program = seccomp.compile_filter(allowing)
    assert result_of((program,), 102) == os.getuid()
    assert result_of((program,), 104) == -77  # getgid


def test_kill_kills() -> None:
    killing = Filter(default=ALLOW, foreign=ALLOW, rules=(Rule("getppid", seccomp.KILL_PROCESS),))
    program = seccomp.compile_filter(killing)

    def body() -> None:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        syscalls.seccomp_load(program)
        os.getppid()

    assert exit_code_of_child(body) == -31  # SIGSYS


def test_conditions_look_at_an_argument() -> None:
    rules = (
        Rule("alarm", errno_action(70), Compare(0, 0)),
        Rule("alarm", errno_action(71), Compare(0, 0x100, mask=0x100)),
        Rule("alarm", errno_action(72), Compare(0, 1 << 40, mask=0, at_least=True)),
    )
    programs = (seccomp.compile_filter(Filter(default=ALLOW, foreign=ALLOW, rules=rules)),)
    assert result_of(programs, 37, 0) == -70
    assert result_of(programs, 37, 0x1FF) == -71
    assert result_of(programs, 37, (1 << 40) + 1) == -72
    assert result_of(programs, 37, 50) == 0


def test_condition_looks_at_as_many_bits_as_the_kernel() -> None:
    """The kernel takes an int; a value with high bits set must not slip past a comparison of 64 bits."""
    program = seccomp.compile_filter(
        Filter(default=ALLOW, foreign=ALLOW, rules=(Rule("alarm", errno_action(70), Compare(0, 5)),))
    )
    assert result_of((program,), 37, 5 + (1 << 32)) == -70


def test_rule_may_name_a_number() -> None:
    program = seccomp.compile_filter(Filter(default=ALLOW, foreign=ALLOW, rules=(Rule(451, errno_action(77)),)))
    assert result_of((program,), 451) == -77


def test_name_that_the_library_does_not_know_is_left_to_the_default() -> None:
    rules = (Rule("no_such_call_ever", ALLOW), Rule("getpid", errno_action(77)))
    assert result_of((seccomp.compile_filter(Filter(default=ALLOW, foreign=ALLOW, rules=rules)),), 39) == -77


def test_bad_action_is_an_error() -> None:
    with pytest.raises(seccomp.SeccompError, match="refuses the default action"):
        seccomp.compile_filter(Filter(default=0x12345678, foreign=ALLOW, rules=()))
    with pytest.raises(seccomp.SeccompError, match='cannot compile the seccomp rule for "getpid": '):
        seccomp.compile_filter(Filter(default=ALLOW, foreign=ALLOW, rules=(Rule("getpid", 0x12345678),)))


@pytest.mark.root
def test_host_without_the_library_is_told_what_to_do(tmp_path: Path) -> None:
    """Every copy of the library is hidden by an empty file, and a fresh interpreter looks for it."""
    (tmp_path / "empty").touch()
    program = (
        "from rkt.linux.seccomp import ALLOW, Filter, compile_filter\n"
        "from rkt.errors import NotSupportedError\n"
        "try:\n    compile_filter(Filter(default=ALLOW, foreign=ALLOW, rules=()))\n"
        "except NotSupportedError as error:\n    print(error.message, error.hint, sep='\\n')\n"
    )

    def body() -> str:
        for library in {os.path.realpath(path) for path in Path("/usr/lib").rglob("libseccomp.so.2*")}:
            syscalls.mount(f"{tmp_path}/empty", library, None, syscalls.MS_BIND)
        return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True).stdout

    message, hint = run_in_child(body, unshare=syscalls.CLONE_NEWNS).splitlines()
    assert message.startswith("cannot compile a seccomp filter: ")
    assert hint == "install libseccomp2, or switch the filter off with --insecure-options=seccomp"


# --- the cache -----------------------------------------------------------------------------------------------------


class Compilations:
    """Plans one filter and counts how often it is asked to."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> tuple[Filter, ...]:
        self.count += 1
        return (GETPID_FAILS, Filter(default=ALLOW, foreign=ALLOW, rules=()))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache directory that does not exist yet."""
    return tmp_path / "seccomp"


@pytest.mark.root
def test_second_use_comes_from_the_cache(cache: Path) -> None:
    plan = Compilations()
    first = seccomp.load_programs(str(cache), "name", plan)
    second = seccomp.load_programs(str(cache), "name", plan)
    assert first == second
    assert len(first) == 2
    assert plan.count == 1
    assert (cache / "name.bpf").stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700


def test_other_name_is_compiled_anew(cache: Path) -> None:
    plan = Compilations()
    seccomp.load_programs(str(cache), "name-1", plan)
    seccomp.load_programs(str(cache), "name-2", plan)
    assert plan.count == 2


def truncate_middle(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def truncate_length(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero_length(path: Path) -> None:
    path.write_bytes(b"\0\0\0\0" + path.read_bytes())


def odd_length(path: Path) -> None:
    path.write_bytes((12).to_bytes(4, "little") + b"x" * 12)


def append_junk(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"junk that is no program")


def drop_second_program(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: 12 + int.from_bytes(data[8:12], "little")])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[20] ^= 0x40
    path.write_bytes(data)


def make_group_writable(path: Path) -> None:
    path.chmod(0o620)


def make_world_writable(path: Path) -> None:
    path.chmod(0o602)


def give_away(path: Path) -> None:
    os.chown(path, 1000, 1000)


def make_symlink(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def make_huge(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 30_000)


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


DAMAGES = [
    *(truncate_middle, truncate_length, empty, zero_length, odd_length, append_junk, drop_second_program, flip_a_bit),
    *(make_group_writable, make_world_writable, give_away, make_symlink, make_huge, make_fifo, make_directory),
]


@pytest.mark.root
@pytest.mark.timeout(20)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_cache_that_cannot_be_trusted_is_compiled_again(cache: Path, damage: Callable[[Path], None]) -> None:
    plan = Compilations()
    expected = seccomp.load_programs(str(cache), "name", plan)
    damage(cache / "name.bpf")
    assert seccomp.load_programs(str(cache), "name", plan) == expected
    assert plan.count == 2


@pytest.mark.root
def test_damaged_cache_is_mended(cache: Path) -> None:
    plan = Compilations()
    seccomp.load_programs(str(cache), "name", plan)
    truncate_middle(cache / "name.bpf")
    seccomp.load_programs(str(cache), "name", plan)
    seccomp.load_programs(str(cache), "name", plan)
    assert plan.count == 2


def test_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    plan = Compilations()
    assert len(seccomp.load_programs(f"{tmp_path}/file/cache", "name", plan)) == 2
    assert plan.count == 1
