"""The list of allowed skips is enforced: what is not on it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from harness.skips import is_allowed, load_allowed_skips

SUITE = """
import pytest

def test_allowed():
    pytest.skip("no kernel of that kind")

def test_not_allowed():
    pytest.skip("I did not feel like it")

def test_runs():
    assert True
"""


def test_unlisted_skip_becomes_a_failure(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "conftest.py").write_text((repository / "tests" / "conftest.py").read_text())
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "allowed.txt").write_text("*::test_allowed | no kernel*  # a comment\n")
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {repository / 'tests'} {repository / 'fixtures/aci'}\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--allowed-skips=allowed.txt", "-v"]
    report = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False).stdout
    assert "1 failed, 1 passed, 1 skipped" in report, report
    assert "unexpected skip (I did not feel like it)" in report


def test_reason_counts_as_well_as_the_name() -> None:
    rules = [("tests/a.py::*", "needs root*")]
    assert is_allowed(rules, test="tests/a.py::test_x", reason="needs root: not root")
    assert not is_allowed(rules, test="tests/a.py::test_x", reason="too slow")
    assert not is_allowed(rules, test="tests/b.py::test_x", reason="needs root: not root")


def test_line_without_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("tests/a.py::*\n")
    with pytest.raises(ValueError, match="not TEST"):
        load_allowed_skips(tmp_path / "list")
