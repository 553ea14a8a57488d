"""Runs the installed ``rkt`` as a user would, with directories of the test's own. Never through a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: beside the interpreter that runs the tests: the script that pip installed, not the one of the work tree
EXECUTABLE = Path(sys.executable).parent / "rkt"

#: a pod that is not done by then hangs
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended; ``status`` as a shell would show it: 128 + N after signal N."""

    command: tuple[str, ...]
    status: int
    stdout_bytes: bytes
    stderr_bytes: bytes

    @property
    def stdout(self) -> str:
        return self.stdout_bytes.decode("utf-8", "surrogateescape")

    @property
    def stderr(self) -> str:
        return self.stderr_bytes.decode("utf-8", "surrogateescape")

    @property
    def facts(self) -> dict[str, Any]:
        """What the probe told on stdout: its lines of JSON in one dictionary."""
        return {name: value for fact in self._each_fact() for name, value in fact.items()}

    def every(self, name: str) -> list[Any]:
        """The answers to a command that was given several times, in their order."""
        return [fact[name] for fact in self._each_fact() if name in fact]

    def _each_fact(self) -> Iterator[dict[str, Any]]:
        for line in self.stdout.splitlines():
            start = line.find('{"')
            if start >= 0:
                yield json.loads(line[start:])

    def checked(self, status: int = 0) -> Result:
        """This result, if it ended with ``status``; an AssertionError that shows everything otherwise."""
        assert self.status == status, (
            f"{' '.join(self.command)}\nended with {self.status}, not {status}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )
        return self


class RktCommand:
    """Calls ``rkt`` with private ``--dir``, ``--local-config``, ``--system-config`` and ``--user-config``."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.local_config = directory / "local-config"
        self.system_config = directory / "system-config"
        self.user_config = directory / "user-config"
        for path in (self.local_config, self.system_config, self.user_config):
            path.mkdir(parents=True, exist_ok=True)

    def argv(self, *words: str | os.PathLike[str]) -> list[str]:
        """The whole command line, for a test that starts the process itself."""
        return [
            str(EXECUTABLE),
            f"--dir={self.data}",
            f"--local-config={self.local_config}",
            f"--system-config={self.system_config}",
            f"--user-config={self.user_config}",
            *(os.fspath(word) for word in words),
        ]

    def __call__(
        self,
        *words: str | os.PathLike[str],
        input: bytes = b"",
        timeout: float = TIMEOUT_SECONDS,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Result:
        """Run ``rkt WORDS`` to its end. Raises subprocess.TimeoutExpired; the process is then gone."""
        command = self.argv(*words)
        done = subprocess.run(
            command,
            input=input,
            capture_output=True,
            timeout=timeout,
            env=environment,
            cwd=directory,
            pass_fds=pass_fds,
            check=False,
        )
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return Result(tuple(command), status, done.stdout, done.stderr)

    def start(
        self, *words: str | os.PathLike[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start ``rkt WORDS`` with pipes on its three streams; use it as a context manager and end it inside."""
        return subprocess.Popen(
            self.argv(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
