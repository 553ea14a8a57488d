"""The pod manifest (appc pods.md, POD-001..057): bytes <-> :class:`PodManifest`.

Whether a pod can be executed (every volume, image and port found) is a question for :mod:`rkt.schema.reification`.
"""

from __future__ import annotations

from rkt.schema.annotation import Annotation, decode_annotations
from rkt.schema.app import pairs_text, values_text
from rkt.schema.exposed_port import ExposedPort, decode_exposed_port
from rkt.schema.header import CURRENT_VERSION, MIGRATED_FROM, read_header
from rkt.schema.isolator import Isolator, decode_pod_isolators
from rkt.schema.json_reader import decode_json
from rkt.schema.json_writer import document_bytes, list_text, object_text, string_text
from rkt.schema.named_value import find_value, report_repeated
from rkt.schema.names import POD_KIND
from rkt.schema.problems import quoted
from rkt.schema.reading import Members, Reading, member_names
from rkt.schema.runtime_app import Mount, RuntimeApp, RuntimeImage, decode_runtime_app
from rkt.schema.value import Value
from rkt.schema.version import find_version_problem
from rkt.schema.volume import Volume, decode_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.app import Pairs
    from rkt.schema.header import Header
    from rkt.schema.json_writer import Unknown

__all__ = [
    "ExposedPort",
    "Mount",
    "PodManifest",
    "RuntimeApp",
    "RuntimeImage",
    "decode_pod_manifest",
    "encode_pod_manifest",
]

_MEMBERS = member_names(
    *("acVersion", "acKind", "apps", "volumes", "isolators", "annotations", "ports"),
    *("userAnnotations", "userLabels", MIGRATED_FROM),
)


class PodManifest(Value):
    """A pod: apps that run together, what they share, and what holds for all of them."""

    _fields = (
        *("apps", "volumes", "isolators", "annotations", "ports", "user_annotations", "user_labels"),
        *("ac_version", "original_version", "unknown"),
    )
    __slots__ = _fields
    apps: tuple[RuntimeApp, ...]
    volumes: tuple[Volume, ...]
    isolators: tuple[Isolator, ...]
    annotations: tuple[Annotation, ...]
    ports: tuple[ExposedPort, ...]
    user_annotations: Pairs
    user_labels: Pairs
    ac_version: str
    #: the version in the bytes, before migration
    original_version: str
    unknown: Unknown

    def __init__(
        self,
        *,
        apps: Sequence[RuntimeApp],
        volumes: Sequence[Volume] = (),
        isolators: Sequence[Isolator] = (),
        annotations: Sequence[Annotation] = (),
        ports: Sequence[ExposedPort] = (),
        user_annotations: Pairs = (),
        user_labels: Pairs = (),
        ac_version: str = CURRENT_VERSION,
        original_version: str | None = None,
        unknown: Unknown = (),
    ) -> None:
        self._freeze(
            *(tuple(apps), tuple(volumes), tuple(isolators), tuple(annotations), tuple(ports)),
            *(user_annotations, user_labels, ac_version, original_version or ac_version, unknown),
        )

    def annotation(self, name: str) -> str | None:
        """The value of an annotation, or None."""
        return find_value(self.annotations, name)

    def find_app(self, name: str) -> RuntimeApp | None:
        """The app of this name, or None."""
        return next((app for app in self.apps if app.name == name), None)

    def find_volume(self, name: str) -> Volume | None:
        """The volume of this name, or None."""
        return next((volume for volume in self.volumes if volume.name == name), None)


def decode_pod_manifest(
    data: bytes, *, source: str = "pod manifest", template: bool = False, lenient: bool = False
) -> PodManifest:
    """The manifest in ``data``, of any release of appc from 0.1.1 on, in today's form.

    Raises :class:`~rkt.schema.problems.ManifestError` with every problem and its path. ``template``: image IDs may be
    missing, tools are to fill them in. ``lenient`` also accepts image names that only older releases or the
    original's library let pass. Any version is read, because the original wrote its own one (``1.30.0``).
    """
    reading = Reading(source, template=template)
    header = read_header(decode_json(data, source=source), reading, kind=POD_KIND, lenient=lenient)
    manifest = _decode(header, reading)
    reading.finish()
    return manifest


def _decode(header: Header, reading: Reading) -> PodManifest:
    members = Members(header.document, "", reading, _MEMBERS)
    members.string(MIGRATED_FROM, find_version_problem)
    manifest = PodManifest(
        apps=tuple(
            decode_runtime_app(item, f"apps[{index}]", reading)
            for index, item in enumerate(members.items("apps", required=True))
        ),
        volumes=tuple(
            decode_volume(item, f"volumes[{index}]", reading) for index, item in enumerate(members.items("volumes"))
        ),
        isolators=decode_pod_isolators(members.items("isolators"), "isolators", reading),
        annotations=decode_annotations(members.items("annotations"), "annotations", reading),
        ports=tuple(
            decode_exposed_port(item, f"ports[{index}]", reading) for index, item in enumerate(members.items("ports"))
        ),
        user_annotations=members.string_map("userAnnotations"),
        user_labels=members.string_map("userLabels"),
        ac_version=header.ac_version,
        original_version=header.original_version,
        unknown=members.unknown,
    )
    report_repeated([app.name for app in manifest.apps], "apps", reading)
    report_repeated([volume.name for volume in manifest.volumes], "volumes", reading)
    _check_ports(manifest, reading)
    return manifest


def _check_ports(manifest: PodManifest, reading: Reading) -> None:
    """A port is published by its name, so only one app may have a port of that name (POD-037).

    Names that nothing looks up may repeat: two apps of one image have the same ports.
    """
    owners: dict[str, list[str]] = {}
    for app in manifest.apps:
        for port in app.app.ports if app.app is not None else ():
            owners.setdefault(port.name, []).append(app.name)
    for index, exposed in enumerate(manifest.ports):
        found = owners.get(exposed.name, [])
        if exposed.pod_port is None and len(found) > 1:
            reading.report(f"ports[{index}].name", f"{quoted(exposed.name)} is a port of {' and of '.join(found)}")


def encode_pod_manifest(manifest: PodManifest) -> bytes:
    """The canonical bytes: compact, members in the order of appc 4.2, unknown members last.

    ``volumes``, ``isolators``, ``annotations`` and ``ports`` are null when empty, as the original writes them.
    """
    migrated = manifest.original_version != manifest.ac_version
    members = (
        ("acVersion", string_text(manifest.ac_version)),
        ("acKind", string_text(POD_KIND)),
        ("apps", list_text(app.json_text() for app in manifest.apps)),
        ("volumes", list_text(volume.json_text() for volume in manifest.volumes) if manifest.volumes else "null"),
        ("isolators", values_text(manifest.isolators) or "null"),
        ("annotations", values_text(manifest.annotations) or "null"),
        ("ports", list_text(port.json_text() for port in manifest.ports) if manifest.ports else "null"),
        ("userAnnotations", pairs_text(manifest.user_annotations)),
        ("userLabels", pairs_text(manifest.user_labels)),
        (MIGRATED_FROM, string_text(manifest.original_version) if migrated else None),
    )
    return document_bytes(object_text(members, manifest.unknown), source="pod manifest")
