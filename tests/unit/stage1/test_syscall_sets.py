"""The default filter in a process of its own: what it refuses, how, and what today's programs still may."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
from pathlib import Path

import pytest
from harness.forked_child import exit_code_of_child, run_in_child

from rkt.linux import seccomp, syscalls
from rkt.stage1 import syscall_sets

HIGH = 1 << 32
CLONE_NEWUSER = syscalls.CLONE_NEWUSER
NR = {
    "clone": 56,
    "personality": 135,
    "ptrace": 101,
    "mount": 165,
    "umount2": 166,
    "reboot": 169,
    "init_module": 175,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "setns": 308,
    "process_vm_readv": 310,
    "bpf": 321,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "clone3": 435,
    "mount_setattr": 442,
}


@pytest.fixture(scope="session")
def programs() -> dict[bool, tuple[bytes, ...]]:
    """The compiled default filter, by whether the app keeps CAP_SYS_ADMIN."""
    return {
        sys_admin: tuple(map(seccomp.compile_filter, syscall_sets.plan_default_filters(sys_admin=sys_admin)))
        for sys_admin in (False, True)
    }


def confine(programs: tuple[bytes, ...]) -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    for program in programs:
        syscalls.seccomp_load(program)


def errno_of(programs: tuple[bytes, ...], number: int, *arguments: int) -> int:
    """The errno of a system call under ``programs``; 0 if it succeeded."""

    def body() -> int:
        confine(programs)
        values = [ctypes.c_ulong(argument) for argument in arguments]
        value = int(syscalls.libc.syscall(ctypes.c_long(number), *values))
        return ctypes.get_errno() if value < 0 else 0

    return run_in_child(body)


Programs = dict[bool, tuple[bytes, ...]]


def test_number_of_calls_that_are_always_allowed() -> None:
    allowed = {*syscall_sets.ALLOWED, *syscall_sets.ALLOWED_BY_NUMBER}
    print(f"always allowed: {len(allowed)} calls")
    assert len(allowed) <= 300
    assert len(allowed) == len(syscall_sets.ALLOWED) + len(syscall_sets.ALLOWED_BY_NUMBER), "a call is named twice"


def test_no_call_is_both_allowed_and_denied() -> None:
    allowed = {*syscall_sets.ALLOWED, *syscall_sets.ALLOWED_BY_NUMBER}
    assert not allowed & set(syscall_sets.DENIED)
    assert set(syscall_sets.FOR_SYS_ADMIN) <= {*syscall_sets.DENIED}


def test_sets_have_names_that_the_library_knows() -> None:
    """A misspelt name would silently be left to the default action."""
    library = ctypes.CDLL("libseccomp.so.2")
    newer_than_some = {"memfd_secret", "process_mrelease", "futex_waitv", "set_mempolicy_home_node", "quotactl_fd"}
    unknown = {
        name
        for name in {*syscall_sets.ALLOWED, *syscall_sets.DENIED, *syscall_sets.FOR_SYS_ADMIN}
        if library.seccomp_syscall_resolve_name(name.encode()) == -1
    }
    assert unknown <= newer_than_some


def test_cache_name_tells_the_two_filters_apart() -> None:
    names = {syscall_sets.default_name(sys_admin=sys_admin) for sys_admin in (False, True)}
    assert len(names) == 2
    assert all(str(syscall_sets.REVISION) in name for name in names)


@pytest.mark.spec("ISO-018")
@pytest.mark.parametrize("number", [9999, NR["clone3"], 463, 1000])
def test_unknown_call_looks_like_an_old_kernel(programs: Programs, number: int) -> None:
    assert errno_of(programs[False], number) == errno.ENOSYS


@pytest.mark.spec("ISO-019")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("unshare", (CLONE_NEWUSER,)),
        ("unshare", (syscalls.CLONE_NEWNS,)),
        ("setns", (0, 0)),
        ("mount", (0, 0, 0, 0, 0)),
        ("umount2", (0, 0)),
        ("mount_setattr", ()),
        ("reboot", (0, 0, 0)),
        ("init_module", ()),
        ("keyctl", (0,)),
        ("bpf", ()),
        ("perf_event_open", ()),
        ("userfaultfd", (0,)),
        ("io_uring_setup", ()),
        ("ptrace", (0,)),
        ("process_vm_readv", ()),
        ("clone", (CLONE_NEWUSER | signal.SIGCHLD,)),
        ("clone", (syscalls.CLONE_NEWNET | signal.SIGCHLD,)),
        ("clone", (HIGH | CLONE_NEWUSER | signal.SIGCHLD,)),
    ],
)
def test_dangerous_call_is_not_permitted(programs: Programs, name: str, arguments: tuple[int, ...]) -> None:
    assert errno_of(programs[False], NR[name], *arguments) == errno.EPERM


AF_INET, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, AF_UNSPEC, AF_BLUETOOTH = 2, 16, 17, 38, 40, 0, 31


@pytest.mark.parametrize("family", [AF_UNSPEC, 3, AF_PACKET, AF_BLUETOOTH, AF_ALG, AF_VSOCK, 45, 0xFFFFFFFF])
@pytest.mark.parametrize("high", [0, HIGH, HIGH * 0xFFFFFFFF], ids=["plain", "bit 32", "all high bits"])
def test_socket_of_an_exotic_family_does_not_exist(programs: Programs, family: int, high: int) -> None:
    """The kernel looks at 32 bits of the argument; so must the filter (2^32 + AF_ALG is AF_ALG)."""
    socket, seqpacket = 41, 5
    assert errno_of(programs[False], socket, family + high, seqpacket, 0) == errno.EAFNOSUPPORT


@pytest.mark.parametrize(("family", "kind"), [(1, 1), (AF_INET, 1), (AF_INET, 2), (10, 1), (AF_NETLINK, 3)])
def test_socket_of_a_usual_family_is_allowed(programs: Programs, family: int, kind: int) -> None:
    assert errno_of(programs[False], 41, family, kind, 0) in (0, errno.EAFNOSUPPORT if family == 10 else 0)


@pytest.mark.parametrize("high", [0, HIGH])
def test_netlink_of_netfilter_is_refused(programs: Programs, high: int) -> None:
    assert errno_of(programs[False], 41, AF_NETLINK, 3, 12 + high) == errno.EPROTONOSUPPORT


@pytest.mark.parametrize("request_number", [0x5412, 0x541C], ids=["TIOCSTI", "TIOCLINUX"])
@pytest.mark.parametrize("high", [0, HIGH, HIGH * 0x7FFFFFFF])
def test_typing_into_a_terminal_is_not_permitted(programs: Programs, request_number: int, high: int) -> None:
    ioctl, bad_fd = 16, 99
    assert errno_of(programs[False], ioctl, bad_fd, request_number + high, 0) == errno.EPERM
    assert errno_of(programs[False], ioctl, bad_fd, 0x5413, 0) == errno.EBADF, "another request reaches the kernel"


@pytest.mark.parametrize("persona", [0, 8, 0x20000, 0x20008, 0xFFFFFFFF])
def test_harmless_personality_is_allowed(programs: Programs, persona: int) -> None:
    assert errno_of(programs[False], NR["personality"], persona) == 0


@pytest.mark.parametrize("persona", [0x0040000, 0x0400000, 0x0100000, 0x20000 | 0x0040000])
def test_personality_that_weakens_a_process_is_not_permitted(programs: Programs, persona: int) -> None:
    """ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO."""
    assert errno_of(programs[False], NR["personality"], persona) in (errno.EPERM, errno.ENOSYS)


def test_call_of_the_x32_abi_kills(programs: Programs) -> None:
    def body() -> None:
        confine(programs[False])
        syscalls.libc.syscall(ctypes.c_long(0x40000000 | 39))

    assert exit_code_of_child(body) == -signal.SIGSYS


INT_80 = """
#include <sys/prctl.h>
int main(void)
{
    long result;
    /* getpid of i386 */
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    return result > 0 ? 7 : 8;
}
"""


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("sys_admin", [False, True])
def test_call_of_the_i386_abi_kills(programs: Programs, tmp_path: Path, sys_admin: bool) -> None:
    (tmp_path / "int80.c").write_text(INT_80)
    subprocess.run(["gcc", "-o", tmp_path / "int80", tmp_path / "int80.c"], check=True, timeout=60)

    def body() -> int:
        pid = os.fork()
        if pid == 0:
            confine(programs[sys_admin])
            os.execv(tmp_path / "int80", ["int80"])
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert run_in_child(body) == -signal.SIGSYS


@pytest.mark.root
@pytest.mark.parametrize("name", ["mount", "umount2", "setns", "bpf", "perf_event_open"])
def test_app_with_sys_admin_gets_what_belongs_to_it(programs: Programs, name: str) -> None:
    """EPERM may still be the kernel's answer; the filter's is seen by a call that fails earlier for another reason."""
    arguments = {"setns": (99999, 0), "umount2": (0, 0), "mount": (0, 0, 0, 0, 0), "bpf": (9999, 0, 1 << 30)}
    without = errno_of(programs[True], NR[name], *arguments.get(name, ()))
    assert errno_of(programs[False], NR[name], *arguments.get(name, ())) == errno.EPERM
    assert without not in (errno.EPERM, errno.ENOSYS)


def test_app_with_sys_admin_still_cannot_load_modules(programs: Programs) -> None:
    assert errno_of(programs[True], NR["init_module"]) == errno.EPERM
    assert errno_of(programs[True], NR["reboot"]) == errno.EPERM
    assert errno_of(programs[True], NR["clone3"]) == errno.ENOSYS


PROGRAM_OF_TODAY = """
import concurrent.futures, os, select, socket, subprocess, tempfile, threading
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(abs, range(-9, 0))) == 45
assert subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode == 3
server = socket.create_server(("127.0.0.1", 0))
poll = select.epoll()
poll.register(server)
client = socket.create_connection(server.getsockname())
assert poll.poll(5)
fd = os.pidfd_open(os.getpid())
with tempfile.TemporaryFile() as file:
    file.write(b"x" * 100000)
    os.posix_fallocate(file.fileno(), 0, 200000)
os.statvfs("/"); os.getrandom(8); os.memfd_create("x"); os.sched_getaffinity(0); os.eventfd(0)
pid = os.fork()
if not pid:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED)
print("done")
"""


def test_program_of_today_runs(programs: Programs) -> None:
    """A Python with threads, subprocesses, sockets, epoll, pidfd, memfd: a dynamic program on today's glibc."""

    def body() -> tuple[int, str]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            confine(programs[False])
            os.execv("/proc/self/exe", ["python3", "-I", "-S", "-c", PROGRAM_OF_TODAY])
        os.close(writer)
        told = b""
        while data := os.read(reader, 65536):
            told += data
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told.decode()

    assert run_in_child(body) == (0, "done\n")
