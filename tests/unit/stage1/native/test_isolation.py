"""A pod seen from inside: the Linux environment of appc, what is hidden, what is not inherited, what cannot be done."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import Any

import pytest
from harness.mountinfo import MountLine, parse_mountinfo
from harness.native_pod import NativePod

from rkt.stage1 import kernel_paths

pytestmark = [pytest.mark.root, pytest.mark.needs("overlay", "namespaces", "seccomp")]

USERS = ["0", "web"]


def mounts_of(facts: dict[str, Any]) -> dict[str, MountLine]:
    """What lies on top of each path."""
    return {line.target: line for line in parse_mountinfo(facts["mounts"])}


def stats_of(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["stat"]["path"]: line["stat"] for line in lines if "stat" in line}


def tried(lines: list[dict[str, Any]], action: str) -> list[int]:
    """The errno of each try of ``action``."""
    return [line[action]["errno"] for line in lines if action in line]


def each(command: str, paths: tuple[str, ...]) -> list[str]:
    """Words that run ``command`` for each of ``paths``."""
    return [word for path in paths for word in (*command.split(), path, "+")]


# --- the Linux environment -----------------------------------------------------------------------------------------

DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
TWELVE = ("/proc", "/sys", *(f"/dev/{name}" for name in (*DEVICES, "console", "pts", "ptmx", "shm")))


@pytest.mark.spec("LNX-001", "LNX-002", "LNX-010", "LNX-012", "LNX-013")
@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
def test_kernel_file_systems_are_mounted_though_the_image_lacks_them(pod: NativePod, overlay: bool) -> None:
    assert not (pod.tree / "proc").exists() and not (pod.tree / "dev").exists()
    pod.add_empty_volume("turns")
    turns = [{"volume": "turns", "path": "/turns"}]
    look = ("mounts", "+", *each("stat", TWELVE))
    pod.add_app("a", *look, "write", "/turns/done", "x", overlay=overlay, mounts=turns)
    pod.add_app("b", "wait-file", "/turns/done", "9", "+", *look, "exit", "0", overlay=overlay, mounts=turns)
    lines = pod.run().checked().lines
    half = len(lines) // 2
    for seen in (lines[:half], lines[half:]):
        mounts = mounts_of(seen[0])
        kinds = {path: mounts[path].kind for path in ("/proc", "/sys", "/dev/pts", "/dev/shm")}
        assert kinds == {"/proc": "proc", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs"}
        stats = stats_of(seen)
        assert [path for path in TWELVE if stats[path]["errno"] != 0] == []


@pytest.mark.spec("LNX-003", "LNX-004", "LNX-005", "LNX-006", "LNX-007", "LNX-008", "LNX-009", "LNX-018")
@pytest.mark.parametrize("user", USERS)
def test_device_nodes_are_what_they_say_for_every_user(pod: NativePod, user: str) -> None:
    nodes = (*(f"/dev/{name}" for name in DEVICES), "/dev/console")
    words = [*each("stat", nodes)]
    words += [
        "try",
        "write",
        "/dev/full",
        "x",
        "+",
        "try",
        "write",
        "/dev/null",
        "x",
        "+",
        "try",
        "open",
        "/dev/zero",
        "rw",
    ]
    words += [
        "+",
        "try",
        "open",
        "/dev/urandom",
        "+",
        "try",
        "open",
        "/dev/random",
        "+",
        "try",
        "open",
        "/dev/null",
        "rw",
    ]
    pod.add_app("web", *words, user=user)
    lines = pod.run().checked().lines
    stats = stats_of(lines)
    for name, (major, minor) in DEVICES.items():
        found = stats[f"/dev/{name}"]
        assert (found["type"], found["mode"]) == ("character-device", 0o666)
        assert (found["major"], found["minor"]) == (major, minor)
    assert stats["/dev/console"]["type"] == stats["/dev/null"]["type"]
    assert tried(lines, "write") == [errno.ENOSPC, 0]
    assert tried(lines, "open") == [0, 0, 0, 0]


@pytest.mark.spec("LNX-003", "LNX-004", "LNX-007")
def test_bytes_of_the_device_nodes(pod: NativePod) -> None:
    """Read through the app's root on the host's side: /proc/PID/root shows the app's own nodes."""
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60", user="web")
    with pod.start() as running:
        running.wait_for_output(b"ready")
        root = f"/proc/{_child_of(pod.init_pid())}/root/dev"
        assert _first_bytes(f"{root}/null") == b""
        assert _first_bytes(f"{root}/zero") == bytes(64)
        assert _first_bytes(f"{root}/urandom") != _first_bytes(f"{root}/urandom")
        assert len(_first_bytes(f"{root}/random")) > 0


def _first_bytes(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 64)
    finally:
        os.close(fd)


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.spec("LNX-011")
@pytest.mark.parametrize("user", USERS)
def test_ptmx_allocates_in_the_pods_own_devpts(pod: NativePod, user: str) -> None:
    before = os.listdir("/dev/pts")
    pod.add_app("web", "stat", "/dev/ptmx", "+", "try", "open", "/dev/ptmx", "rw", "+", "ls", "/dev/pts", user=user)
    facts = pod.run().checked().facts
    assert facts["stat"]["target"] == "pts/ptmx"
    assert facts["open"]["errno"] == 0
    assert sorted(facts["ls"]) == ["0", "ptmx"], "the console, and nothing of the host"
    assert os.listdir("/dev/pts") == before


@pytest.mark.spec("LNX-016")
def test_image_s_hosts_file_is_left_alone(pod: NativePod) -> None:
    (pod.tree / "etc/hosts").write_text("10.0.0.1 of-the-image\n")
    pod.add_app("web", "cat", "/etc/hosts")
    assert pod.run().checked().stdout == b"10.0.0.1 of-the-image\n"


def test_tmp_and_mtab_are_there(pod: NativePod) -> None:
    pod.add_app("web", "stat", "/tmp", "+", "stat", "/etc/mtab")
    stats = stats_of(pod.run().checked().lines)
    assert stats["/tmp"]["mode"] == 0o1777
    assert stats["/etc/mtab"]["target"] == "../proc/self/mounts"


def test_shared_memory_is_the_pods(pod: NativePod) -> None:
    pod.add_app("a", "write", "/dev/shm/x", "shared", "+", "sleep", "0.5", user="web")
    pod.add_app("b", "wait-file", "/dev/shm/x", "5", "+", "cat", "/dev/shm/x")
    assert pod.run().checked().stdout == b"shared"
    assert not os.path.exists("/dev/shm/x")


# --- root file system and volumes ----------------------------------------------------------------------------------


@pytest.mark.spec("ACE-005", "ACE-006")
@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
@pytest.mark.parametrize(("read_only", "expected"), [(True, errno.EROFS), (False, 0)])
def test_root_is_read_only_when_asked(pod: NativePod, overlay: bool, read_only: bool, expected: int) -> None:
    words = ("try", "write", "/file", "x", "+", "mounts", "+", "try", "append", "/etc/image", "x")
    pod.add_app("web", *words, overlay=overlay, read_only=read_only)
    facts = pod.run().checked().facts
    assert (facts["write"]["errno"], facts["append"]["errno"]) == (expected, expected)
    assert ("ro" if read_only else "rw") in mounts_of(facts)["/"].options
    assert (pod.tree / "etc/image").read_text() == "of the image\n"


@pytest.mark.spec("ACE-009", "ACE-010", "ACE-028", "ACE-030")
def test_volumes_are_shared_between_apps_and_with_the_host(pod: NativePod, tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "given").write_text("of the host")
    pod.add_host_volume("host", host)
    pod.add_empty_volume("empty")
    mounts = [{"volume": "host", "path": "/host"}, {"volume": "empty", "path": "/deep/er/empty"}]
    pod.add_app("a", "ls", "/deep/er/empty", "+", "write", "/deep/er/empty/x", "between", mounts=mounts)
    pod.add_app("b", "wait-file", "/deep/er/empty/x", "5", "+", "write", "/host/made", "of the pod", mounts=mounts)
    outcome = pod.run().checked()
    assert outcome.facts["ls"] == []
    assert (host / "made").read_text() == "of the pod"


@pytest.mark.spec("ACE-011")
def test_read_only_volume_refuses_writes(pod: NativePod, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    pod.add_host_volume("a", tmp_path / "host", readOnly=True)
    pod.add_host_volume("b", tmp_path / "host")
    mounts = [{"volume": "a", "path": "/a"}, {"volume": "b", "path": "/b"}]
    pod.add_app("web", "try", "write", "/a/x", "x", "+", "mounts", "+", "write", "/b/y", "y", mounts=mounts)
    facts = pod.run().checked().facts
    assert facts["write"]["errno"] == errno.EROFS
    found = mounts_of(facts)
    assert "ro" in found["/a"].options and "rw" in found["/b"].options
    assert [entry.name for entry in (tmp_path / "host").iterdir()] == ["y"]


def test_image_cannot_redirect_what_is_mounted(pod: NativePod) -> None:
    """/dev, /proc and /sys of a hostile image are links to the host's."""
    for name, target in (("dev", "/etc"), ("proc", "../../../../../../etc"), ("sys", "/bin/..")):
        (pod.tree / name).symlink_to(target)
    before = sorted(os.listdir("/etc"))
    pod.add_app("web", "exit", "0")
    pod.run()
    assert sorted(os.listdir("/etc")) == before


# --- namespaces, names, the network --------------------------------------------------------------------------------


def test_pod_has_namespaces_of_its_own(pod: NativePod) -> None:
    pod.add_app("web", "namespaces", "+", "hostname", "+", "pid", "+", "ps", "+", "links")
    facts = pod.run().checked().facts
    shared = [name for name, link in facts["namespaces"].items() if _own_namespace(name) == link]
    assert set(shared) <= {"user", "time", "time_for_children"}
    assert facts["hostname"] == f"rkt-{pod.uuid}"
    assert len(facts["ps"]) == 2


def _own_namespace(name: str) -> str | None:
    try:
        return os.readlink(f"/proc/self/ns/{name}")
    except OSError:
        return None


def test_hostname_may_be_chosen(pod: NativePod) -> None:
    pod.add_app("web", "hostname")
    assert b'"chosen"' in pod.run(hostname="chosen").checked().stdout


@pytest.mark.spec("ACE-032")
def test_loopback_is_up_and_is_all_there_is(pod: NativePod) -> None:
    pod.add_app("web", "links")
    links = pod.run().checked().facts["links"]
    assert {link["name"] for link in links} == {"lo"}
    assert any(link["up"] == 1 and link.get("address") == "127.0.0.1" for link in links)


@pytest.mark.spec("ACE-035")
def test_apps_reach_each_other_on_localhost(pod: NativePod) -> None:
    pod.add_empty_volume("shared")
    mounts = [{"volume": "shared", "path": "/s"}]
    pod.add_app("server", "write", "/s/soon", "x", "+", "tcp-serve", "4242", "hello from the server", mounts=mounts)
    pod.add_app(
        "client", "wait-file", "/s/soon", "5", "+", "sleep", "0.3", "+", "tcp-get", "127.0.0.1", "4242", mounts=mounts
    )
    assert b"hello from the server" in pod.run().checked().stdout


def test_network_of_the_host_is_shared_when_asked(pod: NativePod) -> None:
    pod.add_app("web", "namespaces", "+", "mounts")
    facts = pod.run(net="host").checked().facts
    assert facts["namespaces"]["net"] == os.readlink("/proc/self/ns/net")
    assert "ro" in mounts_of(facts)["/sys"].options


@pytest.mark.parametrize(("ipc", "shared"), [("parent", True), ("private", False), (None, False)])
def test_ipc_is_shared_when_asked(pod: NativePod, ipc: str | None, shared: bool) -> None:
    pod.add_app("web", "namespaces")
    found = pod.run(ipc=ipc).checked().facts["namespaces"]["ipc"]
    assert (found == os.readlink("/proc/self/ns/ipc")) is shared


# --- what is not inherited -----------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-049")
def test_environment_of_the_caller_is_invisible(pod: NativePod) -> None:
    def pollute() -> None:
        os.environ["SECRET_OF_THE_CALLER"] = "hunter2"

    pod.add_app("web", "env", environment=[{"name": "A", "value": "$B `c`"}])
    outcome = pod.run(before=pollute).checked()
    assert b"SECRET" not in outcome.stdout
    names = [entry.partition("=")[0] for entry in outcome.facts["env"]]
    assert sorted(names) == sorted({"A", "PATH", "SHELL", "USER", "LOGNAME", "HOME", "AC_APP_NAME", "container"})
    assert "A=$B `c`" in outcome.facts["env"]


@pytest.mark.parametrize("handler", [{}, {"pre_start": ("fds",), "post_stop": ("fds",)}])
def test_no_descriptor_reaches_an_app(pod: NativePod, handler: dict[str, tuple[str, ...]]) -> None:
    def leak() -> None:
        for number in (30, 31, 200):
            os.dup2(os.open("/", os.O_RDONLY), number, inheritable=True)

    pod.add_app("web", "fds", **handler)  # type: ignore[arg-type]
    lines = pod.run(before=leak).checked().lines
    assert len(lines) == 1 + len(handler)
    for line in lines:
        assert line["fds"].keys() == {"0", "1", "2"}


@pytest.mark.parametrize("user", USERS)
def test_nothing_that_init_has_can_be_opened(pod: NativePod, user: str) -> None:
    numbers = tuple(f"/proc/1/fd/{number}" for number in range(12))
    paths = (*numbers, "/proc/1/root/etc", "/proc/1/cwd", "/proc/1/mem", "/proc/1/environ", "/proc/1/ns/mnt")
    pod.add_app("web", *each("try open", paths), "exit", "0", user=user)
    opened = tried(pod.run().checked().lines, "open")
    assert len(opened) == len(paths)
    assert set(opened) <= {errno.EACCES, errno.EPERM, errno.ENOENT}
    assert opened[:3] == [errno.EACCES] * 3


def test_command_line_of_the_caller_is_invisible(pod: NativePod) -> None:
    pod.add_app("web", "cat", "/proc/1/cmdline", "+", "try", "open", "/proc/1/environ")
    outcome = pod.run().checked()
    title, _, rest = outcome.stdout.partition(b"{")
    assert title.strip(b"\0 \n") == f"rkt: init of pod {pod.uuid}".encode()
    assert b"pytest" not in outcome.stdout
    assert b'"errno": 13' in rest or b'"errno": 1' in rest


def test_limits_and_umask_are_the_usual_ones(pod: NativePod) -> None:
    def disturb() -> None:
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 4096))

    pod.add_app("web", "umask", "+", "rlimits", "+", "status", "SigBlk", "SigIgn", "+", "write", "/home/x", "x")
    facts = pod.run(before=disturb).checked().facts
    assert facts["umask"] == 0o022
    assert facts["rlimits"]["nofile"] == [1024, 4096]
    assert {int(mask, 16) for mask in facts["status"].values()} == {0}
    assert (pod.upper("web") / "home/x").stat().st_mode & 0o777 == 0o644


# --- rights --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ISO-033")
@pytest.mark.parametrize("user", USERS)
def test_bounding_set_is_the_default(pod: NativePod, user: str) -> None:
    pod.add_app("web", "caps", "+", "status", "Seccomp", "NoNewPrivs", user=user)
    facts = pod.run().checked().facts
    assert facts["caps"]["CapBnd"] == "00000000a80425fb"
    assert facts["caps"]["CapEff"] == ("00000000a80425fb" if user == "0" else "0" * 16)
    assert facts["status"]["Seccomp"] == "2"
    assert facts["status"]["NoNewPrivs"] == ("0" if user == "0" else "1")


@pytest.mark.spec("ISO-034", "ISO-035", "ISO-036")
@pytest.mark.parametrize(
    ("isolator", "names", "mask"),
    [
        ("os/linux/capabilities-remove-set", ["CAP_NET_RAW", "CAP_SYS_ADMIN"], 0xA80405FB),
        ("os/linux/capabilities-retain-set", ["CAP_NET_ADMIN"], 1 << 12),
    ],
)
def test_bounding_set_is_the_isolators(pod: NativePod, isolator: str, names: list[str], mask: int) -> None:
    pod.add_app("web", "caps", isolators=[{"name": isolator, "value": {"set": names}}])
    assert int(pod.run().checked().facts["caps"]["CapBnd"], 16) == mask


def test_capabilities_are_the_hosts_when_asked(pod: NativePod) -> None:
    pod.add_app("web", "caps")
    lines = Path("/proc/self/status").read_text().splitlines()
    own = next(line.split()[1] for line in lines if line.startswith("CapBnd"))
    found = pod.run(insecure=frozenset(("capabilities",))).checked().facts
    assert found["caps"]["CapBnd"] == own


def test_filter_is_off_when_asked(pod: NativePod) -> None:
    pod.add_app("web", "status", "Seccomp")
    assert pod.run(insecure=frozenset(("seccomp",))).checked().facts["status"]["Seccomp"] == "0"


@pytest.mark.spec("ISO-041", "ISO-042")
@pytest.mark.parametrize(
    ("isolators", "value"), [([], "0"), ([{"name": "os/linux/no-new-privileges", "value": True}], "1")]
)
def test_no_new_privileges_is_the_isolators(pod: NativePod, isolators: list[dict[str, object]], value: str) -> None:
    pod.add_app("web", "status", "NoNewPrivs", isolators=isolators)
    assert pod.run().checked().facts["status"]["NoNewPrivs"] == value


@pytest.mark.spec("ISO-044")
def test_oom_score_is_the_isolators(pod: NativePod) -> None:
    pod.add_app("web", "cat", "/proc/self/oom_score_adj", isolators=[{"name": "os/linux/oom-score-adj", "value": 321}])
    assert pod.run().checked().stdout == b"321\n"


def test_memory_limit_is_in_the_kernel(pod: NativePod) -> None:
    pod.add_app(
        "web",
        *("print-out", "ready", "+", "sleep", "60"),
        isolators=[{"name": "resource/memory", "value": {"limit": "16Mi"}}],
    )
    with pod.start() as running:
        running.wait_for_output(b"ready")
        member = _child_of(pod.init_pid())
        groups = Path(f"/proc/{member}/cgroup").read_text()
        assert f"/rkt/{pod.uuid}/web" in groups
        candidates = [
            f"/sys/fs/cgroup/memory/rkt/{pod.uuid}/web/memory.limit_in_bytes",
            f"/sys/fs/cgroup/rkt/{pod.uuid}/web/memory.max",
        ]
        assert [Path(path).read_text().strip() for path in candidates if os.path.exists(path)] == [str(16 << 20)]


def test_fork_bomb_meets_the_limit(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    with pod.start() as running:
        running.wait_for_output(b"ready")
        paths = [f"{root}/rkt/{pod.uuid}/web/pids.max" for root in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")]
        assert [Path(path).read_text().strip() for path in paths if os.path.exists(path)] == ["4096"]


# --- attempts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "copy"])
def test_device_node_that_an_app_makes_leads_nowhere(pod: NativePod, overlay: bool) -> None:
    """CAP_MKNOD is among the defaults: the node can be made, but not opened."""
    pod.add_empty_volume("shared")
    words: list[str] = []
    places = ("/node", "/home/node", "/dev/shm/node", "/shared/node", "/dev/node", "/tmp/node")
    for place in places:
        words += ["try", "mknod", place, "c", "1", "5", "+", "try", "open", place, "+"]
    pod.add_app("web", *words, "exit", "0", overlay=overlay, mounts=[{"volume": "shared", "path": "/shared"}])
    lines = pod.run().checked().lines
    assert tried(lines, "mknod").count(0) >= 4
    assert set(tried(lines, "open")) <= {errno.EACCES, errno.ENOENT}


def test_kernel_settings_cannot_be_written(pod: NativePod) -> None:
    settings = ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/sys/power/state")
    words = [word for path in settings for word in ("try", "open", path, "w", "+")]
    pod.add_app("web", *words, "exit", "0")
    assert set(tried(pod.run().checked().lines, "open")) <= {errno.EROFS, errno.ENOENT}


def test_hidden_kernel_files_hold_nothing(pod: NativePod) -> None:
    """Root may open what masks them, and reads nothing."""
    present = [f"/proc/{name}" for name in kernel_paths.HIDDEN_PROC_FILES if os.path.exists(f"/proc/{name}")]
    assert len(present) > 10
    words = [word for path in present for word in ("cat", path, "+")]
    pod.add_app("web", *words, "print-out", "end")
    assert pod.run().checked().stdout == b"end\n"


def test_hidden_kernel_directories_are_empty(pod: NativePod) -> None:
    directories = [
        *(f"/proc/{name}" for name in kernel_paths.HIDDEN_PROC_DIRECTORIES),
        *(f"/sys/{name}" for name in kernel_paths.HIDDEN_SYS_DIRECTORIES),
    ]
    present = [path for path in directories if os.path.isdir(path)]
    assert len(present) > 4
    pod.add_app("web", *[word for path in present for word in ("ls", path, "+")], "exit", "0")
    assert [line["ls"] for line in pod.run().checked().lines] == [[]] * len(present)


def test_kernel_files_are_shown_when_asked(pod: NativePod) -> None:
    pod.add_app("web", "cat", "/proc/softirqs")
    assert pod.run().checked().stdout == b""
    pod_output = pod.run(insecure=frozenset(("paths",))).checked().stdout
    assert b"NET_RX" in pod_output


def test_masks_cannot_be_lifted(pod: NativePod) -> None:
    """Not by mounting, not by changing what masks, not through another path to the same file system."""
    words = ["try", "chmod", "/proc/kcore", "777", "+", "try", "append", "/dev/null/../../proc/kcore", "x", "+"]
    words += ["try", "mount", "proc", "/home", "proc", "+", "try", "chmod", "/dev/null", "0", "+"]
    pod.add_app("web", *words, "exit", "0")
    lines = pod.run().checked().lines
    assert 0 not in tried(lines, "chmod")[:1]
    assert tried(lines, "mount") == [errno.EPERM]
    assert os.stat("/dev/null").st_mode & 0o777 == 0o666


def test_system_calls_are_filtered(pod: NativePod) -> None:
    unshare_newuser, keyctl, clone3 = ("272", str(0x10000000)), ("250", "0"), ("435",)
    words = [word for call in (unshare_newuser, keyctl, clone3) for word in ("syscall", *call, "+")]
    pod.add_app("web", *words, "exit", "0")
    assert tried(pod.run().checked().lines, "syscall") == [errno.EPERM, errno.EPERM, errno.ENOSYS]


def test_script_of_the_image_never_runs_the_hosts_interpreter(pod: NativePod) -> None:
    script = pod.tree / "bin/script"
    script.write_text("#!/proc/self/exe\n")
    script.chmod(0o755)
    pod.add_app("web", exec=["/bin/script"])
    outcome = pod.run()
    assert (outcome.status, outcome.stdout) == (254, b"")
    assert b"permission denied" in outcome.stderr
