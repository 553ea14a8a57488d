"""PID 1 of a pod: builds the pod's isolation, starts the apps, reaps, and ends with the pod's exit status.

It is forked by :mod:`rkt.stage1.native.supervisor` into a new PID namespace with every module already imported, and
never executes a program of an image itself: that is :mod:`rkt.stage2.launch`, in a child. When this process dies the
kernel ends everything in the pod.
"""

from __future__ import annotations

import os

from rkt.errors import FAILURE, RktError, reason
from rkt.linux import signals as signal
from rkt.linux import syscalls
from rkt.linux.loopback import bring_up_loopback
from rkt.linux.process_title import set_process_title
from rkt.linux.terminal import copy_window_size, open_terminal
from rkt.stage1.native import channel as messages
from rkt.stage1.native.app_runner import AppRunner
from rkt.stage1.native.plan import NULL_DEVICE
from rkt.stage1.native.pod_loop import PodLoop
from rkt.stage2.launch import enter_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.linux.cgroups import OpenGroup
    from rkt.stage1.native.channel import Channel
    from rkt.stage1.native.plan import PodPlan


def run_init(plan: PodPlan, channel: Channel, group: OpenGroup, groups: dict[str, OpenGroup]) -> int:
    """Be the pod's init; returns the pod's exit status. Errors are sent to the supervisor and give status 254."""
    try:
        group.join()
        group.close()
        _isolate(plan)
        console = _build(plan)
        if plan.interactive:
            # the app may ask for it before the supervisor has the terminal
            copy_window_size(0, console)
            channel.send_descriptor(console)
            os.close(console)
            console = -1
        if channel.receive()[0] != messages.GO:
            return FAILURE
        null_fd = os.open(NULL_DEVICE, os.O_RDWR | os.O_CLOEXEC)
        runners = tuple(
            AppRunner(app, groups[app.name], null_fd=null_fd, interactive=plan.interactive) for app in plan.apps
        )
        return PodLoop(runners, channel, console_fd=console).run()
    except RktError as error:
        text = error.message + (f"\n{error.hint}" if error.hint else "")
        channel.send(messages.ERROR, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        channel.send(messages.ERROR, f"cannot isolate the pod: {reason(error)}".encode("utf-8", "backslashreplace"))
    except Exception as error:
        text = f"internal error in the pod's init: {type(error).__name__}: {error}"
        channel.send(messages.ERROR, text.encode("utf-8", "backslashreplace"))
    return FAILURE


def _isolate(plan: PodPlan) -> None:
    """Own session, no core dumps of this process, namespaces, host name, loopback."""
    os.setsid()
    set_process_title(f"rkt: init of pod {plan.uuid}")
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    # no app may look into this process, whatever its user: it still has descriptors of the host
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    os.umask(0o022)
    syscalls.unshare(plan.namespaces)
    try:
        syscalls.join_new_session_keyring()
    except OSError:
        # a kernel without keyrings has nothing to share
        pass
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.sethostname(plan.hostname)
    if plan.namespaces & syscalls.CLONE_NEWNET:
        bring_up_loopback()


def _build(plan: PodPlan) -> int:
    """Apply the plan's steps and seal the root; returns the master of the pod's console.

    The other end stays open here, too: were an app the last to close it, the master would report a hang-up until the
    next one opens it, and who writes then would wait for ever.
    """
    for step in plan.steps:
        step.apply()
    console, number = open_terminal(f"{plan.stage1_root}/dev/pts")
    os.open(f"{plan.stage1_root}/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    for app in plan.apps:
        for step in app.steps:
            step.apply()
    enter_root(plan.stage1_root)
    return console
