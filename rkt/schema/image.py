"""The image manifest (appc aci.md, IMG-001..082): bytes <-> :class:`ImageManifest`.

Everything is checked that can be without the image's files. On the path of every ``rkt run``: keep imports few.
"""

from __future__ import annotations

from rkt.schema.annotation import Annotation, decode_annotations
from rkt.schema.app import App, decode_app, values_text
from rkt.schema.dependency import Dependency, decode_dependency
from rkt.schema.header import CURRENT_VERSION, MIGRATED_FROM, read_header
from rkt.schema.json_reader import decode_json
from rkt.schema.json_writer import document_bytes, list_text, object_text, string_text, strings_text
from rkt.schema.label import Label, decode_labels
from rkt.schema.named_value import find_value
from rkt.schema.names import IMAGE_KIND
from rkt.schema.reading import Members, Reading, find_absolute_path_problem, member_names
from rkt.schema.value import Value
from rkt.schema.version import find_version_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.header import Header
    from rkt.schema.json_writer import Unknown

_MEMBERS = member_names(
    *("acKind", "acVersion", "name", "labels", "app", "annotations", "dependencies", "pathWhitelist", MIGRATED_FROM)
)


class ImageManifest(Value):
    """An image: its identity (``name``, ``labels``), how to run it (``app``) and what it is made of."""

    __slots__ = (
        *("ac_version", "annotations", "app", "dependencies", "labels", "name"),
        *("original_version", "path_whitelist", "unknown"),
    )
    _fields = (
        *("name", "labels", "app", "annotations", "dependencies", "path_whitelist"),
        *("ac_version", "original_version", "unknown"),
    )
    name: str
    labels: tuple[Label, ...]
    app: App | None
    annotations: tuple[Annotation, ...]
    dependencies: tuple[Dependency, ...]
    #: absolute paths that a rendered tree keeps; empty = all
    path_whitelist: tuple[str, ...]
    #: the version of this form
    ac_version: str
    #: the version in the bytes, before migration
    original_version: str
    unknown: Unknown

    def __init__(
        self,
        *,
        name: str,
        labels: Sequence[Label] = (),
        app: App | None = None,
        annotations: Sequence[Annotation] = (),
        dependencies: Sequence[Dependency] = (),
        path_whitelist: Sequence[str] = (),
        ac_version: str = CURRENT_VERSION,
        original_version: str | None = None,
        unknown: Unknown = (),
    ) -> None:
        self._freeze(
            *(name, tuple(labels), app, tuple(annotations), tuple(dependencies), tuple(path_whitelist)),
            *(ac_version, original_version or ac_version, unknown),
        )

    def label(self, name: str) -> str | None:
        """The value of a label, or None."""
        return find_value(self.labels, name)

    def annotation(self, name: str) -> str | None:
        """The value of an annotation, or None."""
        return find_value(self.annotations, name)


def decode_image_manifest(data: bytes, *, source: str = "image manifest", lenient: bool = False) -> ImageManifest:
    """The manifest in ``data``, of any release of appc from 0.1.1 on, in today's form.

    Raises :class:`~rkt.schema.problems.ManifestError` with every problem and its path. The paths of a manifest that
    was migrated are those of today's form. ``source`` names the document in messages. ``lenient`` also accepts names
    that only older releases or the original's library let pass (``a--b``).
    """
    reading = Reading(source)
    header = read_header(decode_json(data, source=source), reading, kind=IMAGE_KIND, lenient=lenient)
    _check_series(header, reading)
    manifest = _decode(header, reading)
    reading.finish()
    return manifest


def _check_series(header: Header, reading: Reading) -> None:
    """An image of a later major series may mean anything; one of this series is compatible (TYPE-020, TYPE-023)."""
    if not header.ac_version.startswith("0."):
        reading.report("acVersion", f"is of another major series than {CURRENT_VERSION}, which rkt implements")


def _decode(header: Header, reading: Reading) -> ImageManifest:
    members = Members(header.document, "", reading, _MEMBERS)
    app = members.given.get("app")
    members.string(MIGRATED_FROM, find_version_problem)
    return ImageManifest(
        name=members.string("name", reading.rules.identifier, required=True),
        labels=decode_labels(members.items("labels"), "labels", reading),
        app=None if app is None else decode_app(app, "app", reading),
        annotations=decode_annotations(members.items("annotations"), "annotations", reading),
        dependencies=tuple(
            decode_dependency(item, f"dependencies[{index}]", reading)
            for index, item in enumerate(members.items("dependencies"))
        ),
        path_whitelist=members.strings("pathWhitelist", find_absolute_path_problem),
        ac_version=header.ac_version,
        original_version=header.original_version,
        unknown=members.unknown,
    )


def encode_image_manifest(manifest: ImageManifest) -> bytes:
    """The canonical bytes: compact, members in the order of appc 4.2, unknown members last.

    ``decode_image_manifest`` gives an equal value back; for that a migrated manifest also says from which release
    it comes (member ``migratedFrom``).
    """
    dependencies = manifest.dependencies
    migrated = manifest.original_version != manifest.ac_version
    members = (
        ("acKind", string_text(IMAGE_KIND)),
        ("acVersion", string_text(manifest.ac_version)),
        ("name", string_text(manifest.name)),
        ("labels", values_text(manifest.labels)),
        ("app", None if manifest.app is None else manifest.app.json_text()),
        ("annotations", values_text(manifest.annotations)),
        ("dependencies", list_text(d.json_text() for d in dependencies) if dependencies else None),
        ("pathWhitelist", strings_text(manifest.path_whitelist) if manifest.path_whitelist else None),
        (MIGRATED_FROM, string_text(manifest.original_version) if migrated else None),
    )
    return document_bytes(object_text(members, manifest.unknown), source="image manifest")
