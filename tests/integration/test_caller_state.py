"""Whatever state the caller is in - umask, signals, directory, variables, descriptors - a pod is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness.rkt_command import Result
from harness.stocked_store import PodRuns

LOOK = ["umask", "+", "fds", "+", "pid", "+", "cwd", "+", "ids", "+", "rlimits", "+", "status", "Sig", "Cap", "Groups"]

#: what a caller may have done to itself before it starts rkt; a line of Python each
DEEDS = {
    "umask": "os.umask(0o777)",
    "blocked-signals": "signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))",
    "ignored-signals": "[signal.signal(n, signal.SIG_IGN) for n in range(1, 65) if n not in (9, 19, 32, 33)]",
    "many-descriptors": "[os.set_inheritable(os.dup2(0, n), True) for n in range(3, 903)]",
    "deleted-directory": "d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)",
    "closed-stdin": "os.close(0)",
    "nice": "os.nice(15)",
    "groups": "os.setgroups([4, 27, 100])",
    "few-descriptors": "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))",
    "no-core": "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
    "session-of-its-own": "os.setsid()",
    "oom-score": "open('/proc/self/oom_score_adj', 'w').write('500')",
    "subreaper-and-dumpable": "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)",
}
_START = """
import ctypes, json, os, resource, signal, sys, tempfile
{deed}
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_after(deed: str, command: list[str], **options: Any) -> Result:
    """Run a command from a caller that has done ``deed``."""
    start = [sys.executable, "-I", "-c", _START.format(deed=deed), *command]
    done = subprocess.run(start, capture_output=True, timeout=60, check=False, **options)
    return Result(tuple(command), done.returncode, done.stdout, done.stderr)


def comparable(result: Result) -> dict[str, Any]:
    facts = dict(result.facts)
    facts["fds"] = sorted(facts["fds"])
    return facts


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_pod_is_the_same_whatever_the_caller_did(runs: PodRuns, deed: str) -> None:
    wanted = comparable(runs(*LOOK))
    found = comparable(run_after(deed, runs.rkt.argv(*runs.argv(*LOOK))).checked())
    if deed == DEEDS["few-descriptors"]:
        assert found["rlimits"].pop("nofile")[0] <= 128
        wanted["rlimits"].pop("nofile")
    found["rlimits"].pop("core"), wanted["rlimits"].pop("core")
    assert found == wanted
    assert json.dumps(found).count("umask") == 1


def test_files_of_the_store_and_the_pod_do_not_take_the_callers_umask(runs: PodRuns, fixture_images: Path) -> None:
    words = ["fetch", "--insecure-options=image", str(fixture_images / "tree-base.aci")]
    for umask in ("0o777", "0"):
        run_after(f"os.umask({umask})", runs.rkt.argv(*words)).checked()
        run_after(f"os.umask({umask})", runs.rkt.argv(*runs.argv("exit", "0"))).checked()
    writable = [
        path
        for path in runs.rkt.data.rglob("*")
        if not path.is_symlink() and path.stat().st_mode & 0o1002 == 0o002 and "rootfs" not in path.parts
    ]
    assert writable == []


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """A directory of Python modules that would be found by an interpreter that looks there."""
    directory = tmp_path / "traps"
    directory.mkdir()
    for name in ("json", "os", "signal", "sitecustomize", "usercustomize", "rkt", "select", "zlib", "hashlib", "fcntl"):
        (directory / f"{name}.py").write_text("raise SystemExit('TRAPPED')\n")
    return directory


@pytest.mark.parametrize("words", [["version"], ["list"], ["run"]], ids=["version", "list", "run"])
def test_no_variable_and_no_directory_of_the_caller_brings_code_in(
    runs: PodRuns, traps: Path, words: list[str]
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(traps),
        "PYTHONHOME": str(traps),
        "PYTHONSTARTUP": str(traps / "json.py"),
        "PYTHONINSPECT": "1",
        "PYTHONUSERBASE": str(traps),
        "PYTHONWARNINGS": "error",
        "PYTHONDEVMODE": "1",
        "PYTHONVERBOSE": "1",
        "PYTHONBREAKPOINT": "json.trap",
        "PYTHONPYCACHEPREFIX": str(traps),
        "HOME": str(traps),
    }
    command = runs.argv("print-out", "well") if words == ["run"] else words
    result = runs.rkt(*command, environment=environment, directory=traps).checked()
    assert "TRAPPED" not in result.stdout + result.stderr and "import" not in result.stderr
    if words == ["run"]:
        assert result.stdout == "well\n"


def test_empty_environment_is_enough(runs: PodRuns) -> None:
    assert runs("print-out", "well", environment={}).stdout == "well\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1", "nonsense"])
def test_locale_of_the_caller_changes_no_byte(runs: PodRuns, locale: str) -> None:
    result = runs("print-out", "grüße", "日本", environment={"LC_ALL": locale, "LANG": locale, "PATH": "/bin"})
    assert result.stdout == "grüße 日本\n"


@pytest.mark.parametrize("launcher", ["symlink", "relative", "other-directory"])
def test_rkt_starts_by_any_path(runs: PodRuns, tmp_path: Path, launcher: str) -> None:
    command = runs.rkt.argv("version")
    real = Path(command[0])
    if launcher == "symlink":
        (tmp_path / "rkt").symlink_to(real)
        command[0] = str(tmp_path / "rkt")
    elif launcher == "relative":
        command[0] = f"./{real.name}"
    directory = real.parent if launcher == "relative" else Path("/")
    done = subprocess.run(command, capture_output=True, text=True, cwd=directory, timeout=60, check=False)
    assert done.returncode == 0 and "rkt Version" in done.stdout, done.stderr
