"""Each wrapper against the real kernel, in a child that has left the machine's namespaces first."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
from pathlib import Path

import pytest
from harness.forked_child import exit_code_of_child, run_in_child
from harness.mountinfo import MountLine, load_mounts

from rkt.linux import syscalls

NEWNS, NEWUTS = syscalls.CLONE_NEWNS, syscalls.CLONE_NEWUTS


def mount_on(path: Path) -> MountLine | None:
    return next((line for line in reversed(load_mounts()) if line.target == str(path)), None)


@pytest.mark.root
def test_mount_and_umount2(tmp_path: Path) -> None:
    def body() -> tuple[MountLine | None, MountLine | None]:
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
        syscalls.mount("mark", str(tmp_path), "tmpfs", flags, "size=64k,mode=0711")
        mounted = mount_on(tmp_path)
        syscalls.umount2(str(tmp_path), syscalls.MNT_DETACH)
        return mounted, mount_on(tmp_path)

    mounted, after = run_in_child(body, unshare=NEWNS)
    assert mounted is not None and (mounted.kind, mounted.source) == ("tmpfs", "mark")
    assert {"nosuid", "nodev"} <= mounted.options
    assert {"size=64k", "mode=711"} <= mounted.super_options
    assert after is None
    assert mount_on(tmp_path) is None, "it is in the namespace of the tests"


def test_failed_call_names_itself_its_object_and_the_reason(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        syscalls.mount("x", f"{tmp_path}/missing", "tmpfs", 0)
    assert caught.value.errno in (errno.ENOENT, errno.EPERM)
    assert caught.value.strerror == f'mount "{tmp_path}/missing": {os.strerror(caught.value.errno)}'


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (lambda: syscalls.umount2("/proc/self/fd"), {errno.EINVAL, errno.EPERM}),
        (lambda: syscalls.unshare(1), {errno.EINVAL}),
        (lambda: syscalls.setns(-1), {errno.EBADF}),
        (lambda: syscalls.pivot_root("/missing", "/missing"), {errno.ENOENT, errno.EPERM}),
        (lambda: syscalls.prctl(-1), {errno.EINVAL}),
        (lambda: syscalls.close_range(5, 4), {errno.EINVAL}),
        (lambda: syscalls.syncfs(-1), {errno.EBADF}),
        (lambda: syscalls.mount_setattr(-1, "missing", set_attributes=1), {errno.EBADF, errno.EPERM}),
        (lambda: syscalls.open_tree("/missing", recursive=False), {errno.ENOENT, errno.EPERM}),
        (lambda: syscalls.move_mount(-1, -1), {errno.EBADF, errno.EPERM}),
        (lambda: syscalls.capset(effective=1, permitted=0, inheritable=0), {errno.EPERM}),
        (lambda: syscalls.seccomp_load(b""), {errno.EINVAL}),
        (lambda: syscalls.sethostname("x" * 65), {errno.EINVAL, errno.EPERM}),
    ],
)
def test_failure_of_each_call_is_the_kernels(call: object, number: set[int]) -> None:
    with pytest.raises(OSError) as caught:
        run_in_child(call)  # type: ignore[arg-type]
    assert caught.value.errno in number


@pytest.mark.root
def test_unshare_and_setns_change_namespaces() -> None:
    def body() -> tuple[bool, bool]:
        before = os.readlink("/proc/self/ns/uts")
        fd = os.open("/proc/self/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
        syscalls.unshare(NEWUTS)
        left = os.readlink("/proc/self/ns/uts") != before
        syscalls.setns(fd, NEWUTS)
        return left, os.readlink("/proc/self/ns/uts") == before

    assert run_in_child(body) == (True, True)


@pytest.mark.root
def test_sethostname_stays_in_its_namespace() -> None:
    before = socket.gethostname()

    def body() -> str:
        syscalls.sethostname("rkt-test")
        return socket.gethostname()

    assert run_in_child(body, unshare=NEWUTS) == "rkt-test"
    assert socket.gethostname() == before


@pytest.mark.root
def test_pivot_root_stacks_the_old_root(tmp_path: Path) -> None:
    (tmp_path / "only").write_text("new")

    def body() -> list[str]:
        syscalls.mount(str(tmp_path), str(tmp_path), None, syscalls.MS_BIND)
        os.chdir(tmp_path)
        syscalls.pivot_root(".", ".")
        syscalls.umount2(".", syscalls.MNT_DETACH)
        return os.listdir("/")

    assert run_in_child(body, unshare=NEWNS) == ["only"]


def test_prctl_sets_and_tells() -> None:
    def body() -> int:
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
        return syscalls.prctl(3)  # PR_GET_DUMPABLE

    assert run_in_child(body) == 0


def test_close_range_closes_or_marks() -> None:
    def body() -> tuple[bool, bool, bool]:
        low, marked, closed = (os.open("/dev/null", os.O_RDONLY) for _ in range(3))
        for fd in (low, marked, closed):
            os.set_inheritable(fd, True)
        syscalls.close_range(closed, closed)
        syscalls.close_range(marked, marked, close_on_exec=True)
        try:
            fcntl.fcntl(closed, fcntl.F_GETFD)
            gone = False
        except OSError:
            gone = True
        return os.get_inheritable(low), os.get_inheritable(marked), gone

    assert run_in_child(body) == (True, False, True)


def test_syncfs_takes_any_descriptor_of_the_file_system(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        syscalls.syncfs(fd)
    finally:
        os.close(fd)


@pytest.mark.root
def test_detached_mount_is_changed_and_attached(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "file").write_text("content")

    def body() -> tuple[str, int, bool, MountLine | None]:
        tree = syscalls.open_tree(str(source), recursive=False)
        inheritable = os.get_inheritable(tree)
        syscalls.mount_setattr(tree, "", set_attributes=syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID)
        target_fd = os.open(target, os.O_PATH | os.O_CLOEXEC)
        syscalls.move_mount(tree, target_fd)
        try:
            (target / "file").write_text("changed")
            number = 0
        except OSError as error:
            number = error.errno or -1
        return (target / "file").read_text(), number, inheritable, mount_on(target)

    text, number, inheritable, line = run_in_child(body, unshare=NEWNS)
    assert (text, number, inheritable) == ("content", errno.EROFS, False)
    assert line is not None and {"ro", "nosuid"} <= line.options


@pytest.mark.root
def test_mount_setattr_reaches_submounts_only_when_recursive(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()

    def body(*, recursive: bool) -> tuple[bool, bool]:
        syscalls.mount("a", str(tmp_path), "tmpfs", 0)
        (tmp_path / "sub").mkdir()
        syscalls.mount("b", f"{tmp_path}/sub", "tmpfs", 0)
        attributes = syscalls.MOUNT_ATTR_RDONLY
        syscalls.mount_setattr(syscalls.AT_FDCWD, str(tmp_path), set_attributes=attributes, recursive=recursive)
        lines = mount_on(tmp_path), mount_on(tmp_path / "sub")
        return tuple(line is not None and "ro" in line.options for line in lines)  # type: ignore[return-value]

    assert run_in_child(lambda: body(recursive=False), unshare=NEWNS) == (True, False)
    assert run_in_child(lambda: body(recursive=True), unshare=NEWNS) == (True, True)


@pytest.mark.root
def test_open_tree_takes_submounts_only_when_recursive(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub").mkdir(parents=True)
    target.mkdir()

    def body(*, recursive: bool) -> list[str]:
        syscalls.mount("b", f"{source}/sub", "tmpfs", 0)
        (source / "sub/inside").touch()
        tree = syscalls.open_tree(str(source), recursive=recursive)
        target_fd = os.open(target, os.O_PATH | os.O_CLOEXEC)
        syscalls.move_mount(tree, target_fd)
        return os.listdir(target / "sub")

    assert run_in_child(lambda: body(recursive=True), unshare=NEWNS) == ["inside"]
    assert run_in_child(lambda: body(recursive=False), unshare=NEWNS) == []


@pytest.mark.root
def test_capget_tells_what_capset_set() -> None:
    low, high = 1 << 10, 1 << 39  # one in each half of the kernel's structure

    def body() -> tuple[tuple[int, int, int], str]:
        syscalls.capset(effective=low, permitted=low | high, inheritable=high)
        status = Path("/proc/self/status").read_text()
        return syscalls.capget(), "".join(line for line in status.splitlines(True) if line.startswith("Cap"))

    masks, status = run_in_child(body)
    assert masks == (low, low | high, high)
    assert f"CapPrm:\t{low | high:016x}\n" in status
    assert f"CapEff:\t{low:016x}\n" in status
    assert f"CapInh:\t{high:016x}\n" in status


def test_seccomp_load_installs_a_filter_without_privilege() -> None:
    # return SECCOMP_RET_ALLOW
    allow = (6).to_bytes(2, "little") + b"\0\0" + (0x7FFF0000).to_bytes(4, "little")

    def body() -> str:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        syscalls.seccomp_load(allow)
        return Path("/proc/self/status").read_text()

    assert "Seccomp:\t2\n" in run_in_child(body)


def test_session_keyring_is_left_for_a_new_one() -> None:
    def session_keyring() -> int:
        get_id, session = 0, -3
        return int(syscalls.libc.syscall(ctypes.c_long(250), ctypes.c_int(get_id), ctypes.c_int(session), 0))

    def body() -> tuple[int, int]:
        before = session_keyring()
        syscalls.join_new_session_keyring()
        return before, session_keyring()

    before, after = run_in_child(body)
    assert after > 0
    assert after != before


def test_child_that_is_killed_is_told_apart() -> None:
    """The tests' own instrument: a killed child is never taken for a success."""
    assert exit_code_of_child(lambda: os.kill(os.getpid(), 9)) == -9
    assert exit_code_of_child(lambda: None) == 0
