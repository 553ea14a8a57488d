"""``rkt gc``: move what has ended to the garbage, and delete the garbage when its time has come.

The steps of rkt 1.30 (section 1.12 of the behaviour document), and one more: embryos that their maker abandoned are
collected too. Pods that somebody owns are passed over silently. A pod that cannot be collected does not keep the others
and is tried again by the next gc. Ages are never negative (:mod:`rkt.pod.phase_clock`), so a clock that was set back
deletes nothing. Images and trees have their own collection.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.errors import RktError
from rkt.lifecycle.deletion import delete_pod
from rkt.paths import DataDirectory
from rkt.pod.directory import Pod, find_pod_in, list_pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_PERIOD_SECONDS = 30 * 60.0
EXPIRE_PREPARED_SECONDS = 24 * 3600.0


def collect(
    data: DataDirectory,
    *,
    tell: Callable[[str], None],
    format_duration: Callable[[float], str],
    grace_period_seconds: float = GRACE_PERIOD_SECONDS,
    expire_prepared_seconds: float = EXPIRE_PREPARED_SECONDS,
    mark_only: bool = False,
) -> None:
    """Collect pods; ``tell`` gets lines for stdout, stderr the rest. Failures with single pods are only said.

    Raises PodError if the phase directories cannot be listed.
    """
    _mark_exited(data)
    _mark_aborted(data)
    if mark_only:
        return
    _mark_expired(data, expire_prepared_seconds)
    _delete_exited(data, grace_period_seconds, tell=tell, format_duration=format_duration)
    _delete_garbage(data, tell=tell)


def _mark_exited(data: DataDirectory) -> None:
    def mark(pod: Pod) -> None:
        diagnostics.line(f'moving pod "{pod.uuid}" to garbage')
        pod.move_to("exited-garbage")

    _for_each_owned(data, "run", mark)


def _mark_aborted(data: DataDirectory) -> None:
    def mark_prepare(pod: Pod) -> None:
        diagnostics.line(f'moving failed prepare "{pod.uuid}" to garbage')
        pod.move_to("garbage")

    def mark_embryo(pod: Pod) -> None:
        diagnostics.line(f'moving abandoned embryo "{pod.uuid}" to garbage')
        pod.move_to("garbage")

    _for_each_owned(data, "prepare", mark_prepare)
    _for_each_owned(data, "embryo", mark_embryo)


def _mark_expired(data: DataDirectory, expire_seconds: float) -> None:
    def mark(pod: Pod) -> None:
        if pod.phase_age_seconds() >= expire_seconds:
            diagnostics.line(f'moving expired prepared pod "{pod.uuid}" to garbage')
            pod.move_to("garbage")

    _for_each_owned(data, "prepared", mark)


def _delete_exited(
    data: DataDirectory,
    grace_seconds: float,
    *,
    tell: Callable[[str], None],
    format_duration: Callable[[float], str],
) -> None:
    def delete(pod: Pod) -> None:
        if pod.phase_age_seconds() < grace_seconds:
            within = format_duration(grace_seconds)
            diagnostics.line(f'pod "{pod.uuid}" not removed: still within grace period ({within})')
            return
        tell(f'Garbage collecting pod "{pod.uuid}"')
        delete_pod(pod)

    _for_each_owned(data, "exited-garbage", delete)


def _delete_garbage(data: DataDirectory, *, tell: Callable[[str], None]) -> None:
    def delete(pod: Pod) -> None:
        tell(f'Garbage collecting pod "{pod.uuid}"')
        delete_pod(pod)

    _for_each_owned(data, "garbage", delete)


def _for_each_owned(data: DataDirectory, phase: str, act: Callable[[Pod], None]) -> None:
    """``act`` on each pod in ``phase`` that nobody owns, owned by us and certain to lie there."""
    for uuid in list_pods(data, (phase,)):
        try:
            pod = find_pod_in(data, phase, uuid)
            if pod is None:
                continue
            with pod:
                if pod.try_lock_exclusive() and pod.lies_in(phase):
                    act(pod)
        except RktError as error:
            diagnostics.line(error.message)
