"""Which volume is mounted where in an app: volumes of the pod matched to an app's mounts and mount points. Pure.

Section 3.8.2 of the behaviour document and appc pods.md, ACE-009 to ACE-031. The source of a host volume is checked
when it is mounted, not here.
"""

from __future__ import annotations

from rkt import stage_contract
from rkt.errors import RktError
from rkt.linux import syscalls
from rkt.linux.mounts import BindInRoot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.app import App, MountPoint
    from rkt.schema.pod import PodManifest, RuntimeApp
    from rkt.schema.volume import Volume


class VolumeError(RktError):
    """The volumes of a pod do not fit its apps."""

    code = "volume"


class VolumeMount:
    """``source`` (an absolute host path) on ``path`` in an app; ``host`` if a user named the source."""

    __slots__ = ("host", "path", "read_only", "recursive", "source", "volume")

    def __init__(self, volume: str, *, source: str, path: str, read_only: bool, recursive: bool, host: bool) -> None:
        self.volume, self.source, self.path = volume, source, path
        self.read_only, self.recursive, self.host = read_only, recursive, host

    def plan_step(self, root: str) -> BindInRoot:
        """The mount below an app's ``root``; device nodes in a volume are of no use to an app (nodev)."""
        attributes = syscalls.MOUNT_ATTR_NODEV | (syscalls.MOUNT_ATTR_RDONLY if self.read_only else 0)
        return BindInRoot(
            self.source,
            root=root,
            path=self.path,
            recursive=self.recursive,
            attributes=attributes,
            host_source=self.host,
            warn_hidden=True,
            what=f'volume "{self.volume}"',
        )


def plan_volume_mounts(
    manifest: PodManifest, runtime_app: RuntimeApp, app: App, *, pod_path: str
) -> tuple[VolumeMount, ...]:
    """The mounts of one app in the order of their paths. Raises :class:`VolumeError`.

    An app's explicit mounts come first; a mount point of its image takes the volume of its name unless an explicit
    mount has the same path. Equal or nested targets are an error (ACE-016).
    """
    volumes = {volume.name: volume for volume in manifest.volumes}
    mounts: dict[str, VolumeMount] = {}
    points: dict[str, MountPoint] = {}
    for point in app.mount_points:
        if points.setdefault(_clean(point.path), point) is not point:
            raise VolumeError(f'cannot mount twice on "{_clean(point.path)}" in app "{runtime_app.name}"')
    for mount in runtime_app.mounts:
        volume = mount.app_volume or volumes.get(mount.volume)
        if volume is None:
            raise VolumeError(f'cannot mount "{mount.path}" in app "{runtime_app.name}": no volume "{mount.volume}"')
        path = _clean(mount.path)
        if path in mounts:
            raise VolumeError(f'cannot mount twice on "{path}" in app "{runtime_app.name}"')
        image_point = points.get(path)
        read_only = image_point is not None and image_point.read_only
        mounts[path] = _volume_mount(volume, path, pod_path, read_only=read_only)
    for path, point in points.items():
        if path in mounts:
            continue
        named = volumes.get(point.name) or volumes.get(f"{runtime_app.name}-{point.name}")
        if named is None:
            text = f'mount point "{point.name}" ({path}) of app "{runtime_app.name}" has no volume'
            raise VolumeError(text, f"add --volume {point.name},kind=empty or kind=host,source=…")
        mounts[path] = _volume_mount(named, path, pod_path, read_only=point.read_only)
    ordered = tuple(mounts[path] for path in sorted(mounts, key=lambda path: path.split("/")))
    _refuse_nested(ordered, runtime_app.name)
    return ordered


def _volume_mount(volume: Volume, path: str, pod_path: str, *, read_only: bool) -> VolumeMount:
    host = volume.kind == "host"
    source = volume.source if host else f"{pod_path}/{stage_contract.SHARED_VOLUMES}/{volume.name}"
    if source is None:
        raise VolumeError(f'host volume "{volume.name}" has no source')
    return VolumeMount(
        volume.name,
        source=source.rstrip("/") or "/",
        path=path,
        read_only=bool(volume.read_only) or read_only,
        recursive=host and volume.recursive is not False,
        host=host,
    )


def _refuse_nested(mounts: tuple[VolumeMount, ...], app: str) -> None:
    for index, below in enumerate(mounts[1:]):
        above = mounts[index]
        if below.path.startswith(above.path.rstrip("/") + "/"):
            raise VolumeError(f'mounts of app "{app}" overlap: "{above.path}" and "{below.path}"')


def _clean(path: str) -> str:
    """``path`` without empty and ``.`` components. Raises :class:`VolumeError` for a place that no app may give.

    Where ``..`` leads depends on the image, so that overlaps could not be seen; a volume over the root or the kernel's
    own file systems would be in the way of the executor itself.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    clean = "/" + "/".join(parts)
    if ".." in parts:
        raise VolumeError(f'cannot mount on "{path}": ".." is not allowed in the path of a mount')
    if clean in ("/", "/sys", "/dev") or parts[0] == "proc":
        raise VolumeError(f'cannot mount on "{clean}": the executor keeps it for itself')
    return clean
