"""Terminals of a pod's own devpts, and the mode of the caller's terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.linux import syscalls
from rkt.linux.terminal import RawMode, copy_window_size, open_terminal, take_controlling_terminal


@pytest.fixture
def terminal() -> Iterator[int]:
    """The slave of a pseudo-terminal."""
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def mount_devpts(directory: Path) -> str:
    syscalls.mount("devpts", str(directory), "devpts", 0, "newinstance,ptmxmode=0666,mode=0620")
    return str(directory)


@pytest.mark.root
def test_terminals_are_numbered_in_their_own_devpts(tmp_path: Path) -> None:
    def body() -> tuple[list[int], list[str], bool]:
        devpts = mount_devpts(tmp_path)
        terminals = [open_terminal(devpts) for _ in range(2)]
        inheritable = any(os.get_inheritable(master) for master, _ in terminals)
        return [number for _, number in terminals], sorted(os.listdir(devpts)), inheritable

    before = os.listdir("/dev/pts")
    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) == ([0, 1], ["0", "1", "ptmx"], False)
    assert os.listdir("/dev/pts") == before


@pytest.mark.root
def test_terminal_is_unlocked_and_carries_bytes(tmp_path: Path) -> None:
    def body() -> bytes:
        devpts = mount_devpts(tmp_path)
        master, number = open_terminal(devpts)
        slave = os.open(f"{devpts}/{number}", os.O_RDWR | os.O_NOCTTY)
        os.write(slave, b"hello")
        return os.read(master, 100)

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) == b"hello"


def test_directory_without_ptmx_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_terminal(str(tmp_path))


def test_file_that_is_no_ptmx_is_an_error_and_leaves_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "ptmx").touch()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        open_terminal(str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_session_leader_takes_a_controlling_terminal(terminal: int) -> None:
    path = os.ttyname(terminal)

    def body() -> tuple[list[bool], str]:
        os.setsid()
        take_controlling_terminal(path)
        with open("/dev/tty", "rb") as control:
            return [os.isatty(fd) for fd in (0, 1, 2)], os.ttyname(control.fileno())

    assert run_in_child(body) == ([True] * 3, "/dev/tty")


def test_who_leads_no_session_gets_no_terminal(terminal: int) -> None:
    path = os.ttyname(terminal)

    def body() -> None:
        os.setsid()
        if os.fork() == 0:
            try:
                take_controlling_terminal(path)
            except OSError:
                os._exit(1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 1

    run_in_child(body)


def window_size(fd: int) -> tuple[int, int]:
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
    return rows, columns


def test_window_size_is_copied(terminal: int) -> None:
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 43, 132, 0, 0))
        copy_window_size(terminal, master)
        assert window_size(slave) == (43, 132)
    finally:
        os.close(master)
        os.close(slave)


def test_window_size_of_what_is_no_terminal_is_left(terminal: int, tmp_path: Path) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 43, 132, 0, 0))
    with open(tmp_path / "file", "wb") as file:
        copy_window_size(file.fileno(), terminal)
        copy_window_size(terminal, file.fileno())
    assert window_size(terminal) == (43, 132)


def test_raw_mode_passes_every_byte_and_is_undone(terminal: int) -> None:
    before = termios.tcgetattr(terminal)
    with RawMode(terminal):
        inside = termios.tcgetattr(terminal)
    assert termios.tcgetattr(terminal) == before
    assert not inside[3] & (termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
    assert not inside[0] & (termios.ICRNL | termios.IXON)
    assert not inside[1] & termios.OPOST
    assert before[3] & termios.ECHO, "the test would prove nothing"


def test_raw_mode_is_undone_after_an_error(terminal: int) -> None:
    before = termios.tcgetattr(terminal)
    with pytest.raises(KeyError), RawMode(terminal):
        raise KeyError
    assert termios.tcgetattr(terminal) == before


def test_raw_mode_of_what_is_no_terminal_does_nothing(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file, RawMode(file.fileno()):
        pass
