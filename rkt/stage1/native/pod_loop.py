"""The event loop of a pod's init: children that end, reports of apps that start, orders of the supervisor.

The pod ends when every app has ended. The first app that fails decides the pod's exit status, and stops the others
(section 3.8 of the behaviour document).
"""

from __future__ import annotations

import os
import select
import time

from rkt import diagnostics
from rkt.linux import signals as signal
from rkt.stage1.native import channel as messages
from rkt.stage1.native.app_runner import DONE, PREPARED, STOPPING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.stage1.native.app_runner import AppRunner
    from rkt.stage1.native.channel import Channel

#: between SIGTERM and SIGKILL, seconds
STOP_TIMEOUT_SECONDS = 10.0
#: how many bytes of a console that nobody reads are thrown away at once
_DRAIN_BYTES = 65536


class PodLoop:
    """Runs the apps until all have ended. ``console_fd`` is drained, -1 for none."""

    def __init__(self, runners: tuple[AppRunner, ...], channel: Channel, *, console_fd: int) -> None:
        self._runners = runners
        self._channel = channel
        self._console_fd = console_fd
        self._status: int | None = None
        self._kill_at: float | None = None
        self._released = False
        self._ready = False
        self._supervisor_is_dead = False

    def run(self) -> int:
        """Returns the pod's exit status: that of the first app that failed, else 0."""
        wakeup = self._catch_signals()
        for runner in self._runners:
            runner.start()
        poll = select.poll()
        for fd in (wakeup, self._channel.fileno(), self._console_fd):
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        for runner in self._runners:
            poll.register(runner.report_fd, select.POLLIN)
        # without a supervisor nobody holds the pod: it ends, and with this process everything in it
        while not self._supervisor_is_dead and not all(runner.state == DONE for runner in self._runners):
            self._release_when_prepared()
            for fd, events in poll.poll(self._timeout_ms()):
                self._on_event(poll, fd, events, wakeup)
            self._kill_when_due()
        return self._status or 0

    def _catch_signals(self) -> int:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        # caught by the supervisor, of which this is a fork; an app may send them, and they are no orders
        for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGWINCH):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        return reader

    def _timeout_ms(self) -> float | None:
        return None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic()) * 1000

    def _on_event(self, poll: select.poll, fd: int, events: int, wakeup: int) -> None:
        if fd == wakeup:
            numbers = os.read(fd, 512)
            if any(number != signal.SIGCHLD for number in numbers):
                self._stop()
            self._reap()
        elif fd == self._channel.fileno():
            self._on_order()
        elif fd == self._console_fd:
            self._drain_console(poll)
        else:
            self._on_report(poll, fd)

    def _on_report(self, poll: select.poll, fd: int) -> None:
        for runner in self._runners:
            if runner.report_fd == fd:
                runner.on_report()
                if runner.report_fd < 0:
                    poll.unregister(fd)
                    self._explain(runner)
                    self._announce_ready()
                return
        # closed when its process ended
        poll.unregister(fd)

    def _on_order(self) -> None:
        kind = self._channel.receive()[0]
        if kind == messages.STOP:
            self._stop()
        elif kind == messages.KILL:
            # the post-stop handlers that follow have as long as after a stop
            self._kill_at = self._kill_at or time.monotonic() + STOP_TIMEOUT_SECONDS
            self._kill_all()
        else:
            self._supervisor_is_dead = True

    def _drain_console(self, poll: select.poll) -> None:
        try:
            if os.read(self._console_fd, _DRAIN_BYTES):
                return
        except OSError:
            pass
        # not to be expected while the init itself has the other end open; asking again would be a busy loop
        poll.unregister(self._console_fd)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for runner in self._runners:
                if runner.owns(pid):
                    runner.on_exit(status)
                    self._explain(runner)
                    self._on_app_end(runner)
                    # it may have been the last to start, and over before its report was looked at
                    self._announce_ready()
                    break

    def _on_app_end(self, runner: AppRunner) -> None:
        if runner.status and self._status is None:
            self._status = runner.status
            self._stop()

    def _explain(self, runner: AppRunner) -> None:
        """Say once why an app could not be started."""
        message = runner.take_message() if runner.report_fd < 0 else None
        if message is not None:
            diagnostics.line(message)

    def _release_when_prepared(self) -> None:
        """ACE-062: the main processes start when every pre-start handler has ended well."""
        if self._released or self._kill_at is not None:
            return
        if all(runner.state == PREPARED for runner in self._runners):
            self._released = True
            for runner in self._runners:
                runner.release()

    def _announce_ready(self) -> None:
        if not self._ready and all(runner.was_started for runner in self._runners):
            self._ready = True
            try:
                os.symlink("ready", "/rkt/supervisor-status")
            except OSError:
                pass
            self._channel.send(messages.READY)

    def _stop(self) -> None:
        """SIGTERM to every app that runs, SIGKILL to what is left after the timeout (ACE-060)."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + STOP_TIMEOUT_SECONDS
            for runner in self._runners:
                if runner.state != STOPPING:
                    runner.signal(signal.SIGTERM)

    def _kill_when_due(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at = time.monotonic() + STOP_TIMEOUT_SECONDS
            self._kill_all()

    def _kill_all(self) -> None:
        for runner in self._runners:
            runner.signal(signal.SIGKILL)
