"""The command line of ``run`` and ``prepare`` as a pod request: every flag's value read and checked.

It happens before anything is fetched or created. The images are filled in afterwards, by the caller.
"""

from __future__ import annotations

import os

from rkt.cli.app_images import read_pull_policy
from rkt.cli.app_values import (
    parse_annotation,
    parse_app_name,
    parse_exec,
    parse_gids,
    parse_owner,
    parse_read_only,
    parse_user_pair,
    parse_working_directory,
    read_overrides,
)
from rkt.cli.pod_values import (
    load_environment_files,
    parse_environment,
    parse_mount,
    parse_pairs_once,
    parse_port,
    parse_volume,
)
from rkt.errors import UsageError
from rkt.stage0.request import AppRequest, PodRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rkt.cli.app_arguments import AppArguments, ImageWords
    from rkt.cli.flags import FlagValues
    from rkt.schema.image import ImageManifest
    from rkt.store.record import ImageRecord

    #: makes the request of one app once its image is known
    AppMaker = Callable[[ImageRecord, ImageManifest], AppRequest]

#: flags that a supplied pod manifest leaves no room for (section 1.3)
_CONFLICTS = ("volume", "mount", "port", "inherit-env", "set-env", "set-env-file")


def check_pod_manifest_conflicts(flags: FlagValues, apps: AppArguments, *, pull_policy: str) -> None:
    """Refuse what cannot go with ``--pod-manifest``, and no image without it. Raises UsageError."""
    if not flags.text("pod-manifest"):
        if not apps.images:
            raise UsageError("must provide at least one image or specify the pod manifest")
        return
    if apps.images or pull_policy != "new" or any(flags.is_given(name) for name in _CONFLICTS):
        raise UsageError("conflicting flags set with --pod-manifest (see --help)")


def check_interactive(*, app_count: int, interactive: bool) -> None:
    """A terminal goes to one app. Raises UsageError."""
    if interactive and app_count > 1:
        raise UsageError("interactive option only supports one image")


class PodCommandLine:
    """All values of the flags about a pod, read and checked when it is made; :meth:`request` adds the images."""

    __slots__ = (
        *("_apps", "environment", "file_environment", "images", "inherits_environment", "interactive", "mounts"),
        *("overlay", "pod_manifest", "ports", "pull_policy", "volumes"),
    )

    def __init__(self, flags: FlagValues, apps: AppArguments) -> None:
        """Raises UsageError for what does not fit together, else for the first bad value."""
        self.images = tuple(apps.images)
        self.interactive = flags.boolean("interactive")
        check_interactive(app_count=len(self.images), interactive=self.interactive)
        self.pull_policy = read_pull_policy(flags, default="new")
        check_pod_manifest_conflicts(flags, apps, pull_policy=self.pull_policy)
        self.pod_manifest = flags.text("pod-manifest")
        self.overlay = not flags.boolean("no-overlay")
        self.inherits_environment = flags.boolean("inherit-env")
        self.volumes = tuple(parse_volume(text) for text in flags.texts("volume"))
        self.mounts = tuple(parse_mount(text) for text in flags.texts("mount"))
        self.ports = tuple(parse_port(text) for text in flags.texts("port"))
        self.environment = parse_pairs_once(flags.texts("set-env"), flag="set-env")
        self.file_environment = load_environment_files(flags.texts("set-env-file"))
        self._apps = [_read_app(image) for image in apps.images]

    def request(self, images: Sequence[tuple[ImageRecord, ImageManifest]]) -> PodRequest:
        """The pod request for the images, in the order of the command line."""
        inherited = tuple(os.environ.items()) if self.inherits_environment else ()
        return PodRequest(
            apps=tuple(make(record, manifest) for make, (record, manifest) in zip(self._apps, images, strict=True)),
            volumes=self.volumes,
            mounts=self.mounts,
            ports=self.ports,
            environment=self.environment,
            file_environment=self.file_environment,
            inherited_environment=inherited,
            caller=(os.getuid(), os.getgid()),
        )


def _read_app(image: ImageWords) -> AppMaker:
    flags = image.flags
    name, program = flags.find_text("name"), flags.find_text("exec")
    user, group = flags.find_text("user"), flags.find_text("group")
    directory, gids = flags.find_text("working-dir"), flags.find_text("supplementary-gids")
    values = {
        "name": None if name is None else parse_app_name(name),
        "exec": None if program is None else parse_exec(program),
        "user": None if user is None else parse_owner(user, flag="user"),
        "group": None if group is None else parse_owner(group, flag="group"),
        "working_directory": None if directory is None else parse_working_directory(directory),
    }
    supplementary_gids = None if gids is None else parse_gids(gids)
    read_only = parse_read_only(flags)
    mounts = tuple(parse_mount(text) for text in flags.texts("mount"))
    annotations = tuple(parse_annotation(text) for text in flags.texts("annotation"))
    user_annotations = _pairs(flags, "user-annotation")
    user_labels = _pairs(flags, "user-label")
    environment = tuple(parse_environment(text, flag="environment") for text in flags.texts("environment"))
    isolators = read_overrides(flags)

    def make(record: ImageRecord, manifest: ImageManifest) -> AppRequest:
        return AppRequest(
            key=record.key,
            image_id=record.image_id,
            manifest=manifest,
            arguments=image.arguments or (),
            read_only_rootfs=read_only,
            mounts=mounts,
            supplementary_gids=supplementary_gids,
            annotations=annotations,
            user_annotations=user_annotations,
            user_labels=user_labels,
            environment=environment,
            isolators=isolators,
            **values,
        )

    return make


def _pairs(flags: FlagValues, name: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_user_pair(text, flag=name) for text in flags.texts(name))
