"""Commands in a mount namespace of their own, in which a test may hide, replace or fill what the machine has.

Everything goes with the last process in it; the host's mounts are never touched.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from harness.forked_child import CLONE_NEWNS, run_in_child
from harness.rkt_command import Result

Value = TypeVar("Value")


def mount(*words: str | os.PathLike[str]) -> None:
    """mount(8) with these words. Only inside :func:`in_private_machine`."""
    subprocess.run(["mount", *words], check=True, capture_output=True)


def in_private_machine(function: Callable[[], Value], *, seconds: float = 60.0) -> Value:
    """What ``function`` returns when it is called in a child with a private mount namespace."""
    return run_in_child(function, unshare=CLONE_NEWNS, timeout_seconds=seconds)


def run_command(command: Sequence[str], *, directory: Path | None = None) -> Result:
    """Run a command to its end, as RktCommand does."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, cwd=directory
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(tuple(command), status, done.stdout, done.stderr)


def run_as_user(command: Sequence[str], *, uid: int = 1000) -> Result:
    """Run a command as ``uid`` without groups, in a private machine whose interpreter that user can reach."""

    def run() -> Result:
        _let_others_reach([Path(sys.prefix), Path(sys.base_prefix), _package_directory()])
        identity = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        return run_command([*identity, *command], directory=Path("/"))

    return in_private_machine(run)


def _package_directory() -> Path:
    """Where the installed package really is: not below the prefix if the installation is editable."""
    import rkt

    return Path(rkt.__file__).resolve().parent.parent


def _let_others_reach(paths: list[Path]) -> None:
    """Show ``paths`` below directories that others may pass, whatever the rights of the real ones."""
    closed = {path: next(_closed_directories(path), None) for path in paths}
    hidden = {path: directory for path, directory in closed.items() if directory is not None}
    if not hidden:
        return
    mount("-t", "tmpfs", "-o", "mode=0755", "kept", "/mnt")
    for number, path in enumerate(hidden):
        place = Path(f"/mnt/{number}")
        place.mkdir()
        mount("--rbind", path, place)
    for directory in set(hidden.values()):
        mount("-t", "tmpfs", "-o", "mode=0755", "open", directory)
    for number, path in enumerate(hidden):
        path.mkdir(parents=True, exist_ok=True)
        mount("--rbind", f"/mnt/{number}", path)


def _closed_directories(path: Path) -> Iterator[Path]:
    for directory in [*reversed(path.parents), path]:
        if not directory.stat().st_mode & 0o001:
            yield directory
