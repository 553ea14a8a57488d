"""A pod that is run by the native flavour, and nothing of which is left afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.native_pod import NativePod


@pytest.fixture
def pod(tmp_path: Path, fixture_images: Path) -> Iterator[NativePod]:
    """A pod without apps."""
    made = NativePod(tmp_path, fixture_images / "probe/probe")
    yield made
    assert made.leftovers() == []
