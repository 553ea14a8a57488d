"""What other processes see of a command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.forked_child import run_in_child

from rkt.linux.process_title import set_process_title

PROGRAM = """
import sys
from rkt.linux.process_title import set_process_title
set_process_title(sys.argv[2])
print(open("/proc/self/cmdline").read(), end="")
"""


def command_line_after(title: str, *, secret: str) -> str:
    """/proc/self/cmdline of a process that was called with ``secret`` and took ``title``."""
    command = [sys.executable, "-I", "-c", PROGRAM, secret, title]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_words_of_the_caller_are_gone() -> None:
    shown = command_line_after("rkt: init", secret="--set-env=PASSWORD=hunter2")
    assert shown.rstrip("\0") == "rkt: init"


def test_title_is_cut_to_the_room_that_there_is() -> None:
    title = "t" * 10_000
    shown = command_line_after(title, secret="hunter2").rstrip("\0")
    assert 0 < len(shown) < len(title) + 1000
    assert set(shown) == {"t"}


def test_environment_behind_the_command_line_is_left_alone() -> None:
    own = dict(os.environ)
    pid = os.getpid()

    def body() -> tuple[bytes, bytes]:
        before = Path(f"/proc/{pid}/environ").read_bytes()
        set_process_title("x" * 1_000_000)
        return before, Path("/proc/self/environ").read_bytes()

    before, after = run_in_child(body)
    assert before == after
    assert dict(os.environ) == own
