"""Whether a pod manifest is complete enough to be executed (POD-017, POD-036, POD-046..048).

A manifest can be valid and yet wait for tools to fill in image IDs or volumes; this says what is still missing.
"""

from __future__ import annotations

from rkt.schema.image_id import find_image_id_problem
from rkt.schema.problems import Problem, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rkt.schema.app import App
    from rkt.schema.pod import PodManifest, RuntimeApp


def find_reification_problems(manifest: PodManifest, image_apps: Mapping[str, App | None]) -> tuple[Problem, ...]:
    """What keeps ``manifest`` from being executed; empty when nothing does.

    ``image_apps``: app name -> the ``app`` of its image, which counts where the manifest does not replace it.
    """
    return tuple(_find_problems(manifest, image_apps))


def _find_problems(manifest: PodManifest, image_apps: Mapping[str, App | None]) -> Iterator[Problem]:
    ports: set[str] = set()
    for index, entry in enumerate(manifest.apps):
        path = f"apps[{index}]"
        why = find_image_id_problem(entry.image.id) if entry.image.id else "is required"
        if why is not None:
            yield Problem(path=f"{path}.image.id", message=why)
        app = entry.app if entry.app is not None else image_apps.get(entry.name)
        if app is None:
            yield Problem(path=f"{path}.app", message="is required: the image does not say what to execute")
        yield from _find_volume_problems(manifest, entry, app, path)
        ports.update(port.name for port in app.ports) if app is not None else None
    for index, exposed in enumerate(manifest.ports):
        if exposed.pod_port is None and exposed.name not in ports:
            yield Problem(path=f"ports[{index}].name", message=f"{quoted(exposed.name)} is not a port of any app")


def _find_volume_problems(manifest: PodManifest, entry: RuntimeApp, app: App | None, path: str) -> Iterator[Problem]:
    """Mounts without a volume, then mount points without a mount or a volume of their own name."""
    for index, mount in enumerate(entry.mounts):
        if mount.app_volume is None and manifest.find_volume(mount.volume) is None:
            yield Problem(path=f"{path}.mounts[{index}].volume", message=f"{quoted(mount.volume)} is not a volume")
    mounted = {_clean(mount.path) for mount in entry.mounts}
    for mount_point in app.mount_points if app is not None else ():
        if _clean(mount_point.path) not in mounted and manifest.find_volume(mount_point.name) is None:
            message = f"no volume satisfies the mount point {quoted(mount_point.name)}"
            yield Problem(path=f"{path}.mounts", message=message)


def _clean(path: str) -> str:
    """``path`` without what does not change where it leads."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))
