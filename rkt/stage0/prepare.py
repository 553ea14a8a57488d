"""Prepare a pod: a directory in which everything lies that running it needs, without the store.

Builds the directory in ``embryo`` and moves it to ``prepare``; the caller moves it on. Which apps there are and what
they run is decided before (:mod:`rkt.stage0.manifest`); nothing is fetched here and nothing is started.
"""

from __future__ import annotations

import os

from rkt import stage_contract
from rkt.errors import RktError, reason
from rkt.linux import durable
from rkt.linux.mounts import open_source
from rkt.linux.overlay import find_obstacle
from rkt.linux.syscalls import syncfs
from rkt.pod.directory import create_pod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rkt.paths import DataDirectory
    from rkt.pod.directory import Pod
    from rkt.schema.pod import PodManifest
    from rkt.schema.volume import Volume
    from rkt.store.image_store import ImageStore
    from rkt.store.tree_store import TreeStore

#: directories of the built-in stage1's root file system; its init makes the others when the pod runs
_SKELETON = ("opt", "opt/stage2", "rkt", "rkt/status")


class PrepareError(RktError):
    """A pod cannot be prepared."""

    code = "prepare"


def find_overlay_obstacle(data: DataDirectory) -> str | None:
    """Why pods below ``data`` cannot use overlayfs; None if they can."""
    return find_obstacle(data.root)


def prepare_pod(
    data: DataDirectory,
    store: ImageStore,
    trees: TreeStore,
    manifest: PodManifest,
    manifest_bytes: bytes,
    images: Mapping[str, str],
    *,
    overlay: bool,
    uuid_file: str | None = None,
    settle: bool = True,
    stage1_key: str | None = None,
) -> Pod:
    """A new pod, locked by the caller, in phase ``prepare``. ``images`` maps app names to keys of stored images.

    With ``settle`` everything is on disk when this returns; otherwise the caller calls :func:`settle_pod` before it
    acknowledges anything. ``stage1_key`` is a foreign stage1 image, None the built-in flavour; a foreign one gets its
    apps rendered rather than overlaid, since mounting an overlay is a matter of the flavour. Raises RktError; then
    there is no pod, or at worst an abandoned one, which gc collects.
    """
    _check_host_volumes(manifest)
    pod = create_pod(data)
    try:
        pod.move_to("prepare", sync=False)
        if uuid_file is not None:
            pod.sync_phases()
            _write_uuid_file(uuid_file, pod.uuid)
        overlay = overlay and stage1_key is None
        _make_stage1(pod, store, trees, stage1_key)
        for app in manifest.apps:
            _prepare_app(pod, store, trees, app.name, images[app.name], overlay=overlay)
        _make_volumes(pod, manifest)
        _write_pod_files(pod, manifest, manifest_bytes, overlay=overlay)
        if settle:
            settle_pod(pod)
    except OSError as error:
        _discard(pod)
        raise PrepareError(f'cannot prepare pod "{pod.uuid}": {reason(error)}') from error
    except BaseException:
        _discard(pod)
        raise
    return pod


def _check_host_volumes(manifest: PodManifest) -> None:
    """A source that cannot be mounted is told before there is a pod; it is opened again when it is mounted."""
    for volume in _all_volumes(manifest):
        if volume.kind == "host" and volume.source:
            os.close(open_source(volume.source.rstrip("/") or "/", what=f'volume "{volume.name}"', host=True))


def _all_volumes(manifest: PodManifest) -> list[Volume]:
    """The pod's volumes and those that single mounts bring along."""
    own = [mount.app_volume for app in manifest.apps for mount in app.mounts if mount.app_volume is not None]
    return [*manifest.volumes, *own]


def _discard(pod: Pod) -> None:
    """Remove a pod that could not be prepared and close it; what cannot be removed is left to gc."""
    from rkt.pod.removal import remove_tree

    try:
        if pod.phase == "prepare":
            pod.move_to("garbage", sync=False)
        parent_fd = os.open(os.path.dirname(pod.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            remove_tree(parent_fd, pod.uuid)
        finally:
            os.close(parent_fd)
    except (OSError, RktError):
        pass
    finally:
        pod.close()


def settle_pod(pod: Pod) -> None:
    """Make durable what :func:`prepare_pod` wrote and where the pod lies now. Raises OSError, RktError.

    The apps may run by now. What they can write to is neither opened nor walked through: a device node that an app
    has made there would be opened by root on the host.
    """
    if os.path.exists(f"{pod.path}/{stage_contract.OVERLAY_PREPARED}"):
        _sync_files(pod.path)
    else:
        # root file systems were rendered into the pod: too many files to name each, and any kind of node among them
        syncfs(pod.lock_fd)
    pod.sync_phases()


def _sync_files(pod_path: str) -> None:
    for directory, below, files in os.walk(pod_path):
        _fsync(directory)
        if _belongs_to_apps(directory[len(pod_path) + 1 :]):
            below.clear()
            continue
        for name in files:
            _fsync(f"{directory}/{name}")


def _belongs_to_apps(path: str) -> bool:
    """Whether a directory of the pod is one that an app writes in: upper or work of an overlay, root, or volume."""
    parts = path.split("/")
    if path.startswith(f"{stage_contract.STAGE1_ROOTFS}/{stage_contract.STAGE2}/"):
        return parts[-1] == "rootfs"
    return len(parts) == {"overlay": 4, stage_contract.SHARED_VOLUMES: 2}.get(parts[0])


def _fsync(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        # a symlink: its directory is synced
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_uuid_file(path: str, uuid: str) -> None:
    try:
        durable.write_file(path, f"{uuid}\n".encode())
    except OSError as error:
        raise PrepareError(f'cannot save the pod UUID to "{path}": {reason(error)}') from error


def _make_stage1(pod: Pod, store: ImageStore, trees: TreeStore, stage1_key: str | None) -> None:
    """The stage1 root file system: the built-in flavour's skeleton, or a foreign image rendered."""
    root = f"{pod.path}/{stage_contract.STAGE1_ROOTFS}"
    os.mkdir(f"{pod.path}/stage1", 0o755)
    os.mkdir(root, 0o755)
    os.mkdir(f"{pod.path}/appsinfo", 0o750)
    if stage1_key is not None:
        trees.render_into(stage1_key, root)
        pod.write_file(stage_contract.STAGE1_MANIFEST, store.load_manifest(stage1_key), sync=False)
        for name in ("opt", "opt/stage2", "rkt", "rkt/status"):
            os.makedirs(f"{root}/{name}", exist_ok=True)
        return
    from rkt.stage1.flavors import builtin_manifest, entrypoint_script

    for name in _SKELETON:
        os.mkdir(f"{root}/{name}", 0o755)
    flavor = stage_contract.DEFAULT_FLAVOR
    os.symlink(flavor, f"{pod.path}/{stage_contract.FLAVOR}")
    pod.write_file(stage_contract.STAGE1_MANIFEST, builtin_manifest(flavor), sync=False)
    pod.write_file(f"{stage_contract.STAGE1_ROOTFS}/init", entrypoint_script(flavor), mode=0o755, sync=False)


def _prepare_app(pod: Pod, store: ImageStore, trees: TreeStore, app: str, key: str, *, overlay: bool) -> None:
    """The app's manifest and its root file system: directories for an overlay, or a rendered copy."""
    info = stage_contract.app_info(app)
    rootfs = f"{pod.path}/{stage_contract.app_rootfs(app)}"
    os.mkdir(f"{pod.path}/{info}", 0o750)
    os.makedirs(rootfs, 0o755)
    manifest = store.load_manifest(key)
    pod.write_file(f"{info}/manifest", manifest, sync=False)
    stage2 = f"{stage_contract.STAGE1_ROOTFS}/{stage_contract.STAGE2}"
    pod.write_file(f"{stage2}/{app}/manifest", manifest, mode=0o644, sync=False)
    # the founding layout calls an app by its image's ID
    image_id = store.get_record(key).image_id
    try:
        os.symlink(app, f"{pod.path}/{stage2}/{image_id}")
    except FileExistsError:
        # two apps of one image: the first has the name
        pass
    store.touch(key)
    if not overlay:
        trees.render_into(key, rootfs)
        return
    with trees.ensure_tree(key) as tree:
        pod.write_file(f"{info}/treeStoreID", tree.id.encode(), sync=False)
        for directory in stage_contract.overlay_directories(tree.id, app):
            os.makedirs(f"{pod.path}/{directory}", 0o755)
        _copy_root_attributes(tree.rootfs, f"{pod.path}/{stage_contract.overlay_directories(tree.id, app)[0]}")


def _copy_root_attributes(source: str, target: str) -> None:
    """An overlay's root directory is its upper directory: owner and mode must be the image's."""
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)


def _make_volumes(pod: Pod, manifest: PodManifest) -> None:
    """The directories behind ``empty`` volumes, which live and die with the pod (ACE-028, ACE-029)."""
    volumes = [volume for volume in _all_volumes(manifest) if volume.kind == "empty"]
    if not volumes:
        return
    parent = f"{pod.path}/{stage_contract.SHARED_VOLUMES}"
    os.mkdir(parent, 0o700)
    for volume in volumes:
        path = f"{parent}/{volume.name}"
        os.mkdir(path, 0o700)
        os.chown(path, volume.uid or 0, volume.gid or 0)
        os.chmod(path, 0o755 if volume.mode is None else volume.mode)


def _write_pod_files(pod: Pod, manifest: PodManifest, manifest_bytes: bytes, *, overlay: bool) -> None:
    """The manifest, the flags, and the names that rkt 0.2 had for them."""
    pod.write_file(stage_contract.POD_MANIFEST, manifest_bytes, sync=False)
    pod.write_file(stage_contract.POD_CREATED, b"", sync=False)
    if overlay:
        pod.write_file(stage_contract.OVERLAY_PREPARED, b"", sync=False)
    os.symlink(stage_contract.POD_MANIFEST, f"{pod.path}/{stage_contract.CONTAINER}")
    for name in ("init", "opt"):
        os.symlink(f"rootfs/{name}", f"{pod.path}/stage1/{name}")
