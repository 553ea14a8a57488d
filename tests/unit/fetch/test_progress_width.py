"""The progress line fits the terminal that it is drawn on: a wrapped line could not be drawn over again."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios

import pytest

from rkt.fetch.progress import Progress, format_progress

TOTAL = 3_580_000


@pytest.mark.parametrize("columns", [1, 10, 20, 30, 40, 60, 81, 200])
def test_the_line_is_shorter_than_the_terminal(columns: int) -> None:
    for count in (0, 2_490_000, TOTAL):
        for total in (TOTAL, None):
            assert len(format_progress("Downloading aci", count=count, total=total, columns=columns)) < max(columns, 2)


def test_a_wide_terminal_changes_nothing() -> None:
    line = format_progress("Downloading aci", count=2_490_000, total=TOTAL)
    assert format_progress("Downloading aci", count=2_490_000, total=TOTAL, columns=200) == line


def test_the_bar_gives_way_before_the_numbers() -> None:
    line = format_progress("Downloading aci", count=2_490_000, total=TOTAL, columns=60)
    assert line == "Downloading aci: [" + "=" * 15 + ">" + " " * 8 + "] 2.49 MB/3.58 MB"
    assert len(line) == 59
    line = format_progress("Downloading aci", count=2_490_000, total=TOTAL, columns=40)
    assert line == "Downloading aci: 2.49 MB/3.58 MB"
    line = format_progress("Downloading aci", count=2_490_000, total=TOTAL, columns=20)
    assert line == "2.49 MB/3.58 MB"


@pytest.mark.parametrize("columns", [20, 0])
def test_the_width_is_the_terminals(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    saved = os.dup(2)
    os.dup2(theirs, 2)
    try:
        with Progress("Downloading aci", total=TOTAL) as progress:
            progress.advance(TOTAL)
    finally:
        os.dup2(saved, 2)
        for fd in (saved, theirs):
            os.close(fd)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "\x1b" not in shown
    lines = [line for line in shown.replace("\r\n", "").split("\r") if line]
    assert lines and all(len(line) < (columns or 82) for line in lines)
