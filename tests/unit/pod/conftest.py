"""A data directory and a maker of pods in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.paths import DataDirectory


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    """An empty data directory that does not exist yet."""
    return DataDirectory(str(tmp_path / "data"))


@pytest.fixture
def pods(data: DataDirectory) -> PodFactory:
    return PodFactory(data)
