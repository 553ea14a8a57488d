"""The last steps inside the pod, in a process whose root is a small tree of its own."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.forked_child import run_in_child
from harness.hidden_calls import LANDLOCK_CREATE_RULESET, OPENAT2, hide_system_call

from rkt.linux import capabilities, seccomp, syscalls
from rkt.stage1 import syscall_sets
from rkt.stage2 import launch
from rkt.stage2.process import AppProcess

pytestmark = pytest.mark.root

DEFAULT_MASK = capabilities.mask_of(capabilities.DEFAULT)


@pytest.fixture
def tree(tmp_path: Path, fixture_images: Path) -> Path:
    """The root file system of an app: the probe in three directories, and places for /proc and /dev."""
    for directory in ("proc", "dev", "bin", "usr/bin", "opt/first", "etc", "tmp", "work"):
        (tmp_path / directory).mkdir(parents=True)
    for directory in ("bin", "usr/bin"):
        shutil.copy(fixture_images / "probe/probe", tmp_path / directory / "probe")
    (tmp_path / "etc/passwd").write_text("web:x:1000:1000::/:\n")
    (tmp_path / "etc/group").write_text("web:x:1001:\n")
    tmp_path.chmod(0o755)
    return tmp_path


def process(*argv: str, environment: tuple[tuple[str, str], ...] = (("PATH", "/bin"),), **fields: Any) -> AppProcess:
    return AppProcess(
        app="web",
        argv=argv,
        environment=environment,
        user=fields.pop("user", "0"),
        group=fields.pop("group", "0"),
        **{"bounding_set": DEFAULT_MASK, **fields},
    )


class Outcome:
    """How a launched process ended, what it printed, and why it could not be launched."""

    def __init__(self, status: int, output: str, error: str) -> None:
        self.status, self.output, self.error = status, output, error

    @property
    def facts(self) -> dict[str, Any]:
        assert self.error == ""
        found: dict[str, Any] = {}
        for line in self.output.splitlines():
            found.update(json.loads(line))
        return found


def launched(tree: Path, what: AppProcess, *, before: Callable[[], object] = lambda: None) -> Outcome:
    """Launch ``what`` in ``tree``; ``before`` runs in the process first, on the host."""

    def body() -> tuple[int, str, str]:
        syscalls.mount(str(tree), str(tree), None, syscalls.MS_BIND)
        syscalls.mount("proc", f"{tree}/proc", "proc", 0)
        output, error = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(output[1], 1)
                before()
                launch.enter_root(str(tree))
                launch.run(what)
            except BaseException as failure:
                launch.report(error[1], failure)
            finally:
                os._exit(254)
        os.close(output[1])
        os.close(error[1])
        told = [read_all(output[0]).decode(), read_all(error[0]).decode()]
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told[0], told[1]

    return Outcome(*run_in_child(body, unshare=syscalls.CLONE_NEWNS))


def read_all(fd: int) -> bytes:
    data = b""
    while part := os.read(fd, 65536):
        data += part
    return data


# --- the root ------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-004")
def test_nothing_of_the_old_root_is_left(tree: Path) -> None:
    found = launched(tree, process("/bin/probe", "ls", "/", "+", "mounts")).facts
    assert sorted(found["ls"]) == ["bin", "dev", "etc", "opt", "proc", "tmp", "usr", "work"]
    assert {line.split()[4] for line in found["mounts"]} == {"/", "/proc"}


def test_directory_that_is_no_mount_cannot_become_the_root(tree: Path) -> None:
    def body() -> None:
        launch.enter_root(f"{tree}/work")

    with pytest.raises(OSError, match=r'pivot_root "."'):
        run_in_child(body, unshare=syscalls.CLONE_NEWNS)


# --- the executable ------------------------------------------------------------------------------------------------


@pytest.mark.spec("IMG-011")
def test_name_is_searched_along_path(tree: Path) -> None:
    (tree / "opt/first/probe").write_text("not executable")
    (tree / "opt/probe").mkdir()
    found = launched(tree, process("probe", "args", environment=(("PATH", "/missing:/opt:/opt/first:/usr/bin"),)))
    assert found.facts["args"] == ["probe", "args"]


@pytest.mark.spec("IMG-012")
def test_without_path_the_current_directory_comes_first(tree: Path) -> None:
    shutil.move(tree / "usr/bin/probe", tree / "work/only-here")
    here = process("only-here", "exit", "3", environment=(), working_directory="/work")
    assert launched(tree, here).status == 3
    elsewhere = launched(tree, process("only-here", "exit", "3", environment=()))
    assert elsewhere.error == 'cannot execute "only-here" of app "web": not found in ":/bin:/usr/bin"'
    assert launched(tree, process("probe", "exit", "3", environment=())).status == 3


@pytest.mark.spec("IMG-013")
def test_name_with_a_slash_is_executed_as_given(tree: Path) -> None:
    relative = process("bin/probe", "exit", "3", environment=(("PATH", "/missing"),), working_directory="/usr")
    assert launched(tree, relative).status == 3
    missing = launched(tree, process("./probe", "exit", "3", working_directory="/work"))
    assert missing.error == 'cannot execute "./probe" of app "web": no such file or directory'
    assert missing.status == 254


@pytest.mark.spec("IMG-015")
def test_arguments_arrive_verbatim(tree: Path) -> None:
    words = ("$HOME", "`id`", "*", "a b", "", "\n", "日本", "\\")
    assert launched(tree, process("/bin/probe", "args", "+", "args", *words)).facts["args"][4:] == list(words)


def test_name_that_is_nowhere_is_an_error(tree: Path) -> None:
    found = launched(tree, process("nothing"))
    assert (found.status, found.error) == (254, 'cannot execute "nothing" of app "web": not found in "/bin"')


def test_missing_interpreter_is_named(tree: Path) -> None:
    (tree / "bin/script").write_text("#!/usr/bin/perl -w\n")
    (tree / "bin/script").chmod(0o755)
    error = launched(tree, process("/bin/script")).error
    assert error == (
        'cannot execute "/bin/script" of app "web": no such file or directory (its interpreter is "/usr/bin/perl")'
    )


def test_missing_dynamic_linker_is_suspected(tree: Path) -> None:
    program = Path(os.path.realpath("/bin/sleep")).read_bytes()
    (tree / "bin/dynamic").write_bytes(program)
    (tree / "bin/dynamic").chmod(0o755)
    error = launched(tree, process("/bin/dynamic")).error
    assert error.endswith("no such file or directory (its dynamic linker may be missing)")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "exec format error"), (b"plain text", "exec format error")],
)
def test_file_that_is_no_program_is_an_error(tree: Path, content: bytes, reason: str) -> None:
    (tree / "bin/odd").write_bytes(content)
    (tree / "bin/odd").chmod(0o755)
    assert launched(tree, process("/bin/odd")).error.startswith(f'cannot execute "/bin/odd" of app "web": {reason}')


def test_program_that_may_not_be_executed_is_an_error(tree: Path) -> None:
    (tree / "bin/probe").chmod(0o644)
    error = launched(tree, process("/bin/probe")).error
    assert error == 'cannot execute "/bin/probe" of app "web": permission denied (it is not executable)'


@pytest.mark.timeout(20)
def test_executable_that_is_no_file_is_an_error_at_once(tree: Path) -> None:
    os.mkfifo(tree / "bin/fifo", 0o755)
    for path in ("/bin/fifo", "/bin"):
        assert launched(tree, process(path)).error == f'cannot execute "{path}" of app "web": permission denied'


def test_words_with_null_bytes_are_an_error(tree: Path) -> None:
    error = launched(tree, process("/bin/probe", "a\0b")).error
    assert error == 'cannot execute "/bin/probe" of app "web": embedded null byte'
    error = launched(tree, process("/bin/probe", environment=(("A", "\0"),))).error
    assert error == 'cannot execute "/bin/probe" of app "web": embedded null byte'


# --- Landlock ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", ["#!/proc/self/exe", "#!/proc/1/exe", "#! /proc/self/exe -x", "#!/proc/thread-self/exe"]
)
def test_script_that_asks_for_the_hosts_program_is_refused(tree: Path, first: str) -> None:
    """The interpreter would be the runtime's own, open to be overwritten (CVE-2019-5736)."""
    (tree / "bin/script").write_text(f"{first}\n")
    (tree / "bin/script").chmod(0o755)
    found = launched(tree, process("/bin/script"))
    assert found.status == 254
    assert "permission denied" in found.error


def test_path_of_the_hosts_program_is_refused(tree: Path) -> None:
    found = launched(tree, process("/proc/self/exe", "-c", "print('host')"))
    assert (found.status, found.output) == (254, "")
    assert "permission denied" in found.error


def test_app_that_may_mount_is_not_confined(tree: Path) -> None:
    """Landlock would take mount(2) from it; who has CAP_SYS_ADMIN can undo more."""
    everything = process("/bin/probe", "try", "mount", "none", "/work", "tmpfs", bounding_set=None)
    assert launched(tree, everything).facts["mount"]["errno"] == 0


def test_kernel_without_landlock_runs_apps(tree: Path) -> None:
    def hide() -> None:
        hide_system_call(LANDLOCK_CREATE_RULESET)

    assert launched(tree, process("/bin/probe", "exit", "3"), before=hide).status == 3


# --- the working directory -----------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-051", "ACE-052", "IMG-030")
@pytest.mark.parametrize(
    ("wanted", "entered"),
    [
        ("/", "/"),
        ("", "/"),
        ("/work", "/work"),
        ("/work/", "/work"),
        ("/usr/../work/.", "/work"),
        ("/../../work", "/work"),
    ],
)
def test_working_directory_is_entered(tree: Path, wanted: str, entered: str) -> None:
    assert launched(tree, process("/bin/probe", "cwd", working_directory=wanted)).facts["cwd"] == entered


def test_symlink_of_the_image_leads_to_a_directory_of_the_image(tree: Path) -> None:
    (tree / "link").symlink_to("/work")
    assert launched(tree, process("/bin/probe", "cwd", working_directory="/link")).facts["cwd"] == "/work"


@pytest.mark.spec("ACE-065", "IMG-032")
def test_missing_working_directory_is_an_error(tree: Path) -> None:
    found = launched(tree, process("/bin/probe", "cwd", working_directory="/missing"))
    assert (found.status, found.output) == (254, "")
    assert found.error == (
        'cannot enter working directory "/missing" of app "web": no such file or directory\n'
        "hint: create it in the image or mount a volume there"
    )


def test_working_directory_that_is_a_file_is_an_error(tree: Path) -> None:
    found = launched(tree, process("/bin/probe", working_directory="/etc/passwd"))
    assert "not a directory" in found.error
    assert not (tree / "missing").exists()


@pytest.mark.parametrize("link", [None, "/link"])
@pytest.mark.parametrize("hidden", [False, True], ids=["openat2", "fallback"])
def test_descriptor_of_the_runtime_is_no_working_directory(tree: Path, link: str | None, hidden: bool) -> None:
    """/proc/self/fd/N is a directory of the host if one is left open (CVE-2024-21626)."""
    host_fd = 9
    (tree / "link").symlink_to(f"/proc/self/fd/{host_fd}")

    def leak() -> None:
        os.dup2(os.open("/", os.O_RDONLY | os.O_DIRECTORY), host_fd)
        if hidden:
            hide_system_call(OPENAT2)

    wanted = link or f"/proc/self/fd/{host_fd}"
    found = launched(tree, process("/bin/probe", "cwd", "+", "ls", ".", working_directory=wanted), before=leak)
    assert (found.status, found.output) == (254, "")
    assert "too many levels of symbolic links" in found.error


def test_working_directory_without_openat2(tree: Path) -> None:
    found = launched(
        tree, process("/bin/probe", "cwd", working_directory="/work"), before=lambda: hide_system_call(OPENAT2)
    )
    assert found.facts["cwd"] == "/work"


# --- identity ------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-054")
@pytest.mark.parametrize(
    ("user", "group", "uid", "gid"), [("web", "web", 1000, 1001), ("12", "34", 12, 34), ("0", "web", 0, 1001)]
)
def test_app_is_its_user_and_group_in_every_way(tree: Path, user: str, group: str, uid: int, gid: int) -> None:
    found = launched(tree, process("/bin/probe", "ids", "+", "status", "Uid", "Gid", user=user, group=group)).facts
    assert found["status"]["Uid"].split() == [str(uid)] * 4
    assert found["status"]["Gid"].split() == [str(gid)] * 4


@pytest.mark.spec("ACE-055", "IMG-023")
@pytest.mark.parametrize("gids", [(), (5,), (5, 70000)])
def test_supplementary_groups_are_exactly_the_apps(tree: Path, gids: tuple[int, ...]) -> None:
    what = process("/bin/probe", "status", "Groups", user="web", supplementary_gids=gids)
    found = launched(tree, what, before=lambda: os.setgroups([3, 4])).facts
    assert found["status"]["Groups"].split() == [str(gid) for gid in gids]


def test_unknown_user_is_an_error_before_anything_runs(tree: Path) -> None:
    found = launched(tree, process("/bin/probe", "ids", user="ghost"))
    assert (found.status, found.output) == (254, "")
    assert found.error.startswith('cannot resolve user "ghost"')


@pytest.mark.spec("ISO-033")
def test_root_has_the_bounding_set_and_not_more(tree: Path) -> None:
    caps = launched(tree, process("/bin/probe", "caps")).facts["caps"]
    assert {name: int(caps[name], 16) for name in ("CapBnd", "CapEff", "CapPrm")} == dict.fromkeys(
        ("CapBnd", "CapEff", "CapPrm"), DEFAULT_MASK
    )
    assert (int(caps["CapInh"], 16), int(caps["CapAmb"], 16)) == (0, 0)


def test_other_user_has_no_capability(tree: Path) -> None:
    caps = launched(tree, process("/bin/probe", "caps", user="web")).facts["caps"]
    assert {int(caps[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert int(caps["CapBnd"], 16) == DEFAULT_MASK


@pytest.mark.spec("ISO-041", "ISO-042")
@pytest.mark.parametrize(("wanted", "shown"), [(True, "1"), (False, "0")])
def test_no_new_privileges_is_set_when_asked(tree: Path, wanted: bool, shown: str) -> None:
    found = launched(tree, process("/bin/probe", "status", "NoNewPrivs", no_new_privileges=wanted)).facts
    assert found["status"]["NoNewPrivs"] == shown


@pytest.mark.spec("ISO-044")
@pytest.mark.parametrize("score", [0, 500, 1000])
def test_oom_score_is_set(tree: Path, score: int) -> None:
    found = launched(tree, process("/bin/probe", "cat", "/proc/self/oom_score_adj", oom_score_adj=score))
    assert found.output.strip() == str(score)


@pytest.mark.parametrize("user", ["0", "web"])
def test_filters_are_loaded_last(tree: Path, user: str) -> None:
    programs = tuple(map(seccomp.compile_filter, syscall_sets.plan_default_filters(sys_admin=False)))
    what = process("/bin/probe", "status", "Seccomp_filters", "+", "syscall", "9999", user=user, programs=programs)
    found = launched(tree, what).facts
    assert found["status"]["Seccomp_filters"] == "2"
    assert found["syscall"]["errno"] == errno.ENOSYS


# --- what an app must not inherit ----------------------------------------------------------------------------------


def test_environment_is_exactly_the_apps(tree: Path) -> None:
    def pollute() -> None:
        os.environ["SECRET"] = "x"

    what = process("/bin/probe", "env", environment=(("PATH", "/bin"), ("A", ""), ("B", "x=y")))
    assert launched(tree, what, before=pollute).facts["env"] == ["PATH=/bin", "A=", "B=x=y"]


def test_no_descriptor_is_inherited(tree: Path) -> None:
    def leak() -> None:
        for number in (50, 51, 1000):
            os.dup2(os.open("/", os.O_RDONLY), number, inheritable=True)

    assert launched(tree, process("/bin/probe", "fds"), before=leak).facts["fds"].keys() == {"0", "1", "2"}


def test_umask_signals_and_limits_are_the_usual_ones(tree: Path) -> None:
    def disturb() -> None:
        os.umask(0)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(40, signal.SIG_IGN)
        for internal in (32, 33):
            # the library's own, which posix_spawn(3) leaves ignored
            ignore = (ctypes.c_uint64 * 4)(1)
            number, size = ctypes.c_int(internal), ctypes.c_size_t(8)
            assert syscalls.libc.syscall(ctypes.c_long(13), number, ctypes.byref(ignore), None, size) == 0
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, 50})
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 8192))
        os.nice(5)

    words = ("umask", "+", "status", "SigIgn", "SigBlk", "SigCgt", "+", "rlimits", "+", "cat", "/proc/self/stat")
    found = launched(tree, process("/bin/probe", *words), before=disturb)
    *lines, stat = found.output.splitlines()
    facts: dict[str, Any] = {}
    for line in lines:
        facts.update(json.loads(line))
    assert facts["umask"] == 0o022
    assert {int(facts["status"][name], 16) for name in ("SigIgn", "SigBlk", "SigCgt")} == {0}
    assert facts["rlimits"]["nofile"] == [1024, 8192]
    assert facts["rlimits"]["core"][0] == 0
    assert stat.rpartition(")")[2].split()[16] == "0", "nice"


def test_lower_descriptor_limit_is_kept(tree: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))

    assert launched(tree, process("/bin/probe", "rlimits"), before=limit).facts["rlimits"]["nofile"] == [100, 200]


# --- reports -------------------------------------------------------------------------------------------------------


def reported(error: BaseException) -> str:
    reader, writer = os.pipe()
    launch.report(writer, error)
    os.close(writer)
    data = read_all(reader)
    os.close(reader)
    assert len(data) <= 4096
    return data.decode()


def test_report_is_message_and_hint() -> None:
    assert reported(launch.LaunchError("cannot x", "do y")) == "cannot x\nhint: do y"
    assert reported(launch.LaunchError("cannot x")) == "cannot x"
    assert reported(launch.LaunchError("\udc80")) == "\\udc80"
    assert reported(KeyError("bug")) == "internal error: KeyError: 'bug'"
    assert reported(launch.LaunchError("x" * 10_000)) == "x" * 4096


def test_process_with_another_command_keeps_its_surroundings() -> None:
    main = process("/main", user="web", group="g", supplementary_gids=(1,), oom_score_adj=5, working_directory="/w")
    handler = main.with_argv(("/handler", "x"))
    assert handler.argv == ("/handler", "x")
    for name in AppProcess.__slots__:
        if name != "argv":
            assert getattr(handler, name) == getattr(main, name)
    assert main.describe() == "exec /main as web:g in /w (0 filters)"
