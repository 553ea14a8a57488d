"""What list and status show of a pod, gathered once as values: state, times, networks, apps with their exit statuses.

Reading tolerates anything: what cannot be read is left out and its error is kept in ``errors``, so that one bad pod
never hides the others. How it is printed is decided elsewhere (:mod:`rkt.lifecycle.pod_json`, the CLI).

Facts: rkt 1.30, sections 1.8, 1.8.1 and 1.9 of the behaviour document.
"""

from __future__ import annotations

from rkt.errors import RktError
from rkt.pod import contents, phases
from rkt.pod.network_info import NetworkInfo
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from rkt.pod.directory import Pod
    from rkt.schema.pod import PodManifest, RuntimeApp

    T = TypeVar("T")

APP_UNKNOWN, APP_CREATED, APP_RUNNING, APP_EXITED = "unknown", "created", "running", "exited"

#: phases in which the pod was attached to networks
_NETWORK_STATES = (phases.RUNNING, phases.EXITED, phases.EXITED_DELETING, phases.EXITED_GARBAGE)
#: not everything has been written yet, or some has been removed already: then it is no error that something is missing
_PARTIAL_STATES = (
    phases.EMBRYO,
    phases.PREPARING,
    phases.ABORTED_PREPARE,
    phases.EXITED_DELETING,
    phases.DELETING,
    phases.GARBAGE,
)
_ATTEMPTS = 8
_APP_STATES = {phases.PREPARED: APP_CREATED, phases.RUNNING: APP_RUNNING} | dict.fromkeys(
    (phases.EXITED, phases.EXITED_DELETING, phases.EXITED_GARBAGE, phases.DELETING, phases.GARBAGE), APP_EXITED
)


class MountSummary(Value):
    """A volume of an app: where it is in the app, and on the host (empty for an empty volume)."""

    __slots__ = _fields = ("container_path", "host_path", "name", "read_only")
    container_path: str
    host_path: str
    name: str
    read_only: bool

    def __init__(self, *, name: str, container_path: str, host_path: str, read_only: bool) -> None:
        self._freeze(container_path, host_path, name, read_only)


class AppSummary(Value):
    """An app of a pod. Times in nanoseconds since the epoch; None is unknown or not yet.

    ``image_name`` is ``name:version``; None if the app's image manifest cannot be read.
    """

    __slots__ = _fields = (
        "created_ns",
        "exit_code",
        "finished_ns",
        "image_id",
        "image_name",
        "mounts",
        "name",
        "started_ns",
        "state",
        "user_annotations",
        "user_labels",
    )
    created_ns: int | None
    exit_code: int | None
    finished_ns: int | None
    image_id: str
    image_name: str | None
    mounts: tuple[MountSummary, ...]
    name: str
    started_ns: int | None
    state: str
    user_annotations: tuple[tuple[str, str], ...]
    user_labels: tuple[tuple[str, str], ...]

    def __init__(
        self,
        *,
        name: str,
        state: str = APP_UNKNOWN,
        created_ns: int | None = None,
        started_ns: int | None = None,
        finished_ns: int | None = None,
        exit_code: int | None = None,
        image_id: str = "",
        image_name: str | None = None,
        mounts: tuple[MountSummary, ...] = (),
        user_annotations: tuple[tuple[str, str], ...] = (),
        user_labels: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._freeze(
            created_ns,
            exit_code,
            finished_ns,
            image_id,
            image_name,
            mounts,
            name,
            started_ns,
            state,
            user_annotations,
            user_labels,
        )


class PodSummary(Value):
    """A pod. Times in nanoseconds since the epoch; ``pid`` is what the pod's files say, not verified.

    ``has_manifest`` is False while there is no pod manifest or it cannot be read: ``apps`` are then unknown.
    """

    __slots__ = _fields = (
        "apps",
        "created_ns",
        "errors",
        "has_manifest",
        "networks",
        "pid",
        "started_ns",
        "state",
        "user_annotations",
        "user_labels",
        "uuid",
    )
    apps: tuple[AppSummary, ...]
    created_ns: int | None
    errors: tuple[RktError, ...]
    has_manifest: bool
    networks: tuple[NetworkInfo, ...]
    pid: int | None
    started_ns: int | None
    state: str
    user_annotations: tuple[tuple[str, str], ...]
    user_labels: tuple[tuple[str, str], ...]
    uuid: str

    def __init__(
        self,
        *,
        uuid: str,
        state: str,
        created_ns: int | None = None,
        started_ns: int | None = None,
        pid: int | None = None,
        networks: tuple[NetworkInfo, ...] = (),
        has_manifest: bool = False,
        apps: tuple[AppSummary, ...] = (),
        user_annotations: tuple[tuple[str, str], ...] = (),
        user_labels: tuple[tuple[str, str], ...] = (),
        errors: tuple[RktError, ...] = (),
    ) -> None:
        self._freeze(
            apps,
            created_ns,
            errors,
            has_manifest,
            networks,
            pid,
            started_ns,
            state,
            user_annotations,
            user_labels,
            uuid,
        )


def load_summary(pod: Pod) -> PodSummary:
    """Everything that can be read of an open pod. Raises PodNotFoundError if it has been removed meanwhile."""
    for _ in range(_ATTEMPTS):
        summary = _Reading(pod).summarise()
        # what is missing may have been taken away by a collector: then look again
        if not summary.errors or pod.current_state() == summary.state:
            break
    return summary


class _Reading:
    """One pod being read: what is missing or bad becomes an error in a list."""

    def __init__(self, pod: Pod) -> None:
        self._pod = pod
        self._errors: list[RktError] = []
        self._state = pod.current_state()
        self._created_ns = self._attempt(lambda: contents.find_created_ns(pod), None)
        self._started_ns = self._attempt(lambda: contents.find_started_ns(pod), None)

    def summarise(self) -> PodSummary:
        pod = self._pod
        networks: tuple[NetworkInfo, ...] = ()
        if self._state in _NETWORK_STATES:
            networks = self._attempt(lambda: contents.load_networks(pod), networks)
        pid = self._attempt(lambda: contents.find_pid(pod), None)
        manifest = self._attempt(lambda: contents.load_manifest(pod), None)
        apps = tuple(self._summarise_app(app, manifest) for app in manifest.apps) if manifest is not None else ()
        return PodSummary(
            uuid=pod.uuid,
            state=self._state,
            created_ns=self._created_ns,
            started_ns=self._started_ns,
            pid=pid,
            networks=networks,
            has_manifest=manifest is not None,
            apps=apps,
            user_annotations=manifest.user_annotations if manifest is not None else (),
            user_labels=manifest.user_labels if manifest is not None else (),
            errors=() if self._state in _PARTIAL_STATES else tuple(self._errors),
        )

    def _summarise_app(self, app: RuntimeApp, manifest: PodManifest) -> AppSummary:
        pod, name = self._pod, app.name
        exit_code = self._attempt(lambda: contents.find_exit_status(pod, name), None)
        state = _APP_STATES.get(self._state, APP_UNKNOWN) if exit_code is None else APP_EXITED
        finished_ns = self._attempt(lambda: contents.find_exit_time_ns(pod, name), None) or contents.find_marked_ns(pod)
        return AppSummary(
            name=name,
            state=state,
            created_ns=self._created_ns,
            started_ns=self._started_ns,
            finished_ns=finished_ns,
            exit_code=exit_code,
            image_id=app.image.id,
            image_name=self._attempt(lambda: _load_image_name(pod, name), None),
            mounts=_summarise_mounts(app, manifest),
            user_annotations=app.app.user_annotations if app.app is not None else (),
            user_labels=app.app.user_labels if app.app is not None else (),
        )

    def _attempt(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except RktError as error:
            self._errors.append(error)
            return otherwise


def _load_image_name(pod: Pod, app: str) -> str:
    manifest = contents.load_image_manifest(pod, app)
    version = manifest.label("version")
    return f"{manifest.name}:{version}" if version else manifest.name


def _summarise_mounts(app: RuntimeApp, manifest: PodManifest) -> tuple[MountSummary, ...]:
    found = []
    for mount in app.mounts:
        volume = mount.app_volume or manifest.find_volume(mount.volume)
        found.append(
            MountSummary(
                name=mount.volume,
                container_path=mount.path,
                host_path=volume.source or "" if volume is not None else "",
                read_only=bool(volume.read_only) if volume is not None else False,
            )
        )
    return tuple(found)
