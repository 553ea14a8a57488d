"""A pod from its start to its end: exit statuses, handlers, signals, streams, and what is left on the machine."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from pathlib import Path

import pytest
from harness.native_pod import NativePod, wait_until

from rkt.linux.cgroups import find_hierarchies
from rkt.stage1.native import entrypoint

pytestmark = [pytest.mark.root, pytest.mark.needs("overlay", "namespaces", "seccomp")]


# --- exit statuses -------------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-063")
@pytest.mark.parametrize("status", [0, 1, 7, 254, 255])
def test_pod_ends_with_its_apps_status(pod: NativePod, status: int) -> None:
    pod.add_app("web", "exit", str(status))
    assert pod.run().checked(status).stderr == b""
    assert pod.status_of("web") == f"{status}\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGUSR1])
def test_app_that_dies_of_a_signal_gives_128_and_its_number(pod: NativePod, number: int) -> None:
    pod.add_app("web", "kill-self", str(number))
    assert pod.run().status == 128 + number
    assert pod.status_of("web") == f"{128 + number}\n"


def test_first_failure_decides_and_stops_the_others(pod: NativePod) -> None:
    pod.add_app("first", "sleep", "0.2", "+", "exit", "3")
    pod.add_app("other", "sleep", "60")
    started = time.monotonic()
    assert pod.run().status == 3
    assert time.monotonic() - started < 8
    assert (pod.status_of("first"), pod.status_of("other")) == ("3\n", f"{128 + signal.SIGTERM}\n")


def test_success_of_one_app_leaves_the_others_running(pod: NativePod) -> None:
    pod.add_app("quick", "exit", "0")
    pod.add_app("slow", "sleep", "0.4", "+", "print-out", "done")
    assert pod.run().checked().stdout == b"done\n"
    assert (pod.status_of("quick"), pod.status_of("slow")) == ("0\n", "0\n")


@pytest.mark.spec("ACE-061")
def test_apps_run_at_the_same_time(pod: NativePod) -> None:
    """Each waits for a file of the other."""
    pod.add_empty_volume("shared")
    mounts = [{"volume": "shared", "path": "/shared"}]
    for name, other in (("a", "b"), ("b", "a")):
        pod.add_app(name, "write", f"/shared/{name}", "x", "+", "wait-file", f"/shared/{other}", "5", mounts=mounts)
    pod.run().checked()


@pytest.mark.spec("ACE-008")
def test_apps_of_one_image_have_separate_files(pod: NativePod) -> None:
    pod.add_app("a", "write", "/home/a", "of a", "+", "sleep", "0.3", "+", "ls", "/home")
    pod.add_app("b", "sleep", "0.2", "+", "try", "open", "/home/a")
    found = pod.run().checked().facts
    assert found["ls"] == ["a"]
    assert found["open"]["errno"] == errno.ENOENT
    assert (pod.upper("a") / "home/a").read_text() == "of a"
    assert not (pod.tree / "home/a").exists()


def test_pod_without_apps_is_refused(pod: NativePod) -> None:
    outcome = pod.run()
    assert outcome.status == 254
    assert b"pod must contain at least one application" in outcome.stderr


# --- what cannot be started ----------------------------------------------------------------------------------------


def test_program_that_is_missing_is_explained(pod: NativePod) -> None:
    pod.add_app("web", exec=["/bin/nothing"])
    outcome = pod.run()
    assert outcome.status == 254
    assert outcome.stderr == b'run: cannot execute "/bin/nothing" of app "web": no such file or directory\n'


def test_app_that_cannot_start_takes_the_pod_with_it(pod: NativePod) -> None:
    pod.add_app("web", exec=["/bin/nothing"])
    pod.add_app("other", "sleep", "60")
    started = time.monotonic()
    assert pod.run().status == 254
    assert time.monotonic() - started < 8


def test_unknown_user_is_explained(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", user="ghost")
    outcome = pod.run()
    assert outcome.status == 254
    assert outcome.stderr.startswith(b'run: cannot resolve user "ghost": not in /etc/passwd of the image\n')


@pytest.mark.spec("ACE-065")
def test_missing_working_directory_is_explained(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ran", workingDirectory="/missing")
    outcome = pod.run()
    assert (outcome.status, outcome.stdout) == (254, b"")
    assert b'cannot enter working directory "/missing" of app "web"' in outcome.stderr


@pytest.mark.spec("ACE-021")
def test_missing_source_of_a_volume_is_explained(pod: NativePod, tmp_path: Path) -> None:
    pod.add_host_volume("data", tmp_path / "missing")
    pod.add_app("web", "print-out", "ran", mounts=[{"volume": "data", "path": "/data"}])
    outcome = pod.run()
    assert (outcome.status, outcome.stdout) == (254, b"")
    assert f'volume "data": source "{tmp_path}/missing" does not exist'.encode() in outcome.stderr
    assert not (tmp_path / "missing").exists()


def test_failed_settling_ends_the_pod(pod: NativePod) -> None:
    """What could not be made durable is not left running."""

    def fail() -> None:
        raise OSError(errno.EIO, "settling failed")

    pod.add_app("web", "sleep", "60")
    started = time.monotonic()
    outcome = pod.run(settle=fail)
    assert (outcome.status, b"settling failed" in outcome.stderr) == (255, True)
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("net", ["default", "bridge", ""])
def test_network_that_is_not_there_yet_is_named(pod: NativePod, net: str) -> None:
    pod.add_app("web", "exit", "0")
    outcome = pod.run(net=net)
    assert outcome.status == 254
    assert f'network mode "{net}" is not supported by this version'.encode() in outcome.stderr


# --- handlers ------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-007", "ACE-056", "ACE-057", "ACE-059", "IMG-027", "IMG-028")
def test_handlers_run_before_and_after_in_the_same_root(pod: NativePod) -> None:
    log = "/home/log"
    pod.add_app(
        "web",
        *("cat", log, "+", "append", log, "main\n"),
        pre_start=("write", log, "pre\n"),
        post_stop=("append", log, "post\n", "+", "cat", log),
    )
    outcome = pod.run().checked()
    assert outcome.stdout == b"pre\npre\nmain\npost\n"


@pytest.mark.spec("ACE-062")
def test_main_processes_wait_for_every_pre_start(pod: NativePod) -> None:
    pod.add_empty_volume("shared")
    mounts = [{"volume": "shared", "path": "/shared"}]
    pod.add_app("slow", "exit", "0", mounts=mounts, pre_start=("sleep", "0.4", "+", "write", "/shared/prepared", "x"))
    pod.add_app("quick", "open", "/shared/prepared", mounts=mounts)
    pod.run().checked()


@pytest.mark.spec("ACE-058")
@pytest.mark.parametrize(
    ("words", "status", "how"),
    [(("exit", "5"), 5, b"ended with status 5"), (("kill-self", "9"), 137, b"was killed by signal 9")],
)
def test_failed_pre_start_is_the_pods_failure(pod: NativePod, words: tuple[str, ...], status: int, how: bytes) -> None:
    pod.add_app("web", "print-out", "main ran", pre_start=words, post_stop=("print-out", "post-stop ran"))
    outcome = pod.run().checked(status)
    assert b"main ran" not in outcome.stdout
    assert outcome.stderr == b'run: pre-start handler of app "web" ' + how + b"\n"
    assert pod.status_of("web") == f"{status}\n"


def test_failed_pre_start_of_one_app_starts_no_other(pod: NativePod) -> None:
    pod.add_app("bad", "exit", "0", pre_start=("exit", "5"))
    pod.add_app("good", "print-out", "main ran")
    outcome = pod.run().checked(5)
    assert outcome.stdout == b""


def test_failed_post_stop_changes_no_status(pod: NativePod) -> None:
    pod.add_app("web", "exit", "3", post_stop=("exit", "9"))
    assert pod.run().status == 3
    assert pod.status_of("web") == "3\n"


def test_post_stop_runs_after_a_crash(pod: NativePod) -> None:
    pod.add_app("web", "kill-self", "11", post_stop=("print-out", "cleaned up"))
    assert pod.run().checked(139).stdout == b"cleaned up\n"


@pytest.mark.spec("ACE-041", "ACE-043", "ACE-047", "ACE-053", "ACE-064")
def test_handlers_have_the_surroundings_of_the_app(pod: NativePod) -> None:
    words = ("env", "+", "ids", "+", "cwd", "+", "caps", "+", "status", "Seccomp", "+", "stat", "/data/mark")
    (pod.data / "volume").mkdir()
    (pod.data / "volume/mark").touch()
    pod.add_host_volume("data", pod.data / "volume")
    pod.add_app(
        "web",
        *words,
        pre_start=words,
        post_stop=words,
        user="web",
        group="web",
        workingDirectory="/home",
        environment=[{"name": "A", "value": "b"}],
        mounts=[{"volume": "data", "path": "/data"}],
    )
    lines = pod.run().checked().lines
    third = len(lines) // 3
    before, main, after = lines[:third], lines[third : 2 * third], lines[2 * third :]
    assert before == main == after
    environment = main[0]["env"]
    assert {"A=b", "AC_APP_NAME=web", "container=rkt"} <= set(environment)
    assert "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in environment
    assert (main[1]["ids"]["uid"], main[2]["cwd"]) == (1000, "/home")


# --- signals and the end -------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-060")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_to_the_supervisor_stops_the_pod(pod: NativePod, number: int) -> None:
    pod.add_app("web", "signals", post_stop=("print-out", "post-stop"))
    with pod.start() as running:
        running.wait_for_output(b'"ready"')
        running.signal(number)
        outcome = running.wait()
    assert f'"number": {int(signal.SIGTERM)}'.encode() in outcome.stdout
    assert outcome.stdout.endswith(b"post-stop\n")
    assert outcome.status == 0


def test_second_signal_is_not_patient(pod: NativePod) -> None:
    pod.add_app("web", "signals", "60", "+", "sleep", "60")
    with pod.start() as running:
        # printed once the app catches signals: before that the first would end it
        running.wait_for_output(b'"signals": "ready"')
        started = time.monotonic()
        running.signal(signal.SIGTERM)
        time.sleep(0.2)
        running.signal(signal.SIGTERM)
        outcome = running.wait()
    assert time.monotonic() - started < 5
    assert outcome.status == 137


def test_killed_supervisor_takes_the_pod_with_it_and_frees_the_lock(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    with pod.start() as running:
        running.wait_for_output(b"ready")
        init = pod.init_pid()
        lock = os.open(pod.path, os.O_RDONLY | os.O_CLOEXEC)
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        running.signal(signal.SIGKILL)
        assert running.wait().status == 137
    wait_until(lambda: not os.path.exists(f"/proc/{init}") or b"Z" in _state(init), 10)
    wait_until(lambda: _locks(lock), 10)
    os.close(lock)
    assert pod.leftovers(), "the supervisor could not remove the groups: there is something to collect"
    entrypoint.collect_garbage(str(pod.path))
    entrypoint.collect_garbage(str(pod.path))
    wait_until(lambda: pod.leftovers() == [], 10)


def _state(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return b"Z"


def _locks(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("text", ["", "rkt", "rkt/", "rkt/..", "rkt/a/b", "../rkt/x", "other/x", "/rkt/x", "rkt/."])
def test_garbage_collection_believes_no_forged_group(pod: NativePod, text: str) -> None:
    """The file lies in a directory that only root writes, and yet it names what is killed."""
    (pod.path / "subcgroup").write_text(text)
    made = [f"{root}/rkt" for root in find_hierarchies().roots() if not os.path.isdir(f"{root}/rkt")]
    entrypoint.collect_garbage(str(pod.path))
    assert not [path for path in made if os.path.isdir(path)]


def test_killed_init_ends_the_pod(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    with pod.start() as running:
        running.wait_for_output(b"ready")
        os.kill(pod.init_pid(), signal.SIGKILL)
        assert running.wait().status == 137


def test_orphans_are_reaped_and_change_nothing(pod: NativePod) -> None:
    pod.add_app("web", "orphan", "0.1", "+", "orphan", "0.1", "+", "sleep", "0.5", "+", "ps")
    outcome = pod.run().checked()
    states = outcome.facts["ps"].values()
    assert not [state for state in states if state.endswith(" Z")]
    assert outcome.stderr == b""


def test_what_the_main_process_leaves_is_killed(pod: NativePod) -> None:
    pod.add_app("web", "orphan", "60", "+", "exit", "0")
    pod.add_app("other", "sleep", "0.5", "+", "ps")
    outcome = pod.run().checked()
    assert len(outcome.facts["ps"]) == 2, "the pod's init and the app that looks"


def test_supervisor_has_no_child_left(pod: NativePod) -> None:
    pod.add_app("web", "fork-sleep", "60", "+", "exit", "0")
    with pod.start() as running:
        running.wait().checked()
    assert not [name for name in os.listdir("/proc") if name.isdigit() and _is_in_pod(name, pod)]


def _is_in_pod(pid: str, pod: NativePod) -> bool:
    try:
        return pod.uuid in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


# --- files of the pod ----------------------------------------------------------------------------------------------


def test_runtime_files_tell_the_truth_while_it_runs(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    with pod.start() as running:
        running.wait_for_output(b"ready")
        assert int((pod.path / "ppid").read_text()) == running.pid
        init = pod.init_pid()
        assert Path(f"/proc/{init}/stat").read_text().rpartition(")")[2].split()[1] == str(running.pid)
        subcgroup = (pod.path / "subcgroup").read_text().strip()
        assert subcgroup == f"rkt/{pod.uuid}"
        assert f"/{subcgroup}/init.scope" in Path(f"/proc/{init}/cgroup").read_text()
        wait_until((pod.rootfs / "rkt/supervisor-status").is_symlink, 10)
        assert os.readlink(pod.rootfs / "rkt/supervisor-status") == "ready"
        running.signal(signal.SIGTERM)
        running.wait()


def test_pod_that_ends_at_once_was_still_ready(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0")
    pod.run().checked()
    assert os.readlink(pod.rootfs / "rkt/supervisor-status") == "ready"


# --- streams -------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ACE-037")
def test_streams_are_byte_clean_and_never_merged(pod: NativePod) -> None:
    size = 1_000_000
    pod.add_app("web", "flood", str(size), "both", "+", "copy-in")
    outcome = pod.run().checked()
    line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n"
    for stream in (outcome.stdout, outcome.stderr):
        assert len(stream) == size
        assert stream == (line * (size // len(line) + 1))[:size]


def test_every_byte_arrives(pod: NativePod) -> None:
    (pod.tree / "etc/bytes").write_bytes(bytes(range(256)) * 1000)
    pod.add_app("web", "cat", "/etc/bytes")
    outcome = pod.run().checked()
    assert outcome.stdout == bytes(range(256)) * 1000
    assert outcome.stderr == b""


def test_stdin_is_empty(pod: NativePod) -> None:
    pod.add_app("web", "copy-in", "+", "fds")

    def give_input() -> None:
        reader, writer = os.pipe()
        os.write(writer, b"secret")
        os.dup2(reader, 0)

    outcome = pod.run(before=give_input).checked()
    assert b"secret" not in outcome.stdout
    assert outcome.facts["fds"]["0"] == "/rkt/isolation/null"


def test_ignored_isolators_are_told(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", isolators=[{"name": "example.com/unheard-of", "value": {}}])
    outcome = pod.run().checked()
    assert outcome.stderr.startswith(b'run: warning: isolator "example.com/unheard-of" of app "web" is ignored')


def test_debug_prints_the_plan(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0")
    outcome = pod.run(debug=True).checked()
    assert f"run: pod {pod.uuid}: hostname rkt-{pod.uuid}".encode() in outcome.stderr
    assert b"run:     main: exec /bin/probe exit 0 as 0:0 in / (2 filters)\n" in outcome.stderr
