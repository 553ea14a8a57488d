"""From a read command line to a prepared pod: images, manifest, pod directory; shared by ``run`` and ``prepare``.

Composition only: each step is another package's. Nothing of a pod exists before all images are there and the
manifest is planned, so a failed fetch or a bad combination leaves nothing behind (section 1.3, sequence).
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.cli.app_images import get_images
from rkt.cli.pod_request import check_interactive
from rkt.errors import RktError, reason
from rkt.fetch.reference import HASH_PREFIX
from rkt.schema.image import decode_image_manifest
from rkt.schema.pod import decode_pod_manifest, encode_pod_manifest
from rkt.stage0.manifest import PodPlan, check_apps, check_pod_manifest, plan_pod_manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.cli.pod_request import PodCommandLine
    from rkt.cli.settings import Settings
    from rkt.pod.directory import Pod
    from rkt.schema.image import ImageManifest
    from rkt.store.image_store import ImageStore

#: a pod manifest is read into memory; a larger file is not one
_MANIFEST_LIMIT_BYTES = 16 << 20


class PodManifestFileError(RktError):
    """The file named with ``--pod-manifest`` cannot be read."""

    code = "pod-manifest-file"


def prepare_from(
    command: PodCommandLine, settings: Settings, *, settle: bool, uuid_file: str | None = None, warn: bool = True
) -> Pod:
    """A pod in the phase ``prepare``, locked by this process, as the command line describes it.

    With ``settle`` it is on disk when this returns; a pod that is launched at once is settled while it starts. Raises
    the errors of fetch, store and stage0.
    """
    from rkt.stage0.prepare import find_overlay_obstacle, prepare_pod
    from rkt.store.image_store import open_image_store
    from rkt.store.tree_store import open_tree_store

    only_hashes = all(image.reference.startswith(HASH_PREFIX) for image in command.images)
    with open_image_store(settings.data, create=not only_hashes) as store:
        plan, manifest_bytes = _plan(command, store, settings)
        check_interactive(app_count=len(plan.manifest.apps), interactive=command.interactive)
        for text in plan.warnings if warn else ():
            diagnostics.warning(text)
        obstacle = find_overlay_obstacle(settings.data) if command.overlay else None
        if obstacle is not None:
            diagnostics.line(f'disabling overlay support: "{obstacle}"')
        return prepare_pod(
            settings.data,
            store,
            open_tree_store(store),
            plan.manifest,
            manifest_bytes,
            plan.images,
            overlay=command.overlay and obstacle is None,
            uuid_file=uuid_file,
            settle=settle,
        )


def _plan(command: PodCommandLine, store: ImageStore, settings: Settings) -> tuple[PodPlan, bytes]:
    if command.pod_manifest:
        return _load_supplied(command.pod_manifest, store)
    records = get_images(command.images, store, settings, pull_policy=command.pull_policy)
    images = [(record, _load_image_manifest(store, record.key)) for record in records]
    plan = plan_pod_manifest(command.request(images))
    return plan, encode_pod_manifest(plan.manifest)


def _load_image_manifest(store: ImageStore, key: str) -> ImageManifest:
    return decode_image_manifest(store.load_manifest(key), source=f'manifest of image "{key}"')


def _load_supplied(path: str, store: ImageStore) -> tuple[PodPlan, bytes]:
    """A supplied pod manifest, checked against the images in the store, and its bytes as they are."""
    data = _read_manifest_file(path)
    manifest = decode_pod_manifest(data, source=f'pod manifest "{path}"')
    check_apps(manifest)
    keys = {app.name: store.resolve_key(app.image.id) for app in manifest.apps}
    check_pod_manifest(manifest, {name: _load_image_manifest(store, key) for name, key in keys.items()})
    return PodPlan(manifest=manifest, images=keys), data


def _read_manifest_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(_MANIFEST_LIMIT_BYTES + 1)
    except OSError as error:
        raise PodManifestFileError(f'error reading pod manifest "{path}": {reason(error)}') from error
    if len(data) > _MANIFEST_LIMIT_BYTES:
        raise PodManifestFileError(f'error reading pod manifest "{path}": it is larger than 16 MiB')
    return data
