"""What an app, root in its pod, asks of the kernel and must not get (C18 to C22, C28)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.pseudo_terminal import PseudoTerminal
from harness.stocked_store import PodRuns

pytestmark = pytest.mark.root
EPERM, ENOENT, EACCES, EFAULT, EROFS, ENXIO = 1, 2, 13, 14, 30, 6
USERS = pytest.mark.parametrize("user", ["0", "1000"], ids=["root", "user"])

#: name: (number, arguments) of amd64
CALLS = {
    "mount": (165, "0", "0", "0", "0", "0"),
    "umount2": (166, "0", "2"),
    "pivot_root": (155, "0", "0"),
    "unshare(user)": (272, "0x10000000"),
    "unshare(mount)": (272, "0x20000"),
    "setns": (308, "0", "0"),
    "fsopen": (430, "0", "0"),
    "open_tree": (428, "-100", "0", "1"),
    "bpf": (321, "0", "0", "0"),
    "perf_event_open": (298, "0", "0", "-1", "-1", "0"),
    "userfaultfd": (323, "1"),
    "io_uring_setup": (425, "1", "0"),
    "keyctl": (250, "0", "-3", "1"),
    "add_key": (248, "0", "0", "0", "0", "-3"),
    "request_key": (249, "0", "0", "0", "0"),
    "kexec_load": (246, "0", "0", "0", "0"),
    "init_module": (175, "0", "0", "0"),
    "reboot": (169, "0", "0", "0", "0"),
    "swapon": (167, "0", "0"),
    "settimeofday": (164, "0", "0"),
    "ptrace": (101, "0", "0", "0", "0"),
    "process_vm_readv": (310, "1", "0", "0", "0", "0", "0"),
    "kcmp": (312, "1", "1", "0", "0", "0"),
    "open_by_handle_at": (304, "-100", "0", "0"),
    "socket(packet)": (41, "17", "3", "0"),
    "socket(vsock)": (41, "40", "1", "0"),
    "socket(alg)": (41, "38", "5", "0"),
    "socket(netfilter)": (41, "16", "3", "12"),
    "clone(user)": (56, "0x10000011", "0", "0", "0", "0"),
    "syslog": (103, "3", "0", "0"),
    "lookup_dcookie": (212, "0", "0", "0"),
    "acct": (163, "0"),
    "quotactl": (179, "0", "0", "0", "0"),
    "vhangup": (153,),
    "iopl": (172, "3"),
    "nfsservctl": (180, "0", "0", "0"),
}


@USERS
def test_dangerous_system_calls_are_refused_without_killing_the_app(runs: PodRuns, user: str) -> None:
    """The answer is the filter's or the kernel's "no" (EPERM, ENOSYS, a family that does not exist), never a yes."""
    words: list[str] = []
    for number, *arguments in CALLS.values():
        words += ["syscall", str(number), *(str(one) for one in arguments), "+"]
    result = runs(*words, "print-out", "alive", app=[f"--user={user}"])
    answers = dict(zip(CALLS, result.every("syscall"), strict=True))
    assert {name: one["errno"] for name, one in answers.items() if one["errno"] not in (1, 38, 93, 97)} == {}
    assert result.stdout.endswith("alive\n")


@USERS
def test_terminal_input_cannot_be_pushed_into_the_callers_terminal(runs: PodRuns, user: str) -> None:
    """TIOCSTI, TIOCLINUX, and both with bits above the 32nd, on every descriptor of an interactive pod."""
    words: list[str] = []
    for fd in ("0", "1", "2"):
        for request in ("0x5412", "0x541c", "0x100005412", "-4294945774", "0x10000541c"):
            words += ["syscall", "16", fd, request, "0", "+"]
    command = runs.argv(*words, "tty", flags=["--interactive"], app=[f"--user={user}"])
    with PseudoTerminal(runs.rkt.argv(*command)) as terminal:
        assert terminal.wait() == 0, terminal.seen
        assert terminal.typed_ahead() == b""
    lines = [json.loads(line) for line in terminal.seen.decode().splitlines() if line.startswith('{"syscall"')]
    assert len(lines) == 15
    assert {line["syscall"]["errno"] for line in lines} == {EPERM}, "not the filter but the kernel refused: EFAULT"


def test_control_groups_cannot_be_mounted_or_written(runs: PodRuns) -> None:
    words = ["mkdir", "/c", "+", "try", "mount", "cgroup", "/c", "cgroup", "+", "try", "mount", "c", "/c", "cgroup2"]
    words += ["+", "ls", "/sys/fs", "+", "try", "write", "/sys/fs/cgroup/release_agent", "/x"]
    for path in ("/proc/self/ns/cgroup", "/sys/kernel/uevent_helper", "/proc/sys/kernel/core_pattern"):
        words += ["+", "try", "write", path, "/x"]
    result = runs(*words)
    assert {fact["errno"] for fact in result.every("mount")} == {EPERM}
    assert result.facts["ls"] == []
    assert 0 not in {fact["errno"] for fact in result.every("write")}


@pytest.mark.parametrize("place", ["/", "/tmp/", "/dev/", "/dev/shm/", "/v/"])
def test_device_nodes_that_an_app_makes_do_not_open(runs: PodRuns, place: str) -> None:
    devices = {"mem": "c 1 1", "fuse": "c 10 229", "kvm": "c 10 232", "disk": "b 254 0", "null": "c 1 3"}
    words: list[str] = []
    for name, numbers in devices.items():
        words += [
            "try",
            "mknod",
            f"{place}my-{name}",
            *numbers.split(),
            "+",
            "try",
            "open",
            f"{place}my-{name}",
            "r",
            "+",
        ]
        words += ["try", "open", f"{place}my-{name}", "rw", "+"]
    flags = ["--volume=v,kind=empty", "--mount=volume=v,target=/v"]
    result = runs(*words, "print-out", "end", flags=flags)
    assert {fact["errno"] for fact in result.every("open")} <= {EPERM, EACCES, ENOENT}


HIDDEN = [
    *(
        "kcore",
        "kallsyms",
        "config.gz",
        "keys",
        "key-users",
        "timer_list",
        "interrupts",
        "iomem",
        "ioports",
        "slabinfo",
    ),
    *("vmallocinfo", "buddyinfo", "pagetypeinfo", "zoneinfo", "kpagecount", "kpageflags", "kpagecgroup", "kmsg"),
    *("cmdline", "softirqs", "sched_debug", "latency_stats", "modules"),
]


@USERS
def test_hidden_kernel_files_show_nothing(runs: PodRuns, user: str) -> None:
    words: list[str] = []
    for name in HIDDEN:
        words += ["try", "cat", f"/proc/{name}", "+"]
    for name in (
        "/proc/acpi",
        "/proc/driver",
        "/proc/scsi",
        "/proc/tty",
        "/sys/firmware",
        "/sys/module",
        "/sys/kernel",
    ):
        words += ["try", "ls", name, "+"]
    result = runs(*words, "print-out", "end", app=[f"--user={user}"])
    printed = [line for line in result.stdout.splitlines() if not line.startswith(('{"cat": ', '{"ls": '))]
    assert printed == ["end"], "some file had content"
    assert [fact for fact in result.every("ls") if isinstance(fact, list) and fact] == []


def test_knobs_of_the_kernel_cannot_be_turned(runs: PodRuns) -> None:
    paths = [
        *(
            "/proc/sysrq-trigger",
            "/proc/sys/kernel/core_pattern",
            "/proc/sys/kernel/modprobe",
            "/proc/sys/vm/drop_caches",
        ),
        *("/proc/sys/kernel/hostname", "/proc/irq/default_smp_affinity", "/proc/mtrr", "/proc/bus/x", "/proc/fs/x"),
        *("/sys/power/state", "/sys/class/net/lo/mtu", "/sys/block/x", "/sys/devices/system/cpu/online"),
        *("/proc/kmsg", "/proc/kcore", "/dev/mem", "/dev/kmsg"),
    ]
    words: list[str] = []
    for path in paths:
        words += ["try", "open", path, "w", "+"]
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    result = runs(*words, "print-out", "end")
    answers = dict(zip(paths, (fact["errno"] for fact in result.every("open")), strict=True))
    assert 0 not in answers.values(), answers
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


@USERS
def test_mounts_of_ours_cannot_be_taken_away(runs: PodRuns, user: str) -> None:
    """umount2 needs a path in memory: what can be asked without is answered by the filter, not by EFAULT."""
    result = runs("syscall", "166", "0", "0", "+", "syscall", "165", "0", "0", "0", "32", "0", app=[f"--user={user}"])
    assert {fact["errno"] for fact in result.every("syscall")} == {EPERM}
