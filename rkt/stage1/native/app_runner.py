"""One app of a pod, seen from the pod's init: its processes, its state, its exit status.

The life of an app: a process is forked, enters the app's root, runs the pre-start handler and reports; when every app
of the pod has come so far (ACE-062) it becomes the main process; after that has ended the rest of the app is killed
and the post-stop handler runs in what is left of it: the same mounts, the same root.
"""

from __future__ import annotations

import os
from stat import S_ISCHR

from rkt import diagnostics
from rkt.errors import FAILURE, reason
from rkt.linux import durable, syscalls
from rkt.linux import signals as signal
from rkt.linux.terminal import take_controlling_terminal
from rkt.stage1.native.plan import AppPlan
from rkt.stage2 import launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.linux.cgroups import OpenGroup
    from rkt.stage2.process import AppProcess

#: states in their order
WAITING, STARTING, PREPARED, RUNNING, STOPPING, DONE = range(6)

_ENTERED, _PREPARED = b"\x01", b"\x02"
_NULL_DEVICE = os.makedev(1, 3)
_CAUGHT_BY_INIT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class AppRunner:
    """State and processes of one app. ``status`` is its exit status once known: 0-255, 128 + N for signal N.

    ``group`` is the app's control group on the host, ``null_fd`` the pod's own null device.
    """

    def __init__(self, app: AppPlan, group: OpenGroup, *, null_fd: int, interactive: bool) -> None:
        self.app = app
        self.name = app.name
        self.state = WAITING
        self.status: int | None = None
        #: whether its main process was executed
        self.was_started = False
        self.report_fd = -1
        self._message: str | None = None
        self._report = b""
        self._start_fd = -1
        self._namespace_fd = -1
        self._pid = 0
        self._group = group
        self._null_fd = null_fd
        self._interactive = interactive

    def start(self) -> None:
        """Fork the app's process; it goes as far as its pre-start handler and waits there."""
        self.report_fd, report = os.pipe()
        start, self._start_fd = os.pipe()
        self._pid = self._fork(lambda: self._prepare_and_become(report, start))
        os.close(report)
        os.close(start)
        self.state = STARTING

    def release(self) -> None:
        """Let the prepared process become the app's main process."""
        try:
            os.write(self._start_fd, b"g")
        except BrokenPipeError:
            # killed while it waited: its end is noticed like any other
            pass
        os.close(self._start_fd)
        self._start_fd = -1

    def owns(self, pid: int) -> bool:
        return pid == self._pid and self.state != DONE

    def signal(self, number: int) -> None:
        """Send a signal to the process of the app that runs now."""
        if self._pid and self.state in (STARTING, PREPARED, RUNNING, STOPPING):
            try:
                os.kill(self._pid, number)
            except ProcessLookupError:
                pass

    def on_report(self) -> None:
        """Read the report descriptor: progress bytes, then end of file (the program runs) or the text of an error."""
        data = os.read(self.report_fd, 8192)
        self._report += data
        if self._namespace_fd < 0 and self._report.startswith(_ENTERED):
            self._hold_namespace()
        if self.state == STARTING and self._report.startswith(_ENTERED + _PREPARED):
            self.state = PREPARED
        if data:
            return
        os.close(self.report_fd)
        self.report_fd = -1
        text = self._report.lstrip(_ENTERED + _PREPARED).strip(b"\n")
        if text:
            self._message = text.decode("utf-8", "backslashreplace")
        elif self.state == PREPARED and self._start_fd < 0:
            self.state = RUNNING
            self.was_started = True

    def _hold_namespace(self) -> None:
        """Keep the app's mounts until post-stop: without this they would go with the main process."""
        try:
            self._namespace_fd = os.open(f"/proc/{self._pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            # it has ended already, before its main process: nothing will run after it
            pass

    def take_message(self) -> str | None:
        """Why the app could not be started, once."""
        message, self._message = self._message, None
        return message

    def on_exit(self, wait_status: int) -> None:
        """The app's current process has ended; go on to the post-stop handler or finish."""
        code = os.waitstatus_to_exitcode(wait_status)
        status = code if code >= 0 else 128 - code
        while self.report_fd >= 0:
            self.on_report()
        if self.state == STOPPING:
            self._finish()
            return
        self.status = status
        self._kill_rest()
        if self.app.post_stop is not None and self._namespace_fd >= 0 and self.was_started:
            self._pid = self._fork(self._become_post_stop)
            self.state = STOPPING
            return
        self._finish()

    def _finish(self) -> None:
        for fd in (self._start_fd, self._namespace_fd):
            if fd >= 0:
                os.close(fd)
        self._start_fd = self._namespace_fd = -1
        self.state = DONE
        self.record()

    def record(self) -> None:
        """Write the exit status where ``rkt status`` finds it, durably; a full disk does not end the other apps."""
        if self.status is None:
            return
        try:
            durable.write_file(f"/rkt/status/{self.name}", f"{self.status}\n".encode())
        except OSError as error:
            diagnostics.line(f'cannot record the exit status of app "{self.name}": {reason(error)}')

    def _kill_rest(self) -> None:
        """What the main process left behind in its control group goes with it, as under systemd's KillMode."""
        self._group.kill()

    # --- in the child ---------------------------------------------------------------------------------------------

    def _fork(self, body: Callable[[], None]) -> int:
        # a signal to the child is kept until it has dispositions of its own: the init's would swallow it
        signal.pthread_sigmask(signal.SIG_BLOCK, _CAUGHT_BY_INIT)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT_BY_INIT)
            return pid
        try:
            signal.set_wakeup_fd(-1)
            for number in _CAUGHT_BY_INIT:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT_BY_INIT)
            os.setsid()
            syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
            self._group.join()
            body()
        finally:
            os._exit(FAILURE)

    def _prepare_and_become(self, report: int, start: int) -> None:
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWCGROUP)
            launch.enter_root(f"/opt/stage2/{self.name}/rootfs")
            self._take_standard_streams()
            os.write(report, _ENTERED)
            if self.app.pre_start is not None:
                self._run_pre_start(self.app.pre_start, report)
            os.write(report, _PREPARED)
            if os.read(start, 1) != b"g":
                os._exit(FAILURE)
            launch.run(self.app.main)
        except BaseException as error:
            launch.report(report, error)

    def _run_pre_start(self, process: AppProcess, report: int) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                launch.run(process)
            except BaseException as error:
                launch.report(report, error)
            finally:
                os._exit(FAILURE)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code != 0:
            how = f"ended with status {code}" if code > 0 else f"was killed by signal {-code}"
            # on a line of its own: the handler's process may have told why
            os.write(report, f'\npre-start handler of app "{self.name}" {how}'.encode())
            os._exit(code if code > 0 else 128 - code)

    def _become_post_stop(self) -> None:
        try:
            syscalls.unshare(syscalls.CLONE_NEWCGROUP)
            syscalls.setns(self._namespace_fd, syscalls.CLONE_NEWNS)
            self._take_standard_streams()
            assert self.app.post_stop is not None
            launch.run(self.app.post_stop)
        except BaseException as error:
            launch.report(2, error)
            os.write(2, b"\n")

    def _take_standard_streams(self) -> None:
        """stdin is empty, stdout and stderr are rkt's own; an interactive pod's are its terminal.

        The host's null device is never among them: who holds it open can change its owner and its mode.
        """
        if self._interactive:
            take_controlling_terminal("/dev/pts/0")
            return
        os.dup2(self._null_fd, 0)
        for number in (1, 2):
            status = os.fstat(number)
            if S_ISCHR(status.st_mode) and status.st_rdev == _NULL_DEVICE:
                os.dup2(self._null_fd, number)
