"""What the files of a pod say: manifests, app names, pids, times, exit statuses, networks.

Every function takes an open :class:`rkt.pod.directory.Pod` and works in any phase and on half-written pods: a missing
file is None (or nothing), a bad one is a PodContentError that names the pod and the file. Manifests of other versions'
pods are read leniently. Nothing is written here, and
no process is looked at: a pid is what the file says, and whether it is still the pod's is decided by the lifecycle.

Facts: rkt 1.30, sections 2.4 and 2.5 of the behaviour document.
"""

from __future__ import annotations

import os

from rkt import stage_contract as contract
from rkt.pod import files
from rkt.pod.errors import PodContentError
from rkt.pod.network_info import NetworkInfo, decode_networks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.pod.directory import Pod
    from rkt.schema.image import ImageManifest
    from rkt.schema.pod import PodManifest

MANIFEST_LIMIT_BYTES = 4 << 20
_NUMBER_LIMIT_BYTES = 32
_TEXT_LIMIT_BYTES = 4096
_NETWORKS_LIMIT_BYTES = 1 << 20
_APPS_LIMIT = 10_000
#: PID_MAX_LIMIT of a 64-bit kernel
_PID_LIMIT = 1 << 22
_STATUS_LIMIT = 1 << 31


def load_manifest_bytes(pod: Pod) -> bytes:
    """The bytes of the pod manifest. Raises PodContentError, also if there is none."""
    data = _find(pod, contract.POD_MANIFEST, limit=MANIFEST_LIMIT_BYTES)
    if data is None:
        raise PodContentError(f'pod "{pod.uuid}": it has no manifest')
    return data


def load_manifest(pod: Pod) -> PodManifest:
    """The pod manifest. Raises PodContentError, ManifestError."""
    from rkt.schema.pod import decode_pod_manifest

    data = load_manifest_bytes(pod)
    return decode_pod_manifest(data, source=f'manifest of pod "{pod.uuid}"', lenient=True)


def load_image_manifest(pod: Pod, app: str) -> ImageManifest:
    """The image manifest of an app as it was when the pod was prepared. Raises PodContentError, ManifestError."""
    from rkt.schema.image import decode_image_manifest

    path = f"{contract.app_info(_checked_name(pod, app))}/manifest"
    data = _find(pod, path, limit=MANIFEST_LIMIT_BYTES)
    if data is None:
        raise PodContentError(f'pod "{pod.uuid}": app "{app}" has no image manifest')
    return decode_image_manifest(data, source=f'image manifest of app "{app}" of pod "{pod.uuid}"', lenient=True)


def list_prepared_apps(pod: Pod) -> list[str]:
    """Names of the apps whose images were put into the pod, whether or not its manifest can be read."""
    with _Naming(pod):
        return files.list_names(pod.lock_fd, "appsinfo", limit=_APPS_LIMIT)


def find_pid(pod: Pod) -> int | None:
    """The pid in the file ``pid``, else in ``ppid``; None if neither has been written."""
    pid = find_number_file(pod, contract.PID)
    return pid if pid is not None else find_number_file(pod, contract.PPID)


def find_number_file(pod: Pod, name: str) -> int | None:
    """A positive process or process group ID from a file of the pod directory."""
    data = _find(pod, name, limit=_NUMBER_LIMIT_BYTES)
    number = _parse_decimal(data)
    if data is not None and data.strip() and (number is None or not 0 < number <= _PID_LIMIT):
        raise PodContentError(f'pod "{pod.uuid}": "{name}" does not hold a process ID')
    return number


def find_text_file(pod: Pod, name: str) -> str | None:
    """A short text from a file of the pod directory, without white space around it; None if missing or empty."""
    data = _find(pod, name, limit=_TEXT_LIMIT_BYTES)
    if data is None:
        return None
    try:
        return data.decode().strip() or None
    except UnicodeDecodeError:
        raise PodContentError(f'pod "{pod.uuid}": "{name}" is not UTF-8 text') from None


def find_exit_status(pod: Pod, app: str) -> int | None:
    """The recorded exit status of an app, None if none has been recorded (yet)."""
    for path in _status_paths(pod, _checked_name(pod, app)):
        data = _find(pod, path, limit=_NUMBER_LIMIT_BYTES)
        if data is None:
            continue
        status = _parse_decimal(data)
        if status is None or not -_STATUS_LIMIT <= status < _STATUS_LIMIT:
            raise PodContentError(f'pod "{pod.uuid}": the exit status of app "{app}" is not a number')
        return status
    return None


def find_exit_time_ns(pod: Pod, app: str) -> int | None:
    """When the exit status of an app was recorded, nanoseconds since the epoch."""
    return _first_mtime_ns(pod, _status_paths(pod, _checked_name(pod, app)))


def find_created_ns(pod: Pod) -> int | None:
    """When the pod was created, nanoseconds since the epoch."""
    return _first_mtime_ns(pod, (contract.POD_CREATED, contract.POD_MANIFEST))


def find_started_ns(pod: Pod) -> int | None:
    """When the pod was started, nanoseconds since the epoch; None if it never was."""
    return _first_mtime_ns(pod, (contract.PID, contract.PPID))


def find_marked_ns(pod: Pod) -> int | None:
    """When the pod was marked as garbage, nanoseconds since the epoch: the ctime that the rename left."""
    return os.fstat(pod.lock_fd).st_ctime_ns if pod.phase in ("exited-garbage", "garbage") else None


def is_ready(pod: Pod) -> bool:
    """Whether the pod's pid 1 says that the apps have been started: a link ``supervisor-status`` to ``ready``."""
    paths = _stage1_paths(pod, contract.SUPERVISOR_STATUS)
    with _Naming(pod):
        return any(files.find_link(pod.lock_fd, path) == contract.READY for path in paths)


def load_networks(pod: Pod) -> tuple[NetworkInfo, ...]:
    """The networks that the pod was attached to; none if it shares the host's or was never started."""
    data = _find(pod, contract.NET_INFO, limit=_NETWORKS_LIMIT_BYTES)
    if data is None:
        return ()
    with _Naming(pod):
        return decode_networks(data, source=contract.NET_INFO)


def _status_paths(pod: Pod, app: str) -> list[str]:
    return _stage1_paths(pod, f"{contract.STATUS}/{app}")


def _stage1_paths(pod: Pod, path: str) -> list[str]:
    """Where a file of the stage1 root may lie: in the root, or (overlay no longer mounted) in the upper directory."""
    paths = [f"{contract.STAGE1_ROOTFS}/{path}"]
    tree = find_text_file(pod, contract.STAGE1_TREE)
    if tree is not None and "/" not in tree and tree not in (".", ".."):
        paths.append(f"overlay/{tree}/upper/{path}")
    return paths


def _first_mtime_ns(pod: Pod, paths: tuple[str, ...] | list[str]) -> int | None:
    with _Naming(pod):
        for path in paths:
            found = files.find_mtime_ns(pod.lock_fd, path)
            if found is not None:
                return found
    return None


def _find(pod: Pod, path: str, *, limit: int) -> bytes | None:
    with _Naming(pod):
        return files.find_file(pod.lock_fd, path, limit=limit)


class _Naming:
    """Puts the pod's UUID before the message of a PodContentError from below."""

    __slots__ = ("_uuid",)

    def __init__(self, pod: Pod) -> None:
        self._uuid = pod.uuid

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, PodContentError):
            raise PodContentError(f'pod "{self._uuid}": {error.message}') from error


def _checked_name(pod: Pod, app: str) -> str:
    if not app or "/" in app or "\0" in app or app in (".", ".."):
        raise PodContentError(f'pod "{pod.uuid}": "{app}" is not the name of an app')
    return app


def _parse_decimal(data: bytes | None) -> int | None:
    text = (data or b"").strip()
    digits = text[1:] if text.startswith(b"-") else text
    return int(text) if digits.isdigit() else None
