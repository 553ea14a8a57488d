"""rkt.pod.phases"""

from __future__ import annotations

import pytest

from rkt.paths import POD_PHASES
from rkt.pod.phases import may_follow, phases_from, state_of

TABLE = [
    ("embryo", "embryo", "embryo"),
    ("prepare", "preparing", "aborted prepare"),
    ("prepared", "prepared", "prepared"),
    ("run", "running", "exited"),
    ("exited-garbage", "exited deleting", "exited garbage"),
    ("garbage", "deleting", "garbage"),
]


@pytest.mark.parametrize(("phase", "locked", "unlocked"), TABLE)
def test_state_is_the_phase_and_the_lock(phase: str, locked: str, unlocked: str) -> None:
    assert state_of(phase, locked=True) == locked
    assert state_of(phase, locked=False) == unlocked


def test_pods_only_move_forwards() -> None:
    allowed = {(a, b) for a in POD_PHASES for b in POD_PHASES if may_follow(a, target=b)}
    assert allowed == {
        ("embryo", "prepare"),
        ("embryo", "garbage"),
        ("prepare", "prepared"),
        ("prepare", "run"),
        ("prepare", "garbage"),
        ("prepared", "run"),
        ("prepared", "garbage"),
        ("run", "exited-garbage"),
        ("exited-garbage", "garbage"),
    }
    assert all(POD_PHASES.index(a) < POD_PHASES.index(b) for a, b in allowed)


def test_phases_from_includes_the_first() -> None:
    assert phases_from("run") == ("run", "exited-garbage", "garbage")
