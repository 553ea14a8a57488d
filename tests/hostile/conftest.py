"""Fixtures of the attacks that are run through the installed ``rkt``: it, a filled store, and a canary beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.mountinfo import load_mounts
from harness.processes import find_processes
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns, StockedStore
from harness.trees import snapshot


@pytest.fixture(scope="session")
def stocked_store(tmp_path_factory: pytest.TempPathFactory, fixture_images: Path) -> StockedStore:
    """The fixture images in a data directory that is made once."""
    return StockedStore(tmp_path_factory.mktemp("stocked"), fixture_images)


@pytest.fixture
def runs(tmp_path: Path, stocked_store: StockedStore) -> Iterator[PodRuns]:
    """Pods of the fixture images; afterwards nothing of them runs or is mounted. Other tests may run beside this."""
    command = RktCommand(tmp_path / "machine")
    stocked_store.copy_to(command.data)
    yield PodRuns(command, stocked_store.ids)
    assert not [mount for mount in load_mounts() if mount.target.startswith(f"{tmp_path}/")]
    assert not [text for text in find_processes(str(command.data)).values() if str(command.data) in text]


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A tree of the host that no pod may change: content, modes, owners, times and attributes are compared."""
    root = tmp_path / "canary"
    for name in ("etc", "bin", "deep/er"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("sings")
    before = snapshot(root)
    yield root
    assert snapshot(root) == before, "the host was changed"
