"""rkt starts in a known state, whatever its caller left it in. Each case is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

RKT = Path(sys.executable).parent / "rkt"

#: settles, then says what it finds
REPORT = """
import os, signal, sys
from rkt.cli.process_start import settle_process
settle_process()
umask = os.umask(0)
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
blocked = sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))
print(fds, oct(umask), blocked, signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)
"""


def report(preexec: str = "", **options: object) -> str:
    """What a process says that did ``preexec`` before it settled."""
    script = f"import os, signal\n{preexec}\nos.execv({sys.executable!r}, [{sys.executable!r}, '-I', '-c', {REPORT!r}])"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ORDINARY = "[0, 1, 2] 0o22 [] True"


def test_ordinary_start_is_as_it_should_be() -> None:
    assert report() == ORDINARY


def test_umask_is_reset() -> None:
    assert report("os.umask(0o777)") == ORDINARY
    assert report("os.umask(0)") == ORDINARY


def test_blocked_signals_are_unblocked() -> None:
    assert report("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))") == ORDINARY


def test_ignored_sigchld_is_not_kept() -> None:
    assert report("signal.signal(signal.SIGCHLD, signal.SIG_IGN)") == ORDINARY


def test_inherited_descriptors_are_closed() -> None:
    assert report("os.dup2(1, 3); os.dup2(1, 77); os.set_inheritable(os.open('/', os.O_RDONLY), True)") == ORDINARY


def test_passed_sockets_are_kept() -> None:
    passing = (
        "os.dup2(1, 3); os.dup2(1, 4); os.dup2(1, 5); os.environ.update(LISTEN_FDS='2', LISTEN_PID=str(os.getpid()))"
    )
    assert report(passing) == "[0, 1, 2, 3, 4] 0o22 [] True"


@pytest.mark.parametrize(
    ("pid", "count"), [("1", "2"), ("os.getpid()", "x"), ("os.getpid()", "-1"), ("os.getpid()", "1" * 30)]
)
def test_sockets_for_somebody_else_are_closed(pid: str, count: str) -> None:
    passing = f"os.dup2(1, 3); os.environ.update(LISTEN_FDS={count!r}, LISTEN_PID=str({pid}))"
    assert report(passing) == ORDINARY


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2), (0, 1, 2)])
def test_rkt_runs_with_closed_streams(closed: tuple[int, ...]) -> None:
    words = " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed)
    done = subprocess.run(["/bin/sh", "-c", f'"$0" version {words}', RKT], capture_output=True, check=False)
    assert done.returncode == 0
    assert (b"rkt Version" in done.stdout) == (1 not in closed)


def test_error_with_closed_stderr_does_not_reach_stdout() -> None:
    done = subprocess.run(["/bin/sh", "-c", '"$0" nonsense 2>&-', RKT], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (254, b"")


def test_rkt_runs_in_a_deleted_directory(tmp_path: Path) -> None:
    script = 'mkdir gone; cd gone; rmdir ../gone; exec "$0" version'
    done = subprocess.run(["/bin/sh", "-c", script, RKT], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    # the shell of the start script has a word to say about it, rkt has not
    assert all(line.startswith(b"sh: ") for line in done.stderr.splitlines())


def test_code_of_the_caller_is_not_imported(tmp_path: Path) -> None:
    for name in ("rkt.py", "os.py", "sitecustomize.py", "usercustomize.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('code of the caller')")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "rkt.py"),
        "PYTHONHOME": "/",
    }
    done = subprocess.run([RKT, "version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_reader_that_goes_away_is_not_an_error_message() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([RKT, "help"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_full_disk_behind_stdout_is_an_error() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([RKT, "version"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (254, b"rkt: write to stdout: no space left on device\n")
