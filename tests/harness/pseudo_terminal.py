"""A program on a terminal of its own: what a user sees and types, with a time limit on everything."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType


class PseudoTerminal:
    """Starts ``command`` in a new session whose controlling terminal is a new one. A context manager.

    ``seen`` collects all output; at the end the program is killed if it is still there.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        rows: int = 24,
        columns: int = 80,
    ) -> None:
        self.seen = b""
        self.master_fd, slave = pty.openpty()
        self.set_size(rows=rows, columns=columns)
        self.mode = termios.tcgetattr(slave)

        # a session of its own; --ctty makes the terminal on stdin its controlling one
        command = ["setsid", "--ctty", *command]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        self.slave_fd = slave

    def set_size(self, *, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type_in(self, data: bytes) -> None:
        os.write(self.master_fd, data)

    def read_until(self, text: bytes, *, seconds: float = 20.0) -> bytes:
        """Everything seen so far, once ``text`` is in it; fails with what was seen otherwise."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0 and self._read(left), f"no {text!r} in {self.seen!r}"
        return self.seen

    def wait(self, *, seconds: float = 20.0) -> int:
        """The exit status as a shell shows it, everything read."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running: {self.seen!r}"
            self._read(0.02)
        while self._read(0.05):
            pass
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def current_mode(self) -> list[object]:
        """The terminal's settings now; ``mode`` are those before the start."""
        return termios.tcgetattr(self.slave_fd)

    def typed_ahead(self) -> bytes:
        """What is in the terminal's input queue: what a program pushed there would be read by the next one."""
        os.set_blocking(self.slave_fd, False)
        try:
            return os.read(self.slave_fd, 4096)
        except BlockingIOError:
            return b""

    def _read(self, seconds: float) -> bool:
        if not select.select([self.master_fd], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.master_fd, 65536)
        return True

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.slave_fd)
        os.close(self.master_fd)
