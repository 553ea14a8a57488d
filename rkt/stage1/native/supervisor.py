"""The host's side of a running pod: forks its init, keeps its lock, forwards signals, relays a terminal, cleans up.

It holds no right that the pod could use: everything between the two is the channel. When it dies, however it dies, the
kernel kills the init (and so the pod), and the pod's lock is free.
"""

from __future__ import annotations

import os
import resource
import select

from rkt import diagnostics, stage_contract
from rkt.errors import RktError, reason
from rkt.linux import signals as signal
from rkt.linux import syscalls
from rkt.linux.cgroups import INIT, CgroupError, OpenGroup, PodCgroup, plan_writes
from rkt.stage1.native import channel as messages
from rkt.stage1.native.init import run_init
from rkt.stage1.native.output_relay import OutputRelay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.stage1.native.channel import Channel
    from rkt.stage1.native.plan import PodPlan
    from rkt.stage1.native.terminal_relay import TerminalRelay


class PodStartError(RktError):
    """The pod's init could not build the pod."""

    code = "pod-start"


def supervise(plan: PodPlan, cgroup: PodCgroup, *, pod_path: str, settle: Callable[[], None]) -> int:
    """Run the pod and return its exit status; raises :class:`PodStartError` or another RktError if it cannot start.

    ``settle`` makes durable what was prepared; it is called beside the start of the apps.
    """
    # before the groups exist: rkt stop finds them by this file, whatever moment a crash hits
    _write_runtime_file(pod_path, stage_contract.SUBCGROUP, cgroup.subcgroup)
    # before anything is made: from here on a signal ends the pod in order
    wakeup = _catch_signals()
    _ensure_descriptors(_DESCRIPTORS + _DESCRIPTORS_PER_APP * len(plan.apps))
    try:
        groups = _prepare_cgroup(plan, cgroup)
        return _run(plan, cgroup, groups, wakeup, pod_path=pod_path, settle=settle)
    finally:
        cgroup.remove()


#: what the init opens for the pod, and at most for each app: its groups, two pipes, its namespace
_DESCRIPTORS, _DESCRIPTORS_PER_APP = 64, 8


def _ensure_descriptors(count: int) -> None:
    """Raise the soft limit of open files as far as a pod of many apps needs and may; apps get the usual one again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count if hard == unlimited else min(count, hard), hard))


def _prepare_cgroup(plan: PodPlan, cgroup: PodCgroup) -> dict[str, OpenGroup]:
    """Make the groups, set the limits, and open what the apps join them with."""
    cgroup.create(tuple(app.name for app in plan.apps))
    groups = {}
    for app in plan.apps:
        writes, missing = plan_writes(app.limits, cgroup.hierarchies)
        for what in missing:
            diagnostics.warning(f'{what} of app "{app.name}" is not enforced: this host\'s cgroups cannot limit it')
        cgroup.apply(app.name, [write for write in writes if write[0] != "pids"])
        try:
            cgroup.apply(app.name, [write for write in writes if write[0] == "pids"])
        except CgroupError as error:
            # nobody asked for this limit, and some hosts (a container without delegation) cannot have it
            diagnostics.warning(f'app "{app.name}" has no limit of processes: {error}')
        groups[app.name] = cgroup.open_group(app.name)
    return groups


def _run(
    plan: PodPlan,
    cgroup: PodCgroup,
    groups: dict[str, OpenGroup],
    wakeup: int,
    *,
    pod_path: str,
    settle: Callable[[], None],
) -> int:
    ours, theirs = messages.open_channel()
    group = cgroup.open_group(INIT)
    output = OutputRelay()
    init = _fork_init(plan, theirs, group, groups, output)
    theirs.close()
    init_fd = os.pidfd_open(init)
    try:
        _write_runtime_file(pod_path, stage_contract.PPID, str(os.getpid()))
        _write_runtime_file(pod_path, stage_contract.PID, str(init))
        ours.send(messages.GO)
        # beside the apps' start: until now nothing has been acknowledged to anyone
        settle()
        return _Supervision(ours, init_fd, wakeup, output).run(init)
    except BaseException:
        # by the descriptor: the number may belong to somebody else by now
        try:
            signal.pidfd_send_signal(init_fd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        _reap(init)
        raise
    finally:
        output.finish()
        os.close(init_fd)
        ours.close()


def _reap(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0


def _fork_init(
    plan: PodPlan, theirs: Channel, group: OpenGroup, groups: dict[str, OpenGroup], output: OutputRelay
) -> int:
    try:
        syscalls.unshare(syscalls.CLONE_NEWPID)
    except OSError as error:
        raise PodStartError(f"cannot create a PID namespace: {reason(error)}") from error
    # until the init has a session and a wakeup descriptor of its own, a signal to both must not count twice here
    signal.pthread_sigmask(signal.SIG_BLOCK, _CAUGHT)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT)
        return pid
    status = 254
    try:
        signal.set_wakeup_fd(-1)
        output.adopt()
        _close_all_but((0, 1, 2, theirs.fileno()), group.fds(), *(item.fds() for item in groups.values()))
        status = run_init(plan, theirs, group, groups)
    finally:
        os._exit(status)


def _close_all_but(*kept: tuple[int, ...]) -> None:
    """The init keeps no directory of the host open, not even the lock: an app with CAP_SYS_PTRACE could use it."""
    first = 0
    for fd in sorted({fd for fds in kept for fd in fds}):
        if fd > first:
            syscalls.close_range(first, fd - 1)
        first = fd + 1
    syscalls.close_range(first)


def _write_runtime_file(pod_path: str, name: str, text: str) -> None:
    """``subcgroup`` comes before the pids: who sees a pid may rely on the group (section 3.1.1)."""
    fd = os.open(f"{pod_path}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, f"{text}\n".encode())
    finally:
        os.close(fd)


_CAUGHT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGWINCH, signal.SIGUSR1)
#: left alone where the caller ignores them, as nohup and a shell's background jobs do
_MAY_BE_IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def _catch_signals() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _CAUGHT:
        if number not in _MAY_BE_IGNORED or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return reader


class _Supervision:
    """The loop: the init's death ends it; orders go through the channel."""

    def __init__(self, channel: Channel, init_fd: int, wakeup_fd: int, output: OutputRelay) -> None:
        self._channel = channel
        self._output = output
        self._init_fd = init_fd
        self._wakeup_fd = wakeup_fd
        self._relay: TerminalRelay | None = None
        self._error: PodStartError | None = None
        self._interrupts = 0

    def run(self, init: int) -> int:
        poll = select.poll()
        for fd in (self._init_fd, self._channel.fileno(), self._wakeup_fd):
            poll.register(fd, select.POLLIN)
        self._output.start(poll)
        try:
            ended = False
            while not ended:
                for fd, events in poll.poll():
                    if fd == self._init_fd:
                        ended = True
                    elif fd == self._channel.fileno():
                        self._on_message(poll)
                    elif fd == self._wakeup_fd:
                        self._on_signals()
                    elif self._output.owns(fd):
                        self._output.on_readable(poll, fd)
                    elif self._relay is not None:
                        self._relay.on_event(fd, events)
                        self._kill_on_escape(self._relay)
            self._on_pending_messages(poll)
        finally:
            if self._relay is not None:
                self._relay.close()
        code = _reap(init)
        if self._error is not None:
            raise self._error
        return code if code >= 0 else 128 - code

    def _kill_on_escape(self, relay: TerminalRelay) -> None:
        if relay.escaped:
            relay.escaped = False
            self._channel.send(messages.KILL)

    def _on_pending_messages(self, poll: select.poll) -> None:
        """What the init said last: it may have died before its message was read."""
        waiting = select.poll()
        waiting.register(self._channel.fileno(), select.POLLIN)
        while waiting.poll(0) and self._on_message(poll):
            pass

    def _on_message(self, poll: select.poll) -> bool:
        kind, text, fd = self._channel.receive()
        if kind == messages.ERROR:
            message, _, hint = text.decode("utf-8", "replace").partition("\n")
            self._error = PodStartError(message, hint or None)
        elif kind == messages.TERMINAL and fd is not None:
            from rkt.stage1.native.terminal_relay import TerminalRelay

            self._relay = TerminalRelay(fd, poll)
        elif not kind:
            try:
                poll.unregister(self._channel.fileno())
            except KeyError:
                pass
            return False
        return True

    def _on_signals(self) -> None:
        for number in os.read(self._wakeup_fd, 512):
            if number == signal.SIGWINCH:
                if self._relay is not None:
                    self._relay.copy_window_size()
                continue
            # a terminal that goes away sends SIGHUP, and the shell in it does: that is one request
            self._interrupts += number != signal.SIGHUP
            # the second request is not patient any more
            self._channel.send(messages.KILL if self._interrupts > 1 else messages.STOP)
