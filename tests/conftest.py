"""Fixtures and rules for every test: where the fixture images lie, what a test needs, which skips are allowed."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from harness.capabilities import skip_unless_served
from harness.skips import SkipPolice, load_allowed_skips

from rkt import diagnostics

# a busy machine is no failure: no example has a deadline
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--allowed-skips",
        type=Path,
        metavar="FILE",
        help="fail a test that skips unless FILE allows it (harness/skips.py)",
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--allowed-skips")
    if path is not None:
        config.pluginmanager.register(SkipPolice(load_allowed_skips(path)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    skip_unless_served(item)


@pytest.fixture(autouse=True)
def fresh_diagnostics() -> None:
    """The prefix and the debug switch as they are before a verb has begun: a test before this one may have set them."""
    diagnostics.configure(prefix="rkt", debug=False)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the work tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def fixture_images() -> Path:
    """The directory of the committed images: ``fixture_images / "hello.aci"``, its ``.asc``, and the key."""
    return REPOSITORY / "fixtures" / "aci"
