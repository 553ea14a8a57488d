"""kill -9 between any two changes of a command: the next ordinary commands work, and gc leaves nothing (I1 to I5)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.crash_points import CrashPoints, sample
from harness.http_server import wait_until
from harness.pod_state import pod_states, temporary_files
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns, StockedStore

pytestmark = [pytest.mark.needs("strace"), pytest.mark.slow]
EVERYTHING = ("gc", "--grace-period=0s", "--expire-prepared=0s")


class Machine:
    """A data directory that is made anew for each point, from one prepared state."""

    def __init__(self, directory: Path, stock: StockedStore) -> None:
        self.runs = PodRuns(RktCommand(directory / "machine"), stock.ids)
        self.rkt = self.runs.rkt
        self.log = directory / "strace"
        self._original = directory / "original"
        stock.copy_to(self._original)
        self.reset()

    def reset(self) -> None:
        shutil.rmtree(self.rkt.data, ignore_errors=True)
        shutil.copytree(self._original, self.rkt.data, symlinks=True)

    def keep(self) -> None:
        """What the data directory holds now is the state from which each point begins."""
        shutil.rmtree(self._original)
        shutil.copytree(self.rkt.data, self._original, symlinks=True)

    def audit(self, *, images: int) -> None:
        """Nothing repaired by hand: lists work, an image runs, and gc gives everything back."""
        wait_until(lambda: "running" not in pod_states(self.rkt.data).values())
        self.rkt("list", "--full").checked()
        for uuid in pod_states(self.rkt.data):
            assert "Traceback" not in self.rkt("status", uuid).stderr
        assert self.runs("print-out", "well").stdout == "well\n"
        listed = self.rkt("image", "list", "--no-legend", "--fields=id").checked().stdout.splitlines()
        assert len(listed) >= images
        for _ in range(2):
            self.rkt(*EVERYTHING).checked()
        assert pod_states(self.rkt.data) == {}
        assert temporary_files(self.rkt.data) == []


@pytest.fixture
def machine(tmp_path: Path, leak_check: None, stocked_store: StockedStore) -> Machine:
    return Machine(tmp_path, stocked_store)


def visit(
    machine: Machine, words: list[str], after: Callable[[], None], *, points: int, children: bool = False
) -> None:
    """Kill the command at ``points`` moments, each from the same state, and call ``after``."""
    crash = CrashPoints(machine.rkt, words, machine.log, children=children)
    killed = 0
    chosen = sample(crash.find(), points)
    for call, number in chosen:
        machine.reset()
        killed += crash.kill_at(call, number)
        try:
            after()
        except AssertionError as error:
            raise AssertionError(f"killed at {call} number {number}: {error}") from error
    assert killed >= len(chosen) * 2 // 3, "hardly any point was hit"


def test_fetch_killed_anywhere(machine: Machine, fixture_images: Path) -> None:
    words = ["--insecure-options=image", "fetch", str(fixture_images / "tree-base.aci")]
    before = len(machine.runs.ids)

    def after() -> None:
        machine.rkt(*words).checked()
        machine.audit(images=before + 1)

    visit(machine, words, after, points=14)


def test_prepare_killed_anywhere(machine: Machine) -> None:
    words = machine.runs.argv("print-out", "x", verb="prepare", image="probe")
    visit(machine, words, lambda: machine.audit(images=len(machine.runs.ids)), points=12)


def test_run_killed_anywhere(machine: Machine) -> None:
    words = machine.runs.argv("print-out", "x")
    visit(machine, words, lambda: machine.audit(images=len(machine.runs.ids)), points=10)


def test_run_whose_init_or_app_is_killed_anywhere(machine: Machine) -> None:
    words = machine.runs.argv("print-out", "x")
    visit(machine, words, lambda: machine.audit(images=len(machine.runs.ids)), points=10, children=True)


def test_rm_killed_anywhere(machine: Machine) -> None:
    machine.runs("write", "/x", "y", flags=["--volume=v,kind=empty", "--mount=volume=v,target=/v"])
    (uuid,) = pod_states(machine.rkt.data)
    machine.keep()
    visit(machine, ["rm", uuid], lambda: machine.audit(images=len(machine.runs.ids)), points=9)


@pytest.mark.leaves_pods("prepared")
def test_gc_killed_anywhere(machine: Machine) -> None:
    machine.runs("print-out", "x")
    machine.rkt(*machine.runs.argv("print-out", verb="prepare", flags=["--no-overlay"])).checked()
    machine.keep()
    visit(machine, list(EVERYTHING), lambda: machine.audit(images=len(machine.runs.ids)), points=9)


def test_image_rm_killed_anywhere(machine: Machine) -> None:
    words = ["image", "rm", machine.runs.ids["writer"]]

    def after() -> None:
        machine.rkt(*words)
        machine.audit(images=len(machine.runs.ids) - 1)

    visit(machine, words, after, points=6)
