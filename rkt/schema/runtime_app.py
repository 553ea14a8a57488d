"""One entry of a pod's ``apps``: which image, what replaces its ``app``, which volumes go where (POD-004..018)."""

from __future__ import annotations

from rkt.schema.annotation import Annotation, decode_annotations
from rkt.schema.app import App, decode_app, values_text
from rkt.schema.dependency import find_partial_id_problem
from rkt.schema.json_writer import list_text, object_text, string_text
from rkt.schema.label import Label, decode_labels
from rkt.schema.names import find_name_problem
from rkt.schema.reading import Members, find_path_problem, member_names
from rkt.schema.value import Value
from rkt.schema.volume import Volume, decode_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

_RUNTIME_APP = member_names("name", "image", "app", "readOnlyRootFS", "mounts", "annotations")
_RUNTIME_IMAGE = member_names("name", "id", "labels")
_MOUNT = member_names("volume", "path", "appVolume")


class RuntimeImage(Value):
    """The image of an app; ``id`` is empty only in a template, ``name`` None when not given."""

    __slots__ = ("id", "labels", "name", "unknown")
    _fields = ("name", "id", "labels", "unknown")
    name: str | None
    id: str
    labels: tuple[Label, ...]
    unknown: Unknown

    def __init__(
        self, *, id: str = "", name: str | None = None, labels: Sequence[Label] = (), unknown: Unknown = ()
    ) -> None:
        self._freeze(name, id, tuple(labels), unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("name", None if self.name is None else string_text(self.name)),
            ("id", string_text(self.id) if self.id else None),
            ("labels", values_text(self.labels)),
        )
        return object_text(members, self.unknown)


class Mount(Value):
    """Volume ``volume`` (or ``app_volume`` itself) goes to ``path`` in the app's root filesystem."""

    __slots__ = ("app_volume", "path", "unknown", "volume")
    _fields = ("volume", "path", "app_volume", "unknown")
    volume: str
    path: str
    app_volume: Volume | None
    unknown: Unknown

    def __init__(self, *, volume: str, path: str, app_volume: Volume | None = None, unknown: Unknown = ()) -> None:
        self._freeze(volume, path, app_volume, unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("volume", string_text(self.volume)),
            ("path", string_text(self.path)),
            ("appVolume", None if self.app_volume is None else self.app_volume.json_text()),
        )
        return object_text(members, self.unknown)


class RuntimeApp(Value):
    """An app of a pod. ``app``, when given, replaces the whole ``app`` of the image (no merge, POD-011)."""

    __slots__ = ("annotations", "app", "image", "mounts", "name", "read_only_root_fs", "unknown")
    _fields = ("name", "image", "app", "read_only_root_fs", "mounts", "annotations", "unknown")
    name: str
    image: RuntimeImage
    app: App | None
    read_only_root_fs: bool
    mounts: tuple[Mount, ...]
    annotations: tuple[Annotation, ...]
    unknown: Unknown

    def __init__(
        self,
        *,
        name: str,
        image: RuntimeImage,
        app: App | None = None,
        read_only_root_fs: bool = False,
        mounts: Sequence[Mount] = (),
        annotations: Sequence[Annotation] = (),
        unknown: Unknown = (),
    ) -> None:
        self._freeze(name, image, app, read_only_root_fs, tuple(mounts), tuple(annotations), unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        mounts = self.mounts
        members = (
            ("name", string_text(self.name)),
            ("image", self.image.json_text()),
            ("app", None if self.app is None else self.app.json_text()),
            ("readOnlyRootFS", "true" if self.read_only_root_fs else None),
            ("mounts", list_text(mount.json_text() for mount in mounts) if mounts else None),
            ("annotations", values_text(self.annotations)),
        )
        return object_text(members, self.unknown)


def decode_runtime_app(value: JSON, path: str, reading: Reading) -> RuntimeApp:
    """The entry of ``apps`` at ``path``."""
    members = Members(value, path, reading, _RUNTIME_APP)
    app = members.given.get("app")
    return RuntimeApp(
        name=members.string("name", find_name_problem, required=True),
        image=_decode_image(members),
        app=None if app is None else decode_app(app, members.at("app"), reading),
        read_only_root_fs=members.boolean("readOnlyRootFS") or False,
        mounts=tuple(
            _decode_mount(item, members.at(f"mounts[{index}]"), reading)
            for index, item in enumerate(members.items("mounts"))
        ),
        annotations=decode_annotations(members.items("annotations"), members.at("annotations"), reading),
        unknown=members.unknown,
    )


def _decode_image(owner: Members) -> RuntimeImage:
    reading, value = owner.reading, owner.require("image")
    if value is None:
        return RuntimeImage()
    members = Members(value, owner.at("image"), reading, _RUNTIME_IMAGE)
    has_name = members.given.get("name") is not None
    return RuntimeImage(
        name=members.string("name", reading.rules.identifier) if has_name else None,
        id=members.string("id", find_partial_id_problem, required=not reading.template),
        labels=decode_labels(members.items("labels"), members.at("labels"), reading),
        unknown=members.unknown,
    )


def _decode_mount(value: JSON, path: str, reading: Reading) -> Mount:
    members = Members(value, path, reading, _MOUNT)
    volume = members.given.get("appVolume")
    return Mount(
        volume=members.string("volume", find_name_problem, required=True),
        path=members.string("path", find_path_problem, required=True),
        app_volume=None if volume is None else decode_volume(volume, members.at("appVolume"), reading),
        unknown=members.unknown,
    )
