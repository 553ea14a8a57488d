"""Whatever the host and whatever was asked: each limit is written to the kernel, or the user is told that it is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rkt.linux.cgroups import Hierarchies, Limits, plan_writes

CONTROLLERS = ("memory", "cpu", "pids")
ASKED = {
    "memory_bytes": ("memory", "resource/memory"),
    "cpu_millicores": ("cpu", "resource/cpu"),
    "cpu_shares": ("cpu", "os/linux/cpu-shares"),
    "pids": ("pids", "pids limit"),
}
FILES = {
    ("memory_bytes", "v1"): {"memory.limit_in_bytes"},
    ("memory_bytes", "v2"): {"memory.max"},
    ("cpu_millicores", "v1"): {"cpu.cfs_period_us", "cpu.cfs_quota_us"},
    ("cpu_millicores", "v2"): {"cpu.max"},
    ("cpu_shares", "v1"): {"cpu.shares"},
    ("cpu_shares", "v2"): {"cpu.weight"},
    ("pids", "v1"): {"pids.max"},
    ("pids", "v2"): {"pids.max"},
}


@st.composite
def hierarchies(draw: st.DrawFn) -> Hierarchies:
    """Each controller on v1, on v2, or nowhere."""
    places = {name: draw(st.sampled_from(("v1", "v2", "nowhere"))) for name in CONTROLLERS}
    unified = frozenset(name for name, place in places.items() if place == "v2")
    has_unified = bool(unified) or draw(st.booleans())
    return Hierarchies(
        unified="/sys/fs/cgroup/unified" if has_unified else None,
        controllers={name: f"/sys/fs/cgroup/{name}" for name, place in places.items() if place == "v1"},
        unified_controllers=unified,
    )


limits = st.fixed_dictionaries(
    {},
    optional={
        "memory_bytes": st.integers(0, 2**63 - 1),
        "cpu_millicores": st.integers(1, 10**6),
        "cpu_shares": st.integers(2, 262144),
        "pids": st.integers(1, 4194304),
    },
)


@given(host=hierarchies(), asked=limits)
def test_each_limit_is_written_or_reported(host: Hierarchies, asked: dict[str, int]) -> None:
    writes, missing = plan_writes(Limits(**asked), host)
    written = {(controller, file) for controller, file, _ in writes}
    expected, unenforced = set(), []
    for name in ASKED:
        if name not in asked:
            continue
        controller, isolator = ASKED[name]
        if not host.has(controller):
            unenforced.append(isolator)
            continue
        version = "v1" if controller in host.controllers else "v2"
        expected |= {(controller, file) for file in FILES[name, version]}
    assert written == expected
    assert missing == unenforced
    assert len(written) == len(writes), "a file is written twice"


@given(shares=st.integers(2, 262144), other=st.integers(2, 262144))
def test_more_shares_never_weigh_less(shares: int, other: int) -> None:
    host = Hierarchies(unified="/c", controllers={}, unified_controllers=frozenset(CONTROLLERS))
    weights = [int(plan_writes(Limits(cpu_shares=number), host)[0][0][2]) for number in sorted((shares, other))]
    assert 1 <= weights[0] <= weights[1] <= 10000


@given(millicores=st.integers(1, 10**6))
def test_quota_is_the_share_of_the_period(millicores: int) -> None:
    """The kernel refuses a quota of less than a millisecond."""
    host = Hierarchies(unified="/c", controllers={}, unified_controllers=frozenset(CONTROLLERS))
    quota, period = map(int, plan_writes(Limits(cpu_millicores=millicores), host)[0][0][2].split())
    assert quota >= 1000
    assert quota == max(1000, millicores * period // 1000)
