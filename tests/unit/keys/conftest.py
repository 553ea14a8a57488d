"""Keys that are made once for all tests of this package."""

from __future__ import annotations

import time

import pytest
from harness.openpgp_forge import ForgedKey

LONG_AGO = int(time.time()) - 86400 * 400


@pytest.fixture(scope="session")
def key() -> ForgedKey:
    return ForgedKey(at=LONG_AGO)


@pytest.fixture(scope="session")
def other_key() -> ForgedKey:
    return ForgedKey(at=LONG_AGO)
