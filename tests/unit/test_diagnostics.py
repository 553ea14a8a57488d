"""Lines on stderr: prefixed, safe for a terminal, quiet unless asked."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from harness.forked_child import run_in_child
from hypothesis import given
from hypothesis import strategies as st

from rkt import diagnostics


@pytest.fixture(autouse=True)
def usual_state() -> Iterator[None]:
    diagnostics.configure(prefix="run", debug=False)
    yield
    diagnostics.configure(prefix="rkt", debug=False)


def test_every_line_has_the_prefix(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.line("first\nsecond")
    diagnostics.line("third", prefix="stage1")
    assert capfd.readouterr() == ("", "run: first\nrun: second\nstage1: third\n")


def test_warning_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.warning("no room")
    assert capfd.readouterr().err == "run: warning: no room\n"


def test_debug_is_quiet_until_asked(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.debug("unseen")
    assert not diagnostics.debug_enabled()
    diagnostics.configure(prefix="run", debug=True)
    diagnostics.debug("seen")
    assert diagnostics.debug_enabled()
    assert capfd.readouterr().err == "run: seen\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("tab\there", "tab\there"),
        ("café 日本", "café 日本"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udc80", "\\udc80"),
        ("\U000e0001", "\\U000e0001"),
        ("\x7f\x00", "\\x7f\\x00"),
    ],
)
def test_what_could_steer_a_terminal_is_made_visible(text: str, shown: str) -> None:
    assert diagnostics.printable(text) == shown


@given(st.text())
def test_nothing_printed_steers_a_terminal(text: str) -> None:
    shown = diagnostics.printable(text)
    assert all(character == "\t" or character.isprintable() for character in shown)
    assert diagnostics.printable(shown) == shown


def test_image_cannot_forge_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.line("name\rrun: everything is fine\x1b[2K")
    assert capfd.readouterr().err == "run: name\\x0drun: everything is fine\\x1b[2K\n"


def test_closed_stderr_is_not_an_error() -> None:
    def body() -> None:
        os.close(2)
        diagnostics.line("unheard")

    run_in_child(body)


def test_reader_that_went_away_is_not_an_error() -> None:
    def body() -> None:
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 2)
        diagnostics.line("unheard")

    run_in_child(body)


def test_long_line_is_written_whole() -> None:
    def body() -> tuple[int, bytes]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os.dup2(writer, 2)
            os.close(writer)
            diagnostics.line("x" * 300_000)
            os._exit(0)
        os.close(writer)
        told = b""
        while data := os.read(reader, 65536):
            told += data
        return len(told), told[:6]

    assert run_in_child(body) == (300_000 + len("run: \n"), b"run: x")
