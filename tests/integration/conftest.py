"""Integration tests run the installed ``rkt`` as root, each in directories of its own and inside the leak check."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.leak_check import leak_check
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns, StockedStore

__all__ = ["leak_check"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.root)


@pytest.fixture
def rkt(tmp_path: Path, leak_check: None) -> RktCommand:
    """The installed ``rkt`` with empty data and configuration directories below ``tmp_path``."""
    return RktCommand(tmp_path)


@pytest.fixture
def trusting_rkt(rkt: RktCommand, fixture_images: Path) -> RktCommand:
    """``rkt`` that trusts the fixture key, so that the committed images run as they are."""
    rkt("trust", "--root", "--skip-fingerprint-review", fixture_images / "fixture-key.asc").checked()
    return rkt


@pytest.fixture(scope="session")
def stocked_store(tmp_path_factory: pytest.TempPathFactory, fixture_images: Path) -> StockedStore:
    """The fixture images in a data directory that is made once."""
    return StockedStore(tmp_path_factory.mktemp("stocked"), fixture_images)


@pytest.fixture
def runs(rkt: RktCommand, stocked_store: StockedStore) -> PodRuns:
    """Pods of the fixture images, which are in the store of ``rkt`` already."""
    stocked_store.copy_to(rkt.data)
    return PodRuns(rkt, stocked_store.ids)
