"""A skip is a failure unless it is on the list: ``--allowed-skips=FILE`` turns a silently shrinking suite red.

The file has one line for each skip that is allowed: *test* ``|`` *reason*, both with ``*`` for anything; ``#`` begins a
comment. Without the option skips are left alone, for a developer who is not root.
"""

from __future__ import annotations

from collections.abc import Generator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ALLOWED = pytest.StashKey[list[tuple[str, str]]]()


def load_allowed_skips(path: Path) -> list[tuple[str, str]]:
    """(pattern of the test's name, pattern of the reason) by line. Raises ValueError for a line without a reason."""
    rules: list[tuple[str, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        test, bar, reason = (part.strip() for part in text.partition("|"))
        if not bar or not test or not reason:
            raise ValueError(f"{path}:{number}: not TEST | REASON: {text!r}")
        rules.append((test, reason))
    return rules


def is_allowed(rules: list[tuple[str, str]], *, test: str, reason: str) -> bool:
    """Whether some rule matches both."""
    return any(fnmatchcase(test, pattern) and fnmatchcase(reason, why) for pattern, why in rules)


class SkipPolice:
    """Pytest plugin: a skip that no rule allows becomes a failure of that test."""

    def __init__(self, rules: list[tuple[str, str]]) -> None:
        self.rules = rules

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._judge(report, is_expected_failure=hasattr(report, "wasxfail"))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        self._judge(report, is_expected_failure=False)
        return report

    def _judge(self, report: pytest.TestReport | pytest.CollectReport, *, is_expected_failure: bool) -> None:
        if report.outcome != "skipped" or is_expected_failure:
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not is_allowed(self.rules, test=report.nodeid, reason=reason):
            report.outcome = "failed"
            report.longrepr = f"unexpected skip ({reason}); allow it in the list of allowed skips, or make it run"
