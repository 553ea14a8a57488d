"""rkt.pod.phase_clock"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.pod import phase_clock

YEARS = 10 * 365 * 86400


def shift(monkeypatch: pytest.MonkeyPatch, *, wall_seconds: int = 0, boot_seconds: int = 0) -> None:
    """Let the clocks of this process run ahead (or behind)."""
    real_wall: Callable[[], int] = time.time_ns
    real_boot: Callable[[int], int] = time.clock_gettime_ns
    monkeypatch.setattr(time, "time_ns", lambda: real_wall() + wall_seconds * 10**9)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: real_boot(clock) + boot_seconds * 10**9)


@pytest.mark.parametrize("phase", ["prepared", "exited-garbage"])
@pytest.mark.parametrize("wall_seconds", [YEARS, -YEARS])
def test_age_in_one_boot_ignores_the_wall_clock(
    pods: PodFactory, monkeypatch: pytest.MonkeyPatch, phase: str, wall_seconds: int
) -> None:
    with pods.make(phase) as pod:
        shift(monkeypatch, wall_seconds=wall_seconds, boot_seconds=100)
        assert 100 <= pod.phase_age_seconds() < 130


@pytest.mark.parametrize(
    "stamp",
    [None, b"", b"garbage", b"exited-garbage other-boot 0\n", b"prepared BOOT 0\n", b"run BOOT -5\n", b"x" * 999],
)
def test_age_without_a_stamp_of_this_phase_and_boot_is_that_of_the_rename(
    pods: PodFactory, monkeypatch: pytest.MonkeyPatch, stamp: bytes | None
) -> None:
    with pods.make("exited-garbage") as pod:
        file = Path(pod.path, phase_clock.STAMP)
        if stamp is None:
            file.unlink()
        else:
            boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
            file.write_bytes(stamp.replace(b"BOOT", boot))
        shift(monkeypatch, wall_seconds=500)
        assert 500 <= pod.phase_age_seconds() < 530


def test_age_is_never_negative(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    with pods.make("exited-garbage") as pod:
        shift(monkeypatch, wall_seconds=-YEARS, boot_seconds=-100)
        assert pod.phase_age_seconds() == 0
        Path(pod.path, phase_clock.STAMP).unlink()
        assert pod.phase_age_seconds() == 0


def test_stamp_that_cannot_be_written_is_no_error(pods: PodFactory) -> None:
    with pods.make("run", owned=True) as pod:
        os.symlink("/nonexistent", f"{pod.path}/{phase_clock.STAMP}")
        pod.move_to("exited-garbage")
        assert pod.phase_age_seconds() < 30
    assert not os.path.exists("/nonexistent")
