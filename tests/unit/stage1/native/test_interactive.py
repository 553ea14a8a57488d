"""An interactive pod on a terminal of the test's own: its modes, its size, its keys."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import termios
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness.native_pod import NativePod, RunningPod

pytestmark = [pytest.mark.root, pytest.mark.needs("overlay", "namespaces", "seccomp")]


class User:
    """Somebody at a terminal: ``master`` is the keyboard and the screen."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        os.set_blocking(self.master, False)
        self.screen = b""

    def sit_down(self) -> None:
        """In the supervisor: this terminal is its own, and its three streams."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for number in (0, 1, 2):
            os.dup2(self.slave, number)
        os.environ["TERM"] = "test-terminal"

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def look(self) -> bytes:
        """Everything that has appeared on the screen so far."""
        try:
            while data := os.read(self.master, 65536):
                self.screen += data
        except OSError:
            pass
        return self.screen

    def wait_for(self, text: bytes, timeout_seconds: float = 15.0) -> None:
        deadline = time.monotonic() + timeout_seconds
        while text not in self.look():
            assert time.monotonic() < deadline, self.screen
            time.sleep(0.005)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def user() -> Iterator[User]:
    somebody = User()
    yield somebody
    somebody.close()


def start(pod: NativePod, user: User) -> RunningPod:
    return pod.start(interactive=True, before=user.sit_down)


def fact(screen: bytes, name: str) -> Any:
    line = next(line for line in screen.splitlines() if line.startswith(b'{"' + name.encode()))
    return json.loads(line)[name]


def test_app_has_a_terminal_of_its_own_with_the_users_size(pod: NativePod, user: User) -> None:
    pod.add_app("web", "tty", "+", "stat", "/dev/console", "+", "env")
    with start(pod, user) as running:
        assert running.wait().status == 0
    found = fact(user.look(), "tty")
    assert (found["stdin"], found["stdout"], found["stderr"], found["controlling"]) == (1, 1, 1, 1)
    assert (found["rows"], found["columns"]) == (33, 111)
    assert "TERM=test-terminal" in fact(user.look(), "env")


def test_what_is_typed_arrives_and_comes_back(pod: NativePod, user: User) -> None:
    pod.add_app("web", "print-out", "ready", "+", "copy-in")
    with start(pod, user) as running:
        user.wait_for(b"ready")
        user.type(b"hello\r")
        user.wait_for(b"hello\r\nhello\r\n")
        user.type(b"\x04")
        assert running.wait().status == 0


def test_interrupt_key_reaches_the_app(pod: NativePod, user: User) -> None:
    pod.add_app("web", "signals")
    with start(pod, user) as running:
        user.wait_for(b'"ready"')
        user.type(b"\x03")
        user.wait_for(b'"number": 2')
        assert running.wait().status == 0


def test_three_escapes_end_the_pod(pod: NativePod, user: User) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    before = termios.tcgetattr(user.slave)
    with start(pod, user) as running:
        user.wait_for(b"ready")
        started = time.monotonic()
        for _ in range(3):
            user.type(b"\x1d")
            time.sleep(0.1)
        assert running.wait().status == 137
    assert time.monotonic() - started < 5
    assert termios.tcgetattr(user.slave) == before
    assert b"Press ^] three times to kill container" in user.look()


def test_two_escapes_and_another_key_do_not(pod: NativePod, user: User) -> None:
    pod.add_app("web", "print-out", "ready", "+", "copy-in")
    with start(pod, user) as running:
        user.wait_for(b"ready")
        user.type(b"\x1d\x1dx\x1d\x1d\r")
        user.wait_for(b"x")
        user.type(b"\x04")
        assert running.wait().status == 0


def test_terminal_is_raw_while_the_pod_runs_and_as_before_afterwards(pod: NativePod, user: User) -> None:
    before = termios.tcgetattr(user.slave)
    pod.add_app("web", "print-out", "ready", "+", "copy-in")
    with start(pod, user) as running:
        user.wait_for(b"ready")
        assert not termios.tcgetattr(user.slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        user.type(b"\x04")
        running.wait().checked()
    assert termios.tcgetattr(user.slave) == before


def test_output_of_an_app_that_ends_at_once_is_complete(pod: NativePod, user: User) -> None:
    pod.add_app("web", "print-out", "x" * 3000, "+", "print-out", "end")
    with start(pod, user) as running:
        running.wait().checked()
    assert b"x" * 3000 in user.look()
    assert b"end\r\n" in user.look()


def test_only_one_app_may_be_interactive(pod: NativePod) -> None:
    pod.add_app("a", "exit", "0")
    pod.add_app("b", "exit", "0")
    outcome = pod.run(interactive=True)
    assert outcome.status == 254
    assert b"interactive option only supports pods with one app" in outcome.stderr
