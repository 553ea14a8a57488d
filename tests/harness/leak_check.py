"""The fixture that is around every integration test: the machine after the test is the machine before it.

A test that means to leave a pod in a state other than ``exited`` or ``exited garbage`` says so with
``@pytest.mark.leaves_pods("prepared")``. What leaked is named, fails the test, and is then removed, so that one leak
is one failure.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.host_state import settled_differences, take_host_state, tidy
from harness.pod_state import data_directories, pod_states, temporary_files
from harness.processes import adopt_orphans

#: states in which a pod may be when its test has ended
USUAL_STATES = frozenset({"exited", "exited garbage"})


@pytest.fixture(autouse=True)
def leak_check(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Compares the machine before and after the test; fails with one line for each difference."""
    adopt_orphans()
    gc.collect()
    before = take_host_state(str(tmp_path))
    yield
    gc.collect()
    lines = settled_differences(before) + _pod_lines(tmp_path, _declared_states(request))
    if lines:
        tidy(before)
        pytest.fail("the test left the machine changed:\n  " + "\n  ".join(lines), pytrace=False)


def _declared_states(request: pytest.FixtureRequest) -> frozenset[str]:
    states: set[str] = set(USUAL_STATES)
    for marker in request.node.iter_markers("leaves_pods"):
        states.update(marker.args)
    return frozenset(states)


def _pod_lines(directory: Path, declared: frozenset[str]) -> list[str]:
    lines: list[str] = []
    for data in data_directories(directory):
        lines += [f"pod left: {uuid} is {state}" for uuid, state in pod_states(data).items() if state not in declared]
        lines += [f"temporary file left: {path}" for path in temporary_files(data)]
    return lines
