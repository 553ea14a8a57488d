"""``--interactive`` under a real terminal: the app's own terminal, window size, exit status, and the way out."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from harness.pseudo_terminal import PseudoTerminal
from harness.stocked_store import PodRuns


def interactive(runs: PodRuns, *commands: str, **options: Any) -> PseudoTerminal:
    return PseudoTerminal(runs.rkt.argv(*runs.argv(*commands, flags=["--interactive"])), **options)


def answer(terminal: PseudoTerminal, name: str) -> Any:
    for line in terminal.seen.decode().splitlines():
        if line.startswith(f'{{"{name}"'):
            return json.loads(line)[name]
    raise AssertionError(f"no {name} in {terminal.seen!r}")


def test_app_has_a_controlling_terminal_of_its_own_with_the_callers_size(runs: PodRuns) -> None:
    with interactive(runs, "tty", "+", "fds", "+", "env", "+", "pid", rows=33, columns=101) as terminal:
        assert terminal.wait() == 0, terminal.seen
    wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "rows": 33, "columns": 101, "controlling": 1}
    assert answer(terminal, "tty") == wanted
    assert answer(terminal, "fds") == {"0": "/dev/pts/0", "1": "/dev/pts/0", "2": "/dev/pts/0"}
    assert any(line.startswith("TERM=") for line in answer(terminal, "env"))


def test_change_of_the_window_reaches_the_app(runs: PodRuns) -> None:
    with interactive(runs, "signals", "20", "+", "tty") as terminal:
        terminal.read_until(b'"ready"')
        terminal.set_size(rows=50, columns=132)
        assert terminal.wait() == 0, terminal.seen
    assert answer(terminal, "signal")["number"] == 28
    size = answer(terminal, "tty")
    assert (size["rows"], size["columns"]) == (50, 132)


@pytest.mark.parametrize("status", [0, 9])
def test_exit_status_is_the_apps_and_the_terminal_is_as_before(runs: PodRuns, status: int) -> None:
    with interactive(runs, "print-out", "here", "+", "exit", str(status)) as terminal:
        assert terminal.wait() == status, terminal.seen
        assert terminal.current_mode() == terminal.mode
    assert b"here\r\n" in terminal.seen


def test_what_is_typed_arrives_and_end_of_file_ends_the_app(runs: PodRuns) -> None:
    with interactive(runs, "print-out", "go", "+", "copy-in") as terminal:
        terminal.read_until(b"go\r\n")
        terminal.type_in(b"typed\r")
        terminal.read_until(b"typed\r\ntyped\r\n")
        terminal.type_in(b"\x04")
        assert terminal.wait() == 0


def test_interrupt_key_goes_to_the_app_and_not_to_rkt(runs: PodRuns) -> None:
    with interactive(runs, "print-out", "go", "+", "sleep", "60") as terminal:
        terminal.read_until(b"go\r\n")
        terminal.type_in(b"\x03")
        assert terminal.wait() == 130


def test_three_escapes_within_a_second_end_the_pod(runs: PodRuns) -> None:
    with interactive(runs, "print-out", "go", "+", "sleep", "60") as terminal:
        terminal.read_until(b"go\r\n")
        began = time.monotonic()
        for _ in range(3):
            terminal.type_in(b"\x1d")
            time.sleep(0.02)
        assert terminal.wait() == 137
        assert time.monotonic() - began < 5
        assert terminal.current_mode() == terminal.mode


def test_two_escapes_or_three_with_another_key_between_reach_the_app(runs: PodRuns) -> None:
    with interactive(runs, "print-out", "go", "+", "copy-in", "+", "exit", "3") as terminal:
        terminal.read_until(b"go\r\n")
        terminal.type_in(b"\x1d\x1dx\x1d\r")
        terminal.read_until(b"\x1d\x1dx\x1d\r\n")
        terminal.type_in(b"\x04")
        assert terminal.wait() == 3, terminal.seen


def test_interactive_pod_without_a_terminal_copies_its_input(runs: PodRuns) -> None:
    result = runs("copy-in", flags=["--interactive"], input=b"from a pipe\n")
    assert "from a pipe" in result.stdout


def test_interactive_is_for_pods_of_one_app(runs: PodRuns) -> None:
    image = runs.ids["hello"]
    words = [image, "--name=first", image, "--name=second"]
    result = runs.rkt("run", "--net=none", "--interactive", *words).checked(254)
    assert "interactive option only supports one image" in result.stderr
