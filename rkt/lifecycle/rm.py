"""``rkt rm``: remove pods that do not run, at once and whatever the grace period says.

A pod that cannot be removed does not keep the others. Facts: rkt 1.30, section 1.11 of the behaviour document.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.errors import RktError
from rkt.lifecycle.deletion import delete_pod
from rkt.paths import DataDirectory
from rkt.pod import phases
from rkt.pod.directory import Pod, open_pod, resolve_uuid
from rkt.pod.errors import PodError, PodLockedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_REFUSED = {
    phases.RUNNING: "currently running",
    phases.EMBRYO: "currently being prepared",
    phases.PREPARING: "currently being prepared",
    phases.EXITED_DELETING: "currently being deleted",
    phases.DELETING: "currently being deleted",
}


class RemovalError(RktError):
    """Not all pods could be removed; each reason has been said."""

    code = "pod-removal"


def remove_pods(data: DataDirectory, texts: Sequence[str], *, tell: Callable[[str], None]) -> None:
    """Remove the pods that ``texts`` name; ``tell`` gets a line for stdout for each one removed.

    Why a pod is not removed goes to stderr. Raises RemovalError at the end if that was so for any.
    """
    failed = False
    for text in texts:
        try:
            with open_pod(data, resolve_uuid(data, text)) as pod:
                remove_pod(pod)
                tell(f'"{pod.uuid}"')
        except RktError as error:
            diagnostics.line(error.message if error.hint is None else f"{error.message}\nhint: {error.hint}")
            failed = True
    if failed:
        raise RemovalError("failed to remove one or more pods")


def remove_pod(pod: Pod) -> None:
    """Remove one open pod. Raises PodError if it is in use or cannot be removed; then it can be tried again."""
    state = pod.current_state()
    if state in _REFUSED:
        raise PodLockedError(f'pod "{pod.uuid}" is {_REFUSED[state]}')
    pod.lock_exclusive()
    # somebody may have moved it before we had the lock
    pod.refresh()
    if pod.phase == "prepare":
        diagnostics.line(f'moving failed prepare "{pod.uuid}" to garbage')
        pod.move_to("garbage")
    elif pod.phase == "prepared":
        diagnostics.line(f'moving expired prepared pod "{pod.uuid}" to garbage')
        pod.move_to("garbage")
    elif pod.phase == "run":
        pod.move_to("exited-garbage")
    elif pod.phase == "embryo":
        raise PodError(f'pod "{pod.uuid}" is currently being prepared')
    delete_pod(pod)
