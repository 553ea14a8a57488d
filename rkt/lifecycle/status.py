"""``rkt status``: one pod's state, and waiting for it to be ready or to finish.

Waiting polls, as the lock of a pod can be waited for only by taking it. Nothing is printed here. Facts: rkt 1.30,
sections 1.9 and 2.4 of the behaviour document.
"""

from __future__ import annotations

import time

from rkt.lifecycle.summary import PodSummary, load_summary
from rkt.paths import DataDirectory
from rkt.pod import contents, phases
from rkt.pod.directory import Pod, open_pod, resolve_uuid
from rkt.pod.errors import PodError, PodNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.1
#: a ``timeout_seconds`` that never passes
FOREVER = float("inf")

_PID_STATES = (
    phases.RUNNING,
    phases.DELETING,
    phases.EXITED_DELETING,
    phases.EXITED,
    phases.EXITED_GARBAGE,
)


class WaitError(PodError):
    """The pod did not come to the awaited state."""

    code = "pod-wait"


def load_status(
    data: DataDirectory, text: str, *, ready_seconds: float | None = None, finished_seconds: float | None = None
) -> PodSummary:
    """The pod that ``text`` names, after waiting for it to be ready and then to finish where that is asked for.

    The waits are seconds, FOREVER, or None for none. Raises UUIDError, PodNotFoundError, WaitError.
    """
    with open_pod(data, resolve_uuid(data, text)) as pod:
        if ready_seconds is not None:
            wait_until_ready(pod, timeout_seconds=ready_seconds)
        if finished_seconds is not None:
            wait_until_finished(pod, timeout_seconds=finished_seconds)
        return load_summary(pod)


def wait_until_ready(pod: Pod, *, timeout_seconds: float) -> None:
    """Wait until the pod's apps have been started. WaitError if it ends before, or when the time is over."""

    def is_done() -> bool:
        state = pod.current_state()
        if contents.is_ready(pod):
            return True
        if state in phases.FINISHED_STATES:
            raise WaitError(f'pod "{pod.uuid}" ended before it was ready: it is {state}')
        return False

    _wait(pod, is_done, timeout_seconds=timeout_seconds, what="ready")


def wait_until_finished(pod: Pod, *, timeout_seconds: float) -> None:
    """Wait until nothing of the pod runs or will run. WaitError when the time is over."""
    _wait(
        pod,
        lambda: pod.current_state() in phases.FINISHED_STATES,
        timeout_seconds=timeout_seconds,
        what="finished",
    )


def _wait(pod: Pod, is_done: Callable[[], bool], *, timeout_seconds: float, what: str) -> None:
    deadline = time.monotonic() + timeout_seconds
    try:
        while not is_done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitError(f'pod "{pod.uuid}" is not {what}: the time to wait is over')
            time.sleep(min(POLL_SECONDS, left))
    except PodNotFoundError:
        raise WaitError(f'pod "{pod.uuid}" was removed while it was waited for') from None


def format_status(summary: PodSummary, *, format_time: Callable[[int], str]) -> list[str]:
    """The ``key=value`` lines; ``format_time`` takes nanoseconds since the epoch. Apps in the manifest's order."""
    lines = [f"state={summary.state}"]
    if summary.created_ns is not None:
        lines.append(f"created={format_time(summary.created_ns)}")
    if summary.started_ns is not None:
        lines.append(f"started={format_time(summary.started_ns)}")
    if summary.networks:
        lines.append("networks=" + ", ".join(network.describe() for network in summary.networks))
    if summary.state not in _PID_STATES:
        return lines
    if summary.pid is not None:
        lines.append(f"pid={summary.pid}")
    exited = summary.state != phases.RUNNING
    lines.append(f"exited={str(exited).lower()}")
    if exited:
        lines += [f"app-{app.name}={app.exit_code}" for app in summary.apps if app.exit_code is not None]
    return lines
