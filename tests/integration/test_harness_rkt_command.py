"""The fixtures that run rkt: the installed program, private directories, and all that it says when it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from harness.pod_state import pod_states
from harness.rkt_command import EXECUTABLE, RktCommand


def test_installed_program_beside_the_interpreter_is_run(rkt: RktCommand) -> None:
    assert EXECUTABLE.parent == Path(sys.executable).parent
    assert rkt("version").checked().stdout.startswith("rkt Version: ")


def test_failure_shows_command_status_and_both_streams(rkt: RktCommand) -> None:
    with pytest.raises(AssertionError) as caught:
        rkt("no-such-verb").checked()
    text = str(caught.value)
    assert "no-such-verb" in text
    assert "ended with 254, not 0" in text
    assert "--- stderr" in text


def test_pod_lies_in_the_private_data_directory_and_tells_facts(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    result = trusting_rkt("run", "--net=none", fixture_images / "probe.aci", "--", "ids", "+", "pid").checked()
    assert result.facts["ids"]["uid"] == 0
    assert "pid" in result.facts
    assert list(pod_states(trusting_rkt.data).values()) == ["exited"]


def test_running_pod_is_seen_as_running(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    words = ("run", "--net=none", fixture_images / "probe.aci", "--", "print-out", "up", "+", "sleep", "60")
    with trusting_rkt.start(*words) as pod:
        assert pod.stdout is not None
        assert pod.stdout.readline() == b"up\n"
        assert list(pod_states(trusting_rkt.data).values()) == ["running"]
        pod.terminate()
        assert pod.wait(timeout=30) == 128 + 15
    assert list(pod_states(trusting_rkt.data).values()) == ["exited"]


def test_hanging_command_is_ended(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    """What the killed supervisor could not put away is gc's, and the leak check sees that gc does."""
    words = ("run", "--net=none", fixture_images / "probe.aci", "--", "sleep", "60")
    with pytest.raises(subprocess.TimeoutExpired):
        trusting_rkt(*words, timeout=2)
    trusting_rkt("gc", "--grace-period=0s").checked()
    assert pod_states(trusting_rkt.data) == {}
