"""Control groups: what is mounted, which files limits go to, and groups of a pod on this machine's real hierarchies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from harness.forked_child import fork, run_in_child

from rkt.linux import syscalls
from rkt.linux.cgroups import (
    INIT,
    PARENT,
    CgroupError,
    Hierarchies,
    Limits,
    PodCgroup,
    find_hierarchies,
    plan_writes,
)


def make_v1(directory: Path, *controllers: str) -> None:
    for name in controllers:
        (directory / name).mkdir()
        (directory / name / "cgroup.procs").touch()


def make_v2(directory: Path, controllers: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "cgroup.controllers").write_text(f"{controllers}\n")


# --- what is mounted -----------------------------------------------------------------------------------------------


def test_nothing_mounted(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        found = find_hierarchies(str(place))
        assert (found.mode, found.roots()) == ("none", ())
        assert not found.has("memory")


def test_v1_only(tmp_path: Path) -> None:
    make_v1(tmp_path, "memory", "cpu", "pids", "freezer")
    found = find_hierarchies(str(tmp_path))
    assert found.mode == "v1"
    assert found.controllers == {name: f"{tmp_path}/{name}" for name in ("memory", "cpu", "pids")}
    assert found.roots() == tuple(f"{tmp_path}/{name}" for name in ("memory", "cpu", "pids"))
    assert found.has("memory") and not found.has("freezer")


def test_v2_only(tmp_path: Path) -> None:
    make_v2(tmp_path, "cpuset cpu io memory pids")
    found = find_hierarchies(str(tmp_path))
    assert (found.mode, found.unified, found.controllers) == ("v2", str(tmp_path), {})
    assert found.roots() == (str(tmp_path),)
    assert all(found.has(name) for name in ("cpu", "memory", "pids"))


def test_hybrid_takes_each_controller_from_where_it_is(tmp_path: Path) -> None:
    make_v1(tmp_path, "memory")
    make_v2(tmp_path / "unified", "pids memory")
    found = find_hierarchies(str(tmp_path))
    assert found.mode == "hybrid"
    assert found.controllers == {"memory": f"{tmp_path}/memory"}
    assert found.unified_controllers == {"pids"}
    assert found.roots() == (f"{tmp_path}/memory", f"{tmp_path}/unified")
    assert not found.has("cpu")


def test_hybrid_without_v1_controllers_is_v2(tmp_path: Path) -> None:
    make_v2(tmp_path / "unified", "memory")
    found = find_hierarchies(str(tmp_path))
    assert (found.mode, found.unified) == ("v2", f"{tmp_path}/unified")


# --- what is written -----------------------------------------------------------------------------------------------

EVERYTHING = Limits(memory_bytes=1 << 20, cpu_millicores=1500, cpu_shares=1024, pids=10)
V1 = Hierarchies(
    unified=None, controllers={name: f"/{name}" for name in ("memory", "cpu", "pids")}, unified_controllers=frozenset()
)
V2 = Hierarchies(unified="/c", controllers={}, unified_controllers=frozenset(("memory", "cpu", "pids")))
NONE = Hierarchies(unified=None, controllers={}, unified_controllers=frozenset())


def test_writes_of_v1() -> None:
    assert plan_writes(EVERYTHING, V1) == (
        [
            ("memory", "memory.limit_in_bytes", "1048576"),
            ("cpu", "cpu.cfs_period_us", "100000"),
            ("cpu", "cpu.cfs_quota_us", "150000"),
            ("cpu", "cpu.shares", "1024"),
            ("pids", "pids.max", "10"),
        ],
        [],
    )


@pytest.mark.spec("ISO-046")
def test_writes_of_v2() -> None:
    assert plan_writes(EVERYTHING, V2) == (
        [
            ("memory", "memory.max", "1048576"),
            ("cpu", "cpu.max", "150000 100000"),
            ("cpu", "cpu.weight", "39"),
            ("pids", "pids.max", "10"),
        ],
        [],
    )


def test_what_cannot_be_enforced_is_named_as_the_isolator() -> None:
    missing = ["resource/memory", "resource/cpu", "os/linux/cpu-shares", "pids limit"]
    assert plan_writes(EVERYTHING, NONE) == ([], missing)


def test_no_limits_write_nothing() -> None:
    for hierarchies in (V1, V2, NONE):
        assert plan_writes(Limits(), hierarchies) == ([], [])


@pytest.mark.spec("ISO-046")
@pytest.mark.parametrize(("shares", "weight"), [(2, "1"), (262144, "10000"), (1024, "39")])
def test_shares_become_weights_over_the_whole_range(shares: int, weight: str) -> None:
    assert plan_writes(Limits(cpu_shares=shares), V2)[0] == [("cpu", "cpu.weight", weight)]


# --- groups of a pod -----------------------------------------------------------------------------------------------


@pytest.fixture
def cgroup() -> Iterator[PodCgroup]:
    """The groups of a pod that does not exist yet, on this machine; removed afterwards."""
    made = PodCgroup.of_pod(f"test-{uuid4()}", find_hierarchies())
    yield made
    made.kill()
    assert made.remove(attempts=500)
    assert not directories(made)


def directories(cgroup: PodCgroup) -> list[str]:
    return [
        path for root in cgroup.hierarchies.roots() for path in (f"{root}/{cgroup.subcgroup}",) if os.path.isdir(path)
    ]


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_groups_are_made_in_every_hierarchy(cgroup: PodCgroup) -> None:
    cgroup.create(("a", "b"))
    roots = cgroup.hierarchies.roots()
    assert len(directories(cgroup)) == len(roots) > 0
    for root in roots:
        below = f"{root}/{PARENT}/{cgroup.subcgroup.partition('/')[2]}"
        assert {entry.name for entry in os.scandir(below) if entry.is_dir()} == {INIT, "a", "b"}


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_groups_that_exist_are_no_error(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    cgroup.create(("a", "b"))
    for root in cgroup.hierarchies.roots():
        assert os.path.isdir(f"{root}/{cgroup.subcgroup}/b")


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_limits_are_in_the_kernel(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    limits = Limits(memory_bytes=64 << 20, cpu_millicores=500, cpu_shares=512, pids=17)
    writes, _ = plan_writes(limits, cgroup.hierarchies)
    cgroup.apply("a", writes)
    assert any(file == "pids.max" for _, file, _ in writes)
    for controller, file, value in writes:
        root = cgroup.hierarchies.controllers.get(controller) or cgroup.hierarchies.unified
        assert Path(f"{root}/{cgroup.subcgroup}/a/{file}").read_text().strip() == value


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_limit_that_the_kernel_refuses_is_an_error(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    with pytest.raises(CgroupError, match=r'cannot write "many" to ".*/a/pids.max": invalid argument'):
        cgroup.apply("a", [("pids", "pids.max", "many")])


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_process_joins_an_open_group_in_every_hierarchy(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))

    def body() -> tuple[str, bool]:
        group = cgroup.open_group("a")
        inheritable = any(os.get_inheritable(fd) for fd in group.fds())
        group.join()
        return Path("/proc/self/cgroup").read_text(), inheritable

    told, inheritable = run_in_child(body)
    assert told.count(f"/{cgroup.subcgroup}/a\n") == len(cgroup.hierarchies.roots())
    assert not inheritable


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_open_group_works_where_no_hierarchy_is_mounted(cgroup: PodCgroup, tmp_path: Path) -> None:
    cgroup.create(("a",))

    def body() -> str:
        group = cgroup.open_group("a")
        syscalls.mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0)
        group.join()
        return Path("/proc/self/cgroup").read_text()

    assert f"/{cgroup.subcgroup}/a\n" in run_in_child(body, unshare=syscalls.CLONE_NEWNS)


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_group_that_is_missing_is_an_error_and_leaves_no_descriptor(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CgroupError, match='cannot open the control group of "b": '):
        cgroup.open_group("b")
    cgroup.open_group("a").close()
    assert len(os.listdir("/proc/self/fd")) == before


def start_member(cgroup: PodCgroup, app: str) -> int:
    """A process in the group of ``app`` that ends by itself after a minute."""
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            cgroup.open_group(app).join()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execv("/bin/sleep", ["sleep", "60"])
        finally:
            os._exit(1)
    os.close(writer)
    # end of file: the program runs
    assert os.read(reader, 1) == b""
    os.close(reader)
    return pid


def end_of(pid: int) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the process was not killed")


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_kill_ends_every_process_of_the_pod(cgroup: PodCgroup) -> None:
    cgroup.create(("a", "b"))
    pids = [start_member(cgroup, app) for app in ("a", "a", "b")]
    cgroup.kill()
    assert [end_of(pid) for pid in pids] == [-signal.SIGKILL] * 3


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_kill_on_v1_ends_every_process(cgroup: PodCgroup) -> None:
    """A kernel without cgroup.kill (v1, or v2 before Linux 5.14) is given the processes one by one."""
    cgroup.create(("a", "b"))
    root = cgroup.hierarchies.roots()[0]
    only = Hierarchies(unified=None, controllers={"memory": root}, unified_controllers=frozenset())
    pids = [start_member(cgroup, app) for app in ("a", "b")]
    PodCgroup(cgroup.subcgroup, only).kill()
    assert [end_of(pid) for pid in pids] == [-signal.SIGKILL] * 2


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_open_group_kills_its_own_members_only(cgroup: PodCgroup) -> None:
    cgroup.create(("a", "b"))
    group = cgroup.open_group("a")
    members, other = [start_member(cgroup, "a") for _ in range(3)], start_member(cgroup, "b")
    group.kill()
    group.close()
    assert [end_of(pid) for pid in members] == [-signal.SIGKILL] * 3
    assert os.waitpid(other, os.WNOHANG) == (0, 0)
    os.kill(other, signal.SIGKILL)
    end_of(other)


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_kill_of_a_group_that_the_callers_pid_namespace_does_not_show(cgroup: PodCgroup) -> None:
    """A member from outside reads as 0; kill(0) would end the caller's own process group: the pod's init."""
    cgroup.create(("a",))
    member = start_member(cgroup, "a")

    def body() -> int:
        group = cgroup.open_group("a")
        pid = os.fork()
        if pid == 0:
            os.setsid()
            group.kill()
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert run_in_child(body, unshare=syscalls.CLONE_NEWPID) == 0
    assert os.waitpid(member, os.WNOHANG) == (0, 0)
    os.kill(member, signal.SIGKILL)
    end_of(member)


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_remove_leaves_a_group_with_processes_and_says_so(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    pid = start_member(cgroup, "a")
    assert cgroup.remove(attempts=2) is False
    assert directories(cgroup)
    os.kill(pid, signal.SIGKILL)
    end_of(pid)
    assert cgroup.remove(attempts=500) is True
    assert not directories(cgroup)


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_remove_of_what_was_never_made_is_done(cgroup: PodCgroup) -> None:
    assert cgroup.remove() is True
    cgroup.kill()


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_remove_takes_groups_that_the_app_made(cgroup: PodCgroup) -> None:
    cgroup.create(("a",))
    for root in cgroup.hierarchies.roots():
        os.makedirs(f"{root}/{cgroup.subcgroup}/a/deep/deeper")
    assert cgroup.remove() is True
    assert not directories(cgroup)


@pytest.mark.root
@pytest.mark.needs("cgroups")
def test_pods_that_start_and_end_at_once_do_not_disturb_each_other() -> None:
    """The last pod's end removes the parent that the next pod's start has just found."""

    def churn() -> int:
        hierarchies = find_hierarchies()
        for _ in range(15):
            pod = PodCgroup.of_pod(f"test-{uuid4()}", hierarchies)
            pod.create(("a",))
            assert pod.remove(attempts=500)
        return 0

    def body() -> list[int]:
        pids = []
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = churn()
                finally:
                    os._exit(status)
            pids.append(pid)
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]

    assert run_in_child(body) == [0, 0, 0]


def test_host_without_control_groups_needs_none() -> None:
    cgroup = PodCgroup.of_pod("u", NONE)
    cgroup.create(("a",))
    group = cgroup.open_group("a")
    group.join()
    group.kill()
    group.close()
    cgroup.kill()
    assert cgroup.remove() is True


def test_hierarchy_that_is_read_only_is_an_error(tmp_path: Path) -> None:
    make_v1(tmp_path, "memory")
    (tmp_path / "memory" / PARENT).touch()
    with pytest.raises(CgroupError, match=f'cannot create the control group "{tmp_path}/memory/{PARENT}/u": '):
        PodCgroup.of_pod("u", find_hierarchies(str(tmp_path))).create(("a",))
