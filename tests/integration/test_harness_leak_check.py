"""The leak check bites: whatever a test plants is named, fails that test, and is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from harness.host_state import take_host_state
from harness.mountinfo import load_mounts

CONFTEST = "from harness.leak_check import leak_check\n"

PLANTS = """
import fcntl, os, subprocess, sys, time, pytest

def test_plants_nothing(tmp_path):
    subprocess.run(["true"], check=True)

def test_plants_mount(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "planted", tmp_path], check=True)

def test_plants_network_namespace(tmp_path):
    place = tmp_path / "netns"
    place.touch()
    subprocess.run(["unshare", "--net", "mount", "--bind", "/proc/self/ns/net", place], check=True)

def test_plants_process():
    subprocess.run([sys.executable, "-c", "import os, time; os.fork() or (os.setsid(), time.sleep(60))"], check=True)

def test_plants_process_in_namespace():
    process = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    time.sleep(0.1)
    process.returncode = 0

def test_plants_descriptor():
    os.open("/dev/null", os.O_RDONLY)

def test_plants_cgroup(planted_cgroup):
    os.mkdir(planted_cgroup)

def test_plants_running_pod(tmp_path):
    pod = tmp_path / "data/pods/run/a-pod"
    pod.mkdir(parents=True)
    fcntl.flock(os.open(pod, os.O_RDONLY), fcntl.LOCK_EX)

def test_plants_prepared_pod(tmp_path):
    (tmp_path / "data/pods/prepared/b-pod").mkdir(parents=True)

@pytest.mark.leaves_pods("prepared")
def test_declares_prepared_pod(tmp_path):
    (tmp_path / "data/pods/prepared/c-pod").mkdir(parents=True)

def test_plants_temporary_file(tmp_path):
    (tmp_path / "data/pods").mkdir(parents=True)
    (tmp_path / "data/cas/tmp").mkdir(parents=True)
    (tmp_path / "data/cas/tmp/blob").touch()
"""

EXPECTED = {
    "test_plants_mount": "mount left: tmpfs planted on",
    "test_plants_network_namespace": "network namespace left: mounted on",
    "test_plants_process": "process left:",
    "test_plants_process_in_namespace": "network namespace left: net:[",
    "test_plants_descriptor": "-> /dev/null",
    "test_plants_cgroup": "control group left:",
    "test_plants_running_pod": "pod left: a-pod is running",
    "test_plants_prepared_pod": "pod left: b-pod is prepared",
    "test_plants_temporary_file": "temporary file left:",
}


def _planted_cgroup() -> Path:
    tops = [
        mount.target
        for mount in load_mounts()
        if mount.kind in ("cgroup", "cgroup2") and os.access(mount.target, os.W_OK)
    ]
    return Path(tops[0], f"planted-by-test-{os.getpid()}")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> str:
    """What pytest prints about a suite in which every test but two plants something."""
    suite = tmp_path_factory.mktemp("suite")
    (suite / "conftest.py").write_text(
        CONFTEST + f"import pytest\n@pytest.fixture\ndef planted_cgroup():\n    return {str(_planted_cgroup())!r}\n"
    )
    (suite / "test_plants.py").write_text(PLANTS)
    (suite / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {repository / 'tests'} {repository / 'fixtures/aci'}\n"
        "markers = leaves_pods(*states): states\n"
    )
    options = ["-p", "no:cacheprovider", "-v", "--basetemp", str(suite / "tmp")]
    command = [sys.executable, "-m", "pytest", *options, str(suite)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=suite, check=False).stdout


@pytest.mark.needs("namespaces", "cgroups", "unshare", "mount")
@pytest.mark.parametrize("test", EXPECTED)
def test_leak_check_names_what_was_planted(report: str, test: str) -> None:
    assert f"test_plants.py::{test} ERROR" in report, report
    section = report.split(f"ERROR at teardown of {test} __", 1)[1].split("ERROR at teardown", 1)[0]
    assert EXPECTED[test] in section, report


@pytest.mark.needs("namespaces", "cgroups", "unshare", "mount")
def test_leak_check_passes_a_clean_test(report: str) -> None:
    assert "11 passed, 9 errors" in report, report
    assert "ERROR at teardown of test_plants_nothing" not in report
    assert "ERROR at teardown of test_declares_prepared_pod" not in report


@pytest.mark.needs("namespaces", "cgroups", "unshare", "mount")
def test_leak_check_tidies_what_it_found(report: str, tmp_path: Path) -> None:
    state = take_host_state(str(tmp_path))
    assert "planted" not in " ".join(state.mounts)
    assert not [path for path in state.cgroups if "planted-by-test" in path]
    assert not [text for text in state.processes.values() if "sleep" in text], report


def test_host_state_names_a_new_link(tmp_path: Path) -> None:
    before = take_host_state(str(tmp_path))
    after = replace(before, links=before.links | {"veth0"})
    assert before.differences(after) == ["link left: veth0"]
