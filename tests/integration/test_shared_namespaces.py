"""What the apps of a pod share with each other and not with the host: processes, network, IPC, host name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

#: shmget(2), IPC_CREAT | 0666
SHMGET, CREATE = "29", "0o1666"
ENOENT = 2


def run_two(runs: PodRuns, first: list[str], second: list[str], *flags: str) -> Result:
    """A pod of two apps, "first" and "second", that each run the probe."""
    image = runs.ids["hello"]
    words = [image, "--exec=/bin/probe", "--name=first", "--", *first, "---"]
    words += [image, "--exec=/bin/probe", "--name=second", "--", *second]
    return runs.rkt("run", *(flags or ("--net=none",)), *words).checked()


def namespaces(result: Result) -> list[dict[str, str]]:
    return result.every("namespaces")


@pytest.mark.spec("POD-050", "POD-051", "POD-052", "POD-053")
def test_apps_share_pid_network_ipc_and_uts_but_not_mounts(runs: PodRuns) -> None:
    first, second = namespaces(run_two(runs, ["namespaces"], ["namespaces"]))
    for name in ("pid", "net", "ipc", "uts", "user"):
        assert first[name] == second[name], name
    assert first["mnt"] != second["mnt"]


def test_nothing_but_the_user_namespace_is_the_hosts(runs: PodRuns) -> None:
    (inside,) = namespaces(runs("namespaces"))
    for name in ("pid", "net", "ipc", "uts", "mnt", "cgroup"):
        assert inside[name] != os.readlink(f"/proc/self/ns/{name}"), name


@pytest.mark.spec("POD-050")
def test_an_app_sees_and_signals_the_processes_of_the_other(runs: PodRuns) -> None:
    """The first waits for a signal; the second finds it and sends one."""
    first = ["write", "/dev/shm/ready", "", "+", "signals", "20"]
    second = ["wait-file", "/dev/shm/ready", "10", "+", "ps", "+", "kill", "2", "10", "+", "kill", "3", "0"]
    result = run_two(runs, first, second)
    assert result.facts["signal"]["number"] == 10
    assert len([1 for text in result.facts["ps"].values() if text.startswith("probe")]) == 2


def test_init_of_the_pod_is_pid_1_and_shows_its_name(runs: PodRuns) -> None:
    facts = runs("pid", "+", "cat", "/proc/1/status", "+", "ps").facts
    assert facts["pid"]["parent"] == 1
    assert set(facts["ps"]) == {"1", str(facts["pid"]["pid"])}, "processes of the host are seen"


@pytest.mark.spec("POD-051", "ACE-035", "ACE-032")
def test_an_app_reaches_the_socket_of_the_other_on_localhost(runs: PodRuns) -> None:
    first = ["tcp-serve", "8080", "answer"]
    # the listener may need a moment; what fails is tried again
    attempt = ["try", "tcp-get", "127.0.0.1", "8080", "+", "sleep", "0.05", "+"]
    second = [*(attempt * 10), "print-out", "done"]
    assert "answer" in run_two(runs, first, second).stdout


@pytest.mark.spec("ACE-032")
def test_loopback_is_up_and_the_only_link(runs: PodRuns) -> None:
    links = runs("links").facts["links"]
    assert {link["name"] for link in links} == {"lo"} and all(link["up"] for link in links)
    assert {"127.0.0.1"} == {link["address"] for link in links if link["address"]}


@pytest.mark.spec("POD-052")
def test_apps_share_system_v_memory(runs: PodRuns) -> None:
    first = ["syscall", SHMGET, "4711", "4096", "0x3b6", "+", "write", "/dev/shm/made", "", "+", "sleep", "0.3"]
    second = ["wait-file", "/dev/shm/made", "10", "+", "syscall", SHMGET, "4711", "4096", "0"]
    answers = run_two(runs, first, second).every("syscall")
    assert [answer["errno"] for answer in answers] == [0, 0]
    assert answers[0]["result"] == answers[1]["result"]


@pytest.mark.spec("POD-053")
def test_host_name_is_the_pods_and_the_hosts_stays(runs: PodRuns) -> None:
    before = os.uname().nodename
    both = run_two(runs, ["hostname"], ["hostname"], "--net=none", "--hostname=pod-x")
    assert both.every("hostname") == ["pod-x", "pod-x"]
    default = runs("hostname").facts["hostname"]
    (uuid,) = {path.name for path in (runs.rkt.data / "pods" / "run").iterdir() if default.endswith(path.name)}
    assert default == f"rkt-{uuid}" and os.uname().nodename == before


def test_host_network_is_shared_on_request(runs: PodRuns) -> None:
    result = runs.rkt("run", "--net=host", runs.ids["hello"], "--exec=/bin/probe", "--", "namespaces").checked()
    assert result.facts["namespaces"]["net"] == os.readlink("/proc/self/ns/net")
    assert result.facts["namespaces"]["pid"] != os.readlink("/proc/self/ns/pid")


@pytest.mark.parametrize(("mode", "shared"), [("parent", True), ("private", False), ("auto", False)])
def test_ipc_namespace_is_the_hosts_on_request_only(runs: PodRuns, mode: str, shared: bool) -> None:
    facts = runs("namespaces", flags=[f"--ipc={mode}"]).facts
    assert (facts["namespaces"]["ipc"] == os.readlink("/proc/self/ns/ipc")) is shared


@pytest.mark.spec("ACE-061")
def test_apps_run_at_the_same_time(runs: PodRuns, tmp_path: Path) -> None:
    """Each waits for a file of the other: only concurrent apps come to an end."""
    (tmp_path / "shared").mkdir()
    flags = ["--net=none", f"--volume=v,kind=host,source={tmp_path / 'shared'}", "--mount=volume=v,target=/v"]
    first = ["write", "/v/first", "", "+", "wait-file", "/v/second", "10", "+", "print-out", "met"]
    second = ["write", "/v/second", "", "+", "wait-file", "/v/first", "10", "+", "print-out", "met"]
    assert run_two(runs, first, second, *flags).stdout == "met\nmet\n"
