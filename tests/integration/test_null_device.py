"""What an app can do to the host through the three descriptors that it is given."""

from __future__ import annotations

import subprocess
from errno import EROFS

import pytest
from harness.stocked_store import PodRuns

#: the mode that the host's null device has anyway: were the change let through, nothing would be broken
_MODE = "0666"


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_app_cannot_change_the_null_device_of_the_host(runs: PodRuns, descriptor: int) -> None:
    argv = runs.rkt.argv(*runs.argv("chmod", f"/proc/self/fd/{descriptor}", _MODE))
    null = subprocess.DEVNULL
    # the probe ends with 1 when what it was told to do fails
    assert subprocess.run(argv, stdin=null, stdout=null, stderr=null, check=False).returncode == 1


def test_null_device_on_stdin_is_one_that_cannot_be_changed(runs: PodRuns) -> None:
    answer = runs("try", "chmod", "/proc/self/fd/0", _MODE).facts["chmod"]
    assert answer["errno"] == EROFS


def test_pod_writes_to_a_null_device_that_the_caller_chose(runs: PodRuns) -> None:
    argv = runs.rkt.argv(*runs.argv("print-out", "nobody reads this"))
    assert subprocess.run(argv, stdout=subprocess.DEVNULL, check=False).returncode == 0
