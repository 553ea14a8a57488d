"""Kills a command at a chosen system call of those that change something: strace injects SIGKILL.

The interpreter is started as bin/rkt starts it, without the shell before it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.rkt_command import RktCommand

#: what a crash between two of can leave half done
CALLS = ",".join(
    (
        *("mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
        *("unlink", "unlinkat", "fsync", "fdatasync", "syncfs", "write", "pwrite64", "ftruncate", "sendfile", "flock"),
        *("chown", "fchown", "chmod", "fchmod", "utimensat", "mount", "umount2", "move_mount", "unshare", "clone"),
        *("fork", "vfork", "clone3", "copy_file_range", "sendmsg", "sendto", "pivot_root", "setns", "kill"),
    )
)


def sample(points: Sequence[tuple[str, int]], count: int) -> list[tuple[str, int]]:
    """``count`` of the points, evenly spread, first and last among them."""
    if len(points) <= count:
        return list(points)
    return [points[step * (len(points) - 1) // (count - 1)] for step in range(count)]


class CrashPoints:
    """The points of one command line; ``children``: its children are traced, and killed, too."""

    def __init__(self, rkt: RktCommand, words: Sequence[str], log: Path, *, children: bool = False) -> None:
        interpreter = [sys.executable, "-I", "-c", "from rkt.cli.main import main; main()"]
        self._command = [*interpreter, *rkt.argv(*words)[1:]]
        self._log = log
        self._follow = ["-f"] if children else []

    def find(self) -> list[tuple[str, int]]:
        """Every point, in order: a call of the busiest process and the how many-th of its name (strace counts so)."""
        done = self._strace("-o", str(self._log), "-e", f"trace={CALLS}")
        assert done.returncode == 0, done.stderr.decode()
        calls: dict[str, list[str]] = {}
        for line in self._log.read_text(errors="replace").splitlines():
            found = re.match(r"(\d+ +)?([a-z0-9_]+)\(", line)
            if found:
                calls.setdefault(found[1], []).append(found[2])
        busiest = max(calls.values(), key=len)
        return [(name, busiest[: index + 1].count(name)) for index, name in enumerate(busiest)]

    def kill_at(self, call: str, number: int) -> bool:
        """Run the command and kill whichever of its processes comes to the ``number``-th ``call``; whether one did."""
        options = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
        self._strace("-o", str(self._log), *options)
        return "+++ killed by SIGKILL +++" in self._log.read_text(errors="replace")

    def _strace(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        command = ["strace", *self._follow, *options, *self._command]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
