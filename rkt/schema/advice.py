"""What a valid manifest should better not have: warnings, for ``rkt image validate`` and its like.

Everything here is allowed by the specification or by the contradictions that we read leniently; whatever is forbidden
is an error of the decoder. Not on the path of ``rkt run``.
"""

from __future__ import annotations

from rkt.schema import isolator as names
from rkt.schema.annotation import SUPPORTS_SYSTEMD_NOTIFY
from rkt.schema.header import CURRENT_VERSION
from rkt.schema.image import ImageManifest
from rkt.schema.image_id import find_image_id_problem
from rkt.schema.isolator_value import Cpu, Memory, Seccomp, decode_isolator_value
from rkt.schema.problems import Problem, quoted
from rkt.schema.version import RELEASES, parse_ac_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rkt.schema.annotation import Annotation
    from rkt.schema.app import App
    from rkt.schema.isolator import Isolator
    from rkt.schema.pod import PodManifest

#: annotations that the specification itself defines
_DEFINED = frozenset(("created", "authors", "homepage", "documentation", SUPPORTS_SYSTEMD_NOTIFY))
#: protocols of layer 4 that a port is expected to name
_PROTOCOLS = frozenset(("tcp", "udp", "sctp", "udplite", "dccp"))
#: isolators whose scope is one app
_APP_ONLY = frozenset(
    (
        *(names.CAPABILITIES_REMOVE, names.CAPABILITIES_RETAIN, names.NO_NEW_PRIVILEGES),
        *(names.OOM_SCORE_ADJ, names.CPU_SHARES, names.SECCOMP_REMOVE, names.SECCOMP_RETAIN),
    )
)


def find_warnings(manifest: ImageManifest | PodManifest, *, template: bool = False) -> tuple[Problem, ...]:
    """Everything that deserves a second look, in document order. ``template``: image IDs may be incomplete."""
    if isinstance(manifest, ImageManifest):
        return tuple(_image_warnings(manifest))
    return tuple(_pod_warnings(manifest, template=template))


def _image_warnings(manifest: ImageManifest) -> Iterator[Problem]:
    yield from _version_warnings(manifest)
    if "." not in manifest.name.partition("/")[0]:
        yield Problem(path="name", message="does not start with a domain, so discovery cannot find the image")
    if manifest.app is not None:
        yield from _app_warnings(manifest.app, "app")
    yield from _annotation_warnings(manifest.annotations, "annotations")
    for index, dependency in enumerate(manifest.dependencies):
        if dependency.image_id is not None:
            yield from _image_id_warnings(dependency.image_id, f"dependencies[{index}].imageID")


def _pod_warnings(manifest: PodManifest, *, template: bool) -> Iterator[Problem]:
    yield from _version_warnings(manifest)
    for index, entry in enumerate(manifest.apps):
        if entry.image.id and not template:
            yield from _image_id_warnings(entry.image.id, f"apps[{index}].image.id")
        if entry.app is not None:
            yield from _app_warnings(entry.app, f"apps[{index}].app")
    yield from _isolator_warnings(manifest.isolators, "isolators")
    for index, isolator in enumerate(manifest.isolators):
        if isolator.name in _APP_ONLY:
            yield Problem(path=f"isolators[{index}]", message=f"{isolator.name} has no effect on a whole pod")


def _version_warnings(manifest: ImageManifest | PodManifest) -> Iterator[Problem]:
    original = manifest.original_version
    if parse_ac_version(original).release[0] > parse_ac_version(CURRENT_VERSION).release[0]:
        yield Problem(path="acVersion", message=f"is of a later major series than {CURRENT_VERSION}")
    elif original not in RELEASES:
        yield Problem(path="acVersion", message=f"{quoted(original)} is not a release of appc known to rkt")


def _image_id_warnings(image_id: str, path: str) -> Iterator[Problem]:
    why = find_image_id_problem(image_id)
    if why is not None:
        yield Problem(path=path, message=f"{why}; it identifies no image")


def _annotation_warnings(annotations: Sequence[Annotation], path: str) -> Iterator[Problem]:
    for index, annotation in enumerate(annotations):
        if annotation.name == SUPPORTS_SYSTEMD_NOTIFY and annotation.value not in ("true", "false"):
            yield Problem(path=f"{path}[{index}].value", message='is neither "true" nor "false" and counts as "false"')
        elif annotation.name not in _DEFINED and "/" not in annotation.name and "." not in annotation.name:
            yield Problem(path=f"{path}[{index}].name", message="is private and should have a prefix of its owner")


def _app_warnings(app: App, path: str) -> Iterator[Problem]:
    yield from _repeated([each.name for each in app.mount_points], f"{path}.mountPoints")
    for index, mount_point in enumerate(app.mount_points):
        if not mount_point.path.startswith("/"):
            yield Problem(path=f"{path}.mountPoints[{index}].path", message="is relative; it counts from the root")
    yield from _repeated([each.name for each in app.ports], f"{path}.ports")
    for index, port in enumerate(app.ports):
        if port.protocol not in _PROTOCOLS:
            yield Problem(path=f"{path}.ports[{index}].protocol", message="is not a transport protocol such as tcp")
    yield from _isolator_warnings(app.isolators, f"{path}.isolators")
    for index, isolator in enumerate(app.isolators):
        if isolator.name == names.SYSCTL:
            yield Problem(path=f"{path}.isolators[{index}]", message=f"{names.SYSCTL} is for whole pods")


def _repeated(found: Sequence[str], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(found):
        if name in seen:
            yield Problem(path=f"{path}[{index}].name", message=f"{quoted(name)} is given more than once")
        seen.add(name)


def _isolator_warnings(isolators: Sequence[Isolator], path: str) -> Iterator[Problem]:
    last = {isolator.name: index for index, isolator in enumerate(isolators)}
    for index, isolator in enumerate(isolators):
        if isolator.name not in names.KNOWN:
            yield Problem(path=f"{path}[{index}].name", message=f"{quoted(isolator.name)} is not known and ignored")
        elif last[isolator.name] > index:
            yield Problem(path=f"{path}[{index}]", message=f"a later {isolator.name} replaces it")
        yield from _value_warnings(isolator, f"{path}[{index}].value")


def _value_warnings(isolator: Isolator, path: str) -> Iterator[Problem]:
    value = decode_isolator_value(isolator)
    if isinstance(value, Memory):
        request, limit = value.request_bytes, value.limit_bytes
    elif isinstance(value, Cpu):
        request, limit = value.request_millicores, value.limit_millicores
    else:
        request = limit = None
    if request is not None and limit is not None and request > limit:
        yield Problem(path=path, message="asks for more than its own limit")
    if isinstance(value, Seccomp) and value.errno:
        import errno

        if not isinstance(getattr(errno, value.errno, None), int):
            yield Problem(path=f"{path}.errno", message=f"{quoted(value.errno)} is not an error of this system")
