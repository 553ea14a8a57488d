"""From a pod request to the pod manifest: which app runs what, as whom, with which volumes and environment.

Pure: images are in the request, nothing is read or written. The manifest that comes out is fully resolved (appc:
reified): every image by its ID, every mount point satisfied by a volume. A manifest that the user supplies is not
changed but checked (:func:`check_pod_manifest`). Sections 1.2, 1.3 and 3.8.2 of the behaviour document.
"""

from __future__ import annotations

from rkt.errors import RktError
from rkt.schema.annotation import Annotation
from rkt.schema.names import sanitize_ac_name
from rkt.schema.pod import Mount, PodManifest, RuntimeApp, RuntimeImage
from rkt.schema.problems import InvalidValueError, ManifestError
from rkt.schema.reification import find_reification_problems
from rkt.schema.volume import Volume
from rkt.stage0.app_section import merge_pairs, plan_app
from rkt.stage_contract import MUTABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rkt.schema.app import App, MountPoint
    from rkt.schema.image import ImageManifest
    from rkt.schema.pod import ExposedPort
    from rkt.schema.problems import Problem
    from rkt.stage0.request import AppRequest, PodRequest

#: host architectures that images may name for linux (section 1.3)
OPERATING_SYSTEMS = ("linux",)
ARCHITECTURES = ("amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64le")

IMPLICIT_MODE = 0o755


class RequestError(RktError):
    """The images, flags and values asked for do not make a pod."""

    code = "pod-request"


class PodPlan:
    """The manifest, the store's key of each app's image, and what the user should be told."""

    __slots__ = ("images", "manifest", "warnings")

    def __init__(self, *, manifest: PodManifest, images: Mapping[str, str], warnings: tuple[str, ...] = ()) -> None:
        self.manifest = manifest
        self.images = images
        self.warnings = warnings


def plan_pod_manifest(request: PodRequest) -> PodPlan:
    """The pod manifest for a request. Raises RequestError."""
    volumes = list(request.volumes)
    _check_unique_volumes(volumes)
    warnings: list[str] = []
    apps: list[RuntimeApp] = []
    images: dict[str, str] = {}
    for asked in request.apps:
        name = plan_app_name(asked)
        if name in images:
            raise RequestError(f"multiple apps with name {name}", "give each of them another name with --name")
        images[name] = asked.key
        check_platform(asked.manifest)
        app, ignored = plan_app(asked, request)
        warnings.extend(ignored)
        mounts = _plan_mounts(name, app.mount_points, _override(asked.mounts, request.mounts), volumes, warnings)
        apps.append(_runtime_app(name, asked, app, mounts))
    manifest = PodManifest(
        apps=tuple(apps),
        volumes=tuple(volumes),
        ports=request.ports,
        annotations=(Annotation(name=MUTABLE, value="false"),),
        user_annotations=merge_pairs(request.user_annotations),
        user_labels=merge_pairs(request.user_labels),
    )
    _check_mounts(manifest)
    check_ports(manifest.ports, {app.name: app.app for app in apps if app.app is not None})
    return PodPlan(manifest=manifest, images=images, warnings=tuple(warnings))


def check_pod_manifest(manifest: PodManifest, images: Mapping[str, ImageManifest]) -> None:
    """Check a supplied pod manifest against the manifests of its apps' images (by app name).

    It is not changed, so it must be resolved already (POD-046). Raises RequestError: no apps, no app section anywhere,
    an unusable platform, an unknown port; ManifestError with every mount and mount point that has no volume.
    """
    check_apps(manifest)
    sections: dict[str, App] = {}
    for app in manifest.apps:
        check_platform(images[app.name])
        section = app.app or images[app.name].app
        if section is None:
            raise RequestError(f'app "{app.name}": no app section in the pod manifest or the image manifest')
        sections[app.name] = section
    check_ports(manifest.ports, sections)
    problems = [problem for problem in find_reification_problems(manifest, sections) if not _is_about_id(problem)]
    if problems:
        raise ManifestError("pod manifest", problems, "a supplied pod manifest must be complete")


def _is_about_id(problem: Problem) -> bool:
    """A shortened image ID is none for the specification, yet what rkt 1.30 prints: the store resolves it."""
    return problem.path.endswith(".image.id")


def check_apps(manifest: PodManifest) -> None:
    """Check that a supplied manifest has apps, each with a name of its own and an image ID. Raises RequestError."""
    if not manifest.apps:
        raise RequestError("pod must contain at least one application")
    seen: set[str] = set()
    for app in manifest.apps:
        if app.name in seen:
            raise RequestError(f"multiple apps with same name {app.name}")
        seen.add(app.name)
        if not app.image.id:
            raise RequestError(f'no image ID for app "{app.name}"')


def plan_app_name(asked: AppRequest) -> str:
    """The name asked for, or the last part of the image's name made an AC name. Raises RequestError."""
    if asked.name is not None:
        return asked.name
    try:
        return sanitize_ac_name(asked.manifest.name.rpartition("/")[2])
    except InvalidValueError as error:
        raise RequestError(
            f'no app name can be made of image name "{asked.manifest.name}"', "give one with --name"
        ) from error


def check_platform(image: ImageManifest) -> None:
    """Check that an image says that it is for a platform that rkt knows. Raises RequestError."""
    system, architecture = image.label("os"), image.label("arch")
    if system is None:
        raise RequestError(f'image "{image.name}": missing os label in the image manifest')
    if system not in OPERATING_SYSTEMS:
        raise RequestError(f'image "{image.name}": bad os "{system}" {_one_of(OPERATING_SYSTEMS)}')
    if architecture is None:
        raise RequestError(f'image "{image.name}": missing arch label in the image manifest')
    if architecture not in ARCHITECTURES:
        raise RequestError(f'image "{image.name}": bad arch "{architecture}" for {system} {_one_of(ARCHITECTURES)}')


def _one_of(words: Sequence[str]) -> str:
    return f"(must be one of: [{' '.join(words)}])"


def check_ports(ports: Iterable[ExposedPort], apps: Mapping[str, App]) -> None:
    """Check that each exposed port names a port of exactly one app, or brings its own. Raises RequestError."""
    for exposed in ports:
        if exposed.pod_port is not None:
            continue
        owners = sum(port.name == exposed.name for app in apps.values() for port in app.ports)
        if owners == 0:
            raise RequestError(f'port name "{exposed.name}" could not be found in any apps')
        if owners > 1:
            raise RequestError(f'port name "{exposed.name}" defined multiple apps')


def _runtime_app(name: str, asked: AppRequest, app: App, mounts: tuple[Mount, ...]) -> RuntimeApp:
    return RuntimeApp(
        name=name,
        image=RuntimeImage(name=asked.manifest.name, id=asked.image_id, labels=asked.manifest.labels),
        app=app,
        read_only_root_fs=asked.read_only_rootfs,
        mounts=mounts,
        annotations=tuple(Annotation(name=key, value=value) for key, value in dict(asked.annotations).items()),
    )


def _override(of_app: Sequence[Mount], of_pod: Sequence[Mount]) -> list[Mount]:
    """The app's mounts, and the pod's at other paths; of two of one level at one path the later one counts."""
    by_path = {_normal(mount.path): mount for mount in (*of_pod, *of_app)}
    return list(by_path.values())


def _plan_mounts(
    name: str, points: Iterable[MountPoint], mounts: list[Mount], volumes: list[Volume], warnings: list[str]
) -> tuple[Mount, ...]:
    """Add to ``mounts`` what satisfies the mount points, and to ``volumes`` an empty one where nothing does."""
    for point in points:
        if any(_normal(mount.path) == _normal(point.path) for mount in mounts):
            continue
        taken = {volume.name for volume in volumes}
        volume = point.name
        if volume not in taken:
            volume = _unused_name(f"{name}-{point.name}", taken)
            volumes.append(Volume(name=volume, kind="empty", mode=IMPLICIT_MODE, uid=0, gid=0))
            warnings.append(_implicit_volume_warning(name, point))
        mounts.append(Mount(volume=volume, path=point.path))
    return tuple(mounts)


def _unused_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def _implicit_volume_warning(app: str, point: MountPoint) -> str:
    return f'app "{app}": no volume for mount point "{point.name}": an empty one is made, and deleted with the pod'


def _check_unique_volumes(volumes: Iterable[Volume]) -> None:
    seen: set[str] = set()
    for volume in volumes:
        if volume.name in seen:
            raise RequestError(f'duplicate volume name "{volume.name}"')
        seen.add(volume.name)


def _check_mounts(manifest: PodManifest) -> None:
    names = {volume.name for volume in manifest.volumes}
    for app in manifest.apps:
        for mount in app.mounts:
            if mount.app_volume is None and mount.volume not in names:
                raise RequestError(f'dangling mount point "{mount.path}": volume "{mount.volume}" not found')


def _normal(path: str) -> str:
    """A path inside a root file system without empty and ``.`` parts; ``..`` stays, only the kernel can follow it."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
