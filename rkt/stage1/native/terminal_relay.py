"""Relays the caller's terminal to the terminal of an interactive pod, in raw mode, and watches for the escape.

``^]`` three times within a second ends the pod (section 7.5). The app's terminal is one of the pod's own devpts: what
the app does to it (TIOCSTI among others) cannot reach the caller's.
"""

from __future__ import annotations

import os
import select
import time

from rkt.linux.terminal import RawMode, copy_window_size

_ESCAPE = 0x1D
_ESCAPE_COUNT = 3
_ESCAPE_SECONDS = 1.0


class EscapeDetector:
    """Counts escape characters; any other character, or more than a second, starts the count again."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: list[float] = []

    def feed(self, data: bytes, now: float) -> bool:
        """Whether ``data``, typed at ``now`` (seconds), completes three escapes within a second."""
        for byte in data:
            if byte != _ESCAPE:
                self._times.clear()
                continue
            self._times = [then for then in self._times if now - then <= _ESCAPE_SECONDS]
            self._times.append(now)
            if len(self._times) >= _ESCAPE_COUNT:
                return True
        return False


class TerminalRelay:
    """Copies between fds 0 and 1 and the pod's terminal; ``escaped`` once the user has asked for the end."""

    def __init__(self, master_fd: int) -> None:
        self._master_fd = master_fd
        if os.isatty(0):
            # before raw mode, in which a newline would not return the carriage; the founding document's words
            _write_all(2, b"Press ^] three times to kill container\n")
        self._detector = EscapeDetector()
        self._raw = RawMode(0)
        self._raw.__enter__()
        self.escaped = False
        self.copy_window_size()

    def register(self, poll: select.poll) -> None:
        poll.register(self._master_fd, select.POLLIN)
        poll.register(0, select.POLLIN)

    def copy_window_size(self) -> None:
        copy_window_size(0, self._master_fd)

    def on_readable(self, poll: select.poll, fd: int) -> None:
        if fd == self._master_fd:
            self._copy_output(poll)
        elif fd == 0:
            self._copy_input(poll)

    def _copy_output(self, poll: select.poll) -> None:
        try:
            data = os.read(self._master_fd, 65536)
        except OSError:
            # EIO: the app has closed its terminal
            data = b""
        if not data:
            poll.unregister(self._master_fd)
            return
        _write_all(1, data)

    def _copy_input(self, poll: select.poll) -> None:
        try:
            data = os.read(0, 4096)
        except OSError:
            data = b""
        if not data:
            poll.unregister(0)
            # end of file for the app, as a terminal says it
            data = b"\x04"
        elif self._detector.feed(data, time.monotonic()):
            self.escaped = True
            return
        _write_all(self._master_fd, data)

    def close(self) -> None:
        """Copy what is left of the output and give the caller's terminal its mode back."""
        os.set_blocking(self._master_fd, False)
        try:
            while data := os.read(self._master_fd, 65536):
                _write_all(1, data)
        except OSError:
            pass
        os.close(self._master_fd)
        self._raw.__exit__()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        # a reader that went away does not end the pod
        pass
