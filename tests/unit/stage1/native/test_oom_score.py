"""The OOM score of an app: what its isolator says, else 0, never the caller's."""

from __future__ import annotations

from pathlib import Path

from harness.native_pod import NativePod


def _take_the_blame() -> None:
    Path("/proc/self/oom_score_adj").write_text("500")


def test_oom_score_of_the_caller_is_not_the_apps(pod: NativePod) -> None:
    pod.add_app("web", "cat", "/proc/self/oom_score_adj")
    assert pod.run(before=_take_the_blame).checked().stdout == b"0\n"


def test_oom_score_of_the_isolator_counts(pod: NativePod) -> None:
    isolators = [{"name": "os/linux/oom-score-adj", "value": 700}]
    pod.add_app("web", "cat", "/proc/self/oom_score_adj", isolators=isolators)
    assert pod.run(before=_take_the_blame).checked().stdout == b"700\n"
