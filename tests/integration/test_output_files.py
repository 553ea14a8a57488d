"""stdout and stderr that are regular files: complete, separate, appended to, and out of the app's hands."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from harness.stocked_store import PodRuns


def run_into(runs: PodRuns, out: Path, err: Path, *words: str) -> int:
    """Run the probe with its streams in these files, which are appended to; its status."""
    argv = runs.rkt.argv(*runs.argv(*words))
    with out.open("ab") as stdout, err.open("ab") as stderr:
        return subprocess.run(argv, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, check=False).returncode


def test_files_get_every_byte_each_its_own(runs: PodRuns, tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    out.write_bytes(b"before\n")
    size = 3_000_000
    assert run_into(runs, out, err, "flood", str(size), "+", "print-err", "problem", "+", "exit", "7") == 7
    assert out.read_bytes().startswith(b"before\n")
    assert out.stat().st_size == len(b"before\n") + size
    assert err.read_bytes().endswith(b"problem\n")


def test_app_can_change_neither_mode_nor_owner_of_the_file(runs: PodRuns, tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    words = ["try", "chmod", "4755", "/proc/self/fd/1", "+", "try", "chown", "/proc/self/fd/2", "1000", "1000"]
    run_into(runs, out, err, *words)
    for path in (out, err):
        status = path.stat()
        assert (stat.S_IMODE(status.st_mode) & 0o7000, status.st_uid) == (0, os.geteuid())


def test_one_file_for_both_streams_gets_both(runs: PodRuns, tmp_path: Path) -> None:
    both = tmp_path / "both"
    run_into(runs, both, both, "print-out", "one", "+", "print-err", "two")
    assert {b"one", b"two"} <= set(both.read_bytes().splitlines())
