"""How a pod ends: exit statuses, signals to rkt, a killed supervisor, a killed init; gc takes what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from harness.http_server import wait_until
from harness.pod_state import pod_states
from harness.stocked_store import PodRuns

READY = b'{"signals": "ready"}\n'


def app_words(runs: PodRuns, name: str, *commands: str) -> list[str]:
    return [runs.ids["hello"], "--exec=/bin/probe", f"--name={name}", "--", *commands, "---"]


def start_listening(runs: PodRuns, *more: str) -> subprocess.Popen[bytes]:
    """A pod whose app waits for a signal, running; ``more`` are words after its commands."""
    process = runs.rkt.start(*runs.argv("signals", "30", *more))
    assert process.stdout is not None
    assert process.stdout.readline() == READY
    return process


def the_pod(runs: PodRuns) -> Path:
    (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
    return pod


def end(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.parametrize("status", [0, 1, 7, 125, 255])
@pytest.mark.spec("ACE-063")
def test_exit_status_of_the_app_is_that_of_rkt_and_is_recorded(runs: PodRuns, status: int) -> None:
    runs("exit", str(status), status=status)
    pod = the_pod(runs)
    assert (pod / "stage1/rootfs/rkt/status/hello").read_text() == f"{status}\n"
    assert f"app-hello={status}" in runs.rkt("status", pod.name).checked().stdout


@pytest.mark.parametrize("number", [1, 6, 9, 11, 15])
@pytest.mark.spec("ACE-063")
def test_signal_that_ended_the_app_is_128_more(runs: PodRuns, number: int) -> None:
    runs("kill-self", str(number), status=128 + number)


def test_first_failure_decides_the_status_and_stops_the_others(runs: PodRuns) -> None:
    words = [
        *app_words(runs, "waits", "signals", "30"),
        *app_words(runs, "fails", "sleep", "0.1", "+", "exit", "3"),
        *app_words(runs, "succeeds", "exit", "0"),
    ]
    result = runs.rkt("run", "--net=none", *words).checked(3)
    assert result.facts["signal"]["number"] == signal.SIGTERM
    found = json.loads(runs.rkt("status", the_pod(runs).name, "--format=json").checked().stdout)
    assert found["state"] == "exited"
    text = runs.rkt("status", the_pod(runs).name).checked().stdout
    assert {"app-waits=0", "app-fails=3", "app-succeeds=0"} <= set(text.split())


def test_pod_waits_for_its_slowest_app(runs: PodRuns) -> None:
    words = [*app_words(runs, "quick", "exit", "0"), *app_words(runs, "slow", "sleep", "0.2", "+", "print-out", "end")]
    assert runs.rkt("run", "--net=none", *words).checked().stdout == "end\n"


def test_orphans_are_reaped_and_left_processes_end_with_the_app(runs: PodRuns) -> None:
    result = runs("orphan", "0.01", "+", "sleep", "0.1", "+", "ps", "+", "fork-sleep", "60")
    assert not [text for text in result.facts["ps"].values() if text.endswith("Z")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.spec("ACE-060")
def test_signal_to_rkt_asks_the_app_to_end(runs: PodRuns, number: int) -> None:
    process = start_listening(runs)
    process.send_signal(number)
    status, out, _ = end(process)
    assert (status, json.loads(out)["signal"]["number"]) == (0, signal.SIGTERM)


def test_second_signal_to_rkt_kills(runs: PodRuns) -> None:
    # the app takes one signal and then sleeps for a minute
    process = start_listening(runs, "+", "print-out", "took-it", "+", "sleep", "60")
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    while b"took-it" not in process.stdout.readline():
        pass
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status, _, _ = end(process)
    assert status == 137 and time.monotonic() - began < 5


@pytest.mark.parametrize("target", ["ppid", "pid"], ids=["rkt-itself", "the-pods-init"])
def test_kill_of_supervisor_or_init_ends_the_pod_and_gc_collects_everything(runs: PodRuns, target: str) -> None:
    process = start_listening(runs, "+", "sleep", "60")
    pod = the_pod(runs)
    os.kill(int((pod / target).read_text()), signal.SIGKILL)
    end(process)
    wait_until(lambda: pod_states(runs.rkt.data) == {pod.name: "exited"})
    assert "state=exited" in runs.rkt("status", pod.name).checked().stdout
    runs.rkt("gc", "--grace-period=0s").checked()
    runs.rkt("gc", "--grace-period=0s").checked()
    assert pod_states(runs.rkt.data) == {}


def test_killed_init_is_told_as_status_137(runs: PodRuns) -> None:
    process = start_listening(runs, "+", "sleep", "60")
    os.kill(int((the_pod(runs) / "pid").read_text()), signal.SIGKILL)
    assert end(process)[0] == 137


@pytest.mark.leaves_pods("aborted prepare")
def test_signals_before_the_app_runs_end_the_pod_too(runs: PodRuns) -> None:
    """SIGTERM at twelve moments of the start: whatever the moment, rkt ends soon and nothing stays."""
    for step in range(12):
        process = runs.rkt.start(*runs.argv("sleep", "60"))
        time.sleep(0.02 * step)
        process.terminate()
        status, _, err = end(process)
        assert status in (-15, 137, 143, 254), (step, status, err)
        assert b"Traceback" not in err


@pytest.mark.spec("ACE-001")
def test_pod_uuid_is_random_and_of_rfc_4122(runs: PodRuns) -> None:
    for _ in range(3):
        runs("exit", "0")
    names = [path.name for path in (runs.rkt.data / "pods" / "run").iterdir()]
    assert len(set(names)) == 3
    assert all(uuid.UUID(name).version == 4 and str(uuid.UUID(name)) == name for name in names)
