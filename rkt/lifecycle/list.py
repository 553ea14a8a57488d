"""``rkt list``: the pods that can be named, as rows of text and as summaries.

One unreadable pod does not hide the others: its errors are collected beside the pods. Nothing is printed here.
Facts: rkt 1.30, section 1.8 of the behaviour document.
"""

from __future__ import annotations

from rkt import APPC_VERSION
from rkt.errors import RktError
from rkt.lifecycle.summary import AppSummary, PodSummary, load_summary
from rkt.paths import DataDirectory
from rkt.pod.directory import list_pods, open_pod
from rkt.pod.errors import PodNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LEGEND = ("UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED", "NETWORKS")
_LEGEND_FULL = ("UUID", "APP", "IMAGE NAME", "IMAGE ID", "STATE", "CREATED", "STARTED", "NETWORKS")
_SHORT_UUID = 8
#: ``sha512-`` and twelve digits
_SHORT_IMAGE_ID = 19
_NO_MANIFEST = "-"
_NO_IMAGE_MANIFEST = "--"
_RULE = "-" * 40


class Listing:
    """The pods in the order in which they go through their life, and what could not be read of them."""

    __slots__ = ("errors", "pods")

    def __init__(self, pods: tuple[PodSummary, ...], errors: tuple[RktError, ...]) -> None:
        self.pods = pods
        self.errors = errors


def load_listing(data: DataDirectory) -> Listing:
    """Look at every pod in prepare, prepared, run and exited-garbage. Raises PodError if those cannot be listed."""
    pods: list[PodSummary] = []
    errors: list[RktError] = []
    for uuid in list_pods(data):
        try:
            with open_pod(data, uuid) as pod:
                summary = load_summary(pod)
        except PodNotFoundError:
            continue  # removed since it was listed
        except RktError as error:
            errors.append(error)
            continue
        pods.append(summary)
        errors.extend(summary.errors)
    return Listing(tuple(pods), tuple(errors))


def legend(*, full: bool) -> tuple[str, ...]:
    """The names of the columns."""
    return _LEGEND_FULL if full else _LEGEND


def format_rows(pods: Iterable[PodSummary], *, full: bool, format_time: Callable[[int], str]) -> list[list[str]]:
    """The cells of the table, a row for each app; ``format_time`` takes nanoseconds since the epoch."""
    rows: list[list[str]] = []
    for pod in pods:
        head = [
            pod.uuid if full else pod.uuid[:_SHORT_UUID],
            pod.state,
            format_time(pod.created_ns) if pod.created_ns is not None else "",
            format_time(pod.started_ns) if pod.started_ns is not None else "",
            ", ".join(network.describe() for network in pod.networks),
        ]
        apps: Sequence[AppSummary | None] = pod.apps or (None,)
        for index, app in enumerate(apps):
            uuid, *rest = head if index == 0 else [""] * len(head)
            rows.append([uuid, *_app_cells(app, full=full), *rest])
    return rows


def _app_cells(app: AppSummary | None, *, full: bool) -> list[str]:
    if app is None:
        return [_NO_MANIFEST] * (3 if full else 2)
    cells = [app.name, app.image_name or _NO_IMAGE_MANIFEST]
    return [*cells, app.image_id[:_SHORT_IMAGE_ID]] if full else cells


def format_errors(errors: Sequence[RktError], *, doing: str = "listing pods") -> str:
    """The report that goes to stderr before the table; empty if there is nothing to report."""
    if not errors:
        return ""
    lines = [f"{len(errors)} error(s) encountered when {doing}:", _RULE]
    for error in errors:
        lines += [error.message, _RULE]
    return "\n".join([*lines, "misc:", f"  rkt's appc version: {APPC_VERSION}", ""])
