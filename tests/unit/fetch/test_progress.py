from __future__ import annotations

import os
import pty

import pytest

from rkt.fetch.progress import Progress, format_progress, format_size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (2_490_000, "2.49 MB"),
        (3_580_000, "3.58 MB"),
        (999_600, "1 MB"),
        (163_000_000, "163 MB"),
        (5_000_000_000_000_000, "5e+03 TB"),
    ],
)
def test_sizes_have_three_digits(count: int, text: str) -> None:
    assert format_size(count) == text


def test_the_line_is_the_founding_documents() -> None:
    line = format_progress("Downloading aci", count=2_490_000, total=3_580_000)
    assert line == "Downloading aci: [" + "=" * 30 + ">" + " " * 14 + "] 2.49 MB/3.58 MB"


@pytest.mark.parametrize(
    ("count", "total", "bar"), [(0, 10, " " * 45), (10, 10, "=" * 45), (20, 10, "=" * 45), (0, 0, "=" * 45)]
)
def test_the_bar_stays_in_its_frame(count: int, total: int, bar: str) -> None:
    assert f"[{bar}]" in format_progress("x", count=count, total=total)


def test_without_a_total_the_count_is_shown() -> None:
    assert format_progress("x", count=5000, total=None) == "x: 5 KB"


def test_nothing_is_drawn_unless_stderr_is_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress("Downloading aci", total=10) as progress:
        progress.advance(10)
    assert capfd.readouterr().err == ""


def test_a_terminal_sees_one_line_that_ends_complete() -> None:
    """In a child of its own: stderr is the process's."""
    pid, terminal = pty.fork()
    if pid == 0:
        with Progress("Downloading aci", total=1000) as progress:
            for _ in range(1000):
                progress.advance(1)
            progress.advance(0)
            os.write(2, b"verdict\n")
        os._exit(0)
    shown = b""
    while not shown.endswith(b"verdict\r\n"):
        shown += os.read(terminal, 4096)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert shown.count(b"\n") == 2
    assert shown.count(b"\r") <= 9
    assert shown.endswith(b"] 1 KB/1 KB\r\nverdict\r\n")
