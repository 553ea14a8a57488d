"""``rkt stop``: ask running pods to end, or with force kill them.

It does not wait for the end (``rkt status --wait`` does); only a forced stop gives the supervisor a moment to clean up.
No exit status is recorded then. Who is signalled is found by :mod:`rkt.lifecycle.pod_processes`. Facts: rkt 1.30,
sections 1.10 and 3.8.4 of the behaviour document.
"""

from __future__ import annotations

import os
import signal

from rkt import diagnostics
from rkt import stage_contract as contract
from rkt.errors import RktError
from rkt.lifecycle.pod_processes import Process, find_children, find_supervisor
from rkt.linux.cgroups import PodCgroup, find_hierarchies
from rkt.paths import DataDirectory
from rkt.pod import contents, phases
from rkt.pod.directory import Pod, open_pod, resolve_uuid
from rkt.pod.errors import PodContentError, PodError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: for the supervisor to give back what the pod had of the host after the pod's init was killed
_CLEANING_SECONDS = 1.0
#: a pod's lock may pass from process to process while they are killed
_KILL_ROUNDS = 20
_STOPPED_STATES = (phases.EXITED, phases.EXITED_DELETING, phases.EXITED_GARBAGE, phases.DELETING, phases.GARBAGE)


class StopError(RktError):
    """Not all pods could be stopped; each reason has been said."""

    code = "pod-stop"


def stop_pods(data: DataDirectory, texts: Sequence[str], *, force: bool = False, tell: Callable[[str], None]) -> None:
    """Stop the pods that ``texts`` name; ``tell`` gets a line for stdout for each one that was told to stop.

    Why a pod is not stopped goes to stderr. Raises StopError at the end with the number of those.
    """
    failed = 0
    for text in texts:
        try:
            with open_pod(data, resolve_uuid(data, text)) as pod:
                if stop_pod(pod, force=force):
                    tell(f'"{pod.uuid}"')
                else:
                    diagnostics.line(f'pod "{pod.uuid}" is already stopped')
        except RktError as error:
            diagnostics.line(error.message if error.hint is None else f"{error.message}\nhint: {error.hint}")
            failed += 1
    if failed:
        raise StopError(f"failed to stop {failed} pod(s)")


def stop_pod(pod: Pod, *, force: bool) -> bool:
    """Stop one open pod; False if it has ended already. Raises PodError if it never ran or cannot be reached."""
    state = pod.current_state()
    if state in _STOPPED_STATES:
        return False
    if state != phases.RUNNING:
        raise PodError(f'pod "{pod.uuid}" is not running')
    supervisor = find_supervisor(pod)
    if supervisor is None:
        if pod.current_state() in _STOPPED_STATES:
            return False
        raise PodError(f'cannot stop pod "{pod.uuid}": no process holds its lock that this user can see')
    with supervisor:
        if force:
            _kill(pod, supervisor)
        else:
            supervisor.signal(signal.SIGTERM)
            # one that was stopped would not hear it
            supervisor.signal(signal.SIGCONT)
    return True


def _kill(pod: Pod, supervisor: Process) -> None:
    """SIGKILL the pod's init, then its supervisor, then whatever is left in its cgroup or keeps its lock."""
    children = find_children(supervisor)
    try:
        for child in children:
            child.signal(signal.SIGKILL)
    finally:
        for child in children:
            os.close(child.pidfd)
    if not children or not supervisor.wait_seconds(_CLEANING_SECONDS):
        supervisor.signal(signal.SIGKILL)
        supervisor.wait_seconds(_CLEANING_SECONDS)
    _kill_cgroup(pod)
    for _ in range(_KILL_ROUNDS):
        if pod.current_state() != phases.RUNNING:
            return
        left = find_supervisor(pod)
        if left is None:
            return
        with left:
            left.signal(signal.SIGKILL)
            left.wait_seconds(_CLEANING_SECONDS)


def _kill_cgroup(pod: Pod) -> None:
    """Kill what is left in the group that the pod names, if the name is the pod's own: never a group it shares."""
    try:
        subcgroup = contents.find_text_file(pod, contract.SUBCGROUP)
    except PodContentError as error:
        diagnostics.line(error.message)
        return
    if subcgroup is None or not is_own_cgroup(subcgroup, uuid=pod.uuid):
        return
    PodCgroup(subcgroup.strip("/"), find_hierarchies()).kill()


def is_own_cgroup(subcgroup: str, *, uuid: str) -> bool:
    """Whether a component of the path carries the pod's UUID, as is or as systemd escapes it, and none leads up."""
    parts = subcgroup.strip("/").split("/")
    escaped = uuid.replace("-", "\\x2d")
    return ".." not in parts and any(uuid in part or escaped in part for part in parts)
