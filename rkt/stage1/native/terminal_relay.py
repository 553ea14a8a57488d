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
    """Copies between fds 0 and 1 and the pod's terminal; ``escaped`` once the user has asked for the end.

    It never waits: an app that reads nothing, or a user who does, stops only what goes that way. Neither of fds 0 and
    1 is made non-blocking, as the caller shares them.
    """

    def __init__(self, master_fd: int, poll: select.poll) -> None:
        self._master_fd = master_fd
        os.set_blocking(master_fd, False)
        self._poll = poll
        self._registered: dict[int, int] = {}
        self._to_app = b""
        self._to_user = b""
        self._input_ended = False
        self._output_ended = False
        if os.isatty(0):
            # before raw mode, in which a newline would not return the carriage; the founding document's words
            _write_all(2, b"Press ^] three times to kill container\n")
        self._detector = EscapeDetector()
        self._raw = RawMode(0)
        self._raw.__enter__()
        self.escaped = False
        self.copy_window_size()
        self._watch()

    def copy_window_size(self) -> None:
        copy_window_size(0, self._master_fd)

    def on_event(self, fd: int, events: int) -> None:
        """Copy what the poll has found possible."""
        if fd == self._master_fd:
            if events & select.POLLOUT:
                self._write_to_app()
            if events & ~select.POLLOUT and not self._to_user:
                self._read_from_app()
        elif fd == 0:
            self._read_from_user()
        elif fd == 1:
            self._write_to_user()
        self._watch()

    def _watch(self) -> None:
        """Ask for what can be dealt with: input while none is left to be handed on, and room for what is."""
        read_from_app = not self._to_user and not self._output_ended
        self._ask(self._master_fd, read_from_app * select.POLLIN | bool(self._to_app) * select.POLLOUT)
        self._ask(0, (not self._to_app and not self._input_ended) * select.POLLIN)
        self._ask(1, bool(self._to_user) * select.POLLOUT)

    def _ask(self, fd: int, events: int) -> None:
        if self._registered.get(fd, 0) == events:
            return
        self._registered[fd] = events
        if events:
            self._poll.register(fd, events)
        else:
            # not with an empty mask: a hang-up would be reported all the same, for ever
            self._poll.unregister(fd)

    def _read_from_app(self) -> None:
        try:
            self._to_user = os.read(self._master_fd, 65536)
        except BlockingIOError:
            return
        except OSError:
            # EIO: the pod's init is gone, and with it the last who had the terminal open
            self._output_ended = True

    def _read_from_user(self) -> None:
        try:
            data = os.read(0, 4096)
        except OSError:
            data = b""
        if not data:
            self._input_ended = True
            # end of file for the app, as a terminal says it
            self._to_app = b"\x04"
        elif self._detector.feed(data, time.monotonic()):
            self.escaped = True
        else:
            self._to_app = data

    def _write_to_app(self) -> None:
        try:
            self._to_app = self._to_app[os.write(self._master_fd, self._to_app) :]
        except BlockingIOError:
            return
        except OSError:
            self._to_app = b""

    def _write_to_user(self) -> None:
        try:
            # a pipe that has room has it for this much (pipe(7)): more would make us wait
            self._to_user = self._to_user[os.write(1, self._to_user[: select.PIPE_BUF]) :]
        except OSError:
            # a reader that went away does not end the pod
            self._to_user = b""

    def close(self) -> None:
        """Copy what is left of the output and give the caller's terminal its mode back."""
        _write_all(1, self._to_user)
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
