"""The JSON objects of pods and apps that ``list`` and ``status`` print with ``--format=json``. Pure.

Members that are unknown are left out; a pod's times are seconds, an app's nanoseconds since the epoch. Facts: rkt
1.30, section 1.8.1 of the behaviour document.
"""

from __future__ import annotations

from rkt.lifecycle.summary import AppSummary, PodSummary

TYPE_CHECKING = False
if TYPE_CHECKING:
    JSON = dict[str, object]

_NS = 1_000_000_000


def pod_to_json(pod: PodSummary) -> JSON:
    """The Pod object, members in their documented order."""
    value: JSON = {"name": pod.uuid, "state": pod.state}
    if pod.networks:
        value["networks"] = [network.to_json() for network in pod.networks]
    if pod.apps:
        value["app_names"] = [app.name for app in pod.apps]
        value["apps"] = [_app_to_json(app) for app in pod.apps]
    if pod.created_ns is not None:
        value["created_at"] = pod.created_ns // _NS
    if pod.started_ns is not None:
        value["started_at"] = pod.started_ns // _NS
    _add_maps(value, pod)
    return value


def _app_to_json(app: AppSummary) -> JSON:
    value: JSON = {"name": app.name, "state": app.state}
    for name, number in (
        ("created_at", app.created_ns),
        ("started_at", app.started_ns),
        ("finished_at", app.finished_ns),
        ("exit_code", app.exit_code),
    ):
        if number is not None:
            value[name] = number
    value["image_id"] = app.image_id
    if app.mounts:
        value["mounts"] = [
            {
                "name": mount.name,
                "container_path": mount.container_path,
                "host_path": mount.host_path,
                "read_only": mount.read_only,
            }
            for mount in app.mounts
        ]
    _add_maps(value, app)
    return value


def _add_maps(value: JSON, of: PodSummary | AppSummary) -> None:
    if of.user_annotations:
        value["user_annotations"] = dict(of.user_annotations)
    if of.user_labels:
        value["user_labels"] = dict(of.user_labels)
