"""What every manifest starts with: ``acKind`` and ``acVersion``, and from them the form and the rules that hold.

A manifest of an older release is brought to today's form by :mod:`rkt.schema.migration`, which is imported only then.
"""

from __future__ import annotations

from rkt.schema.problems import ManifestError, Problem, quoted
from rkt.schema.reading import Reading, describe
from rkt.schema.value import Value
from rkt.schema.version import find_version_problem, parse_ac_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON
    from rkt.schema.version import Release

#: the version of the form that is written, and the newest whose rules are known
CURRENT_VERSION = "0.8.11"
#: the member that says from which release a manifest was migrated: its names may be ones that only that release allowed
MIGRATED_FROM = "migratedFrom"
#: manifests from this release on have today's form
FIRST_CURRENT: Release = (0, 7, 1)
#: manifests from this release on obey today's rules for names
FIRST_STRICT: Release = (0, 4, 0)


class Header(Value):
    """``document`` in today's form, ``ac_version`` of that form, ``original_version`` of the bytes."""

    __slots__ = ("ac_version", "document", "original_version")
    _fields = ("document", "ac_version", "original_version")
    document: dict[str, JSON]
    ac_version: str
    original_version: str

    def __init__(self, *, document: dict[str, JSON], ac_version: str, original_version: str) -> None:
        self._freeze(document, ac_version, original_version)


def read_header(document: JSON, reading: Reading, *, kind: str, lenient: bool) -> Header:
    """The header of a manifest of ``kind``; sets ``reading.rules``. Raises :class:`ManifestError` if it is unusable."""
    if not isinstance(document, dict):
        message = f"must be a JSON object, not {describe(document)}"
        raise ManifestError(reading.source, [Problem(path="", message=message)])
    version = _read_version(document, reading)
    release = parse_ac_version(version).release
    _check_kind(document, reading, kind=kind, release=release)
    reading.finish()
    original = _read_origin(document) or version
    old = parse_ac_version(original).release
    if lenient or old < FIRST_STRICT:
        from rkt.schema.migration.rules import rules_of

        reading.rules = rules_of(old)
    if release >= FIRST_CURRENT:
        return Header(document=document, ac_version=version, original_version=original)
    from rkt.schema.migration import migrate

    return Header(
        document=migrate(document, release=release, kind=kind), ac_version=CURRENT_VERSION, original_version=version
    )


def find_member(document: dict[str, JSON], name: str) -> JSON:
    """A member whatever its case; None when absent. (Repetitions are reported when the object is decoded.)"""
    if name in document:
        return document[name]
    folded = name.lower()
    for key, value in document.items():
        if key.isascii() and key.lower() == folded:
            return value
    return None


def _read_version(document: dict[str, JSON], reading: Reading) -> str:
    """``acVersion``; the current one after reporting a problem."""
    value = find_member(document, "acVersion")
    if value is None:
        reading.report("acVersion", "is required")
    elif not isinstance(value, str):
        reading.report("acVersion", f"must be a string, not {describe(value)}")
    else:
        why = find_version_problem(value)
        if why is None:
            return value
        reading.report("acVersion", why)
    return CURRENT_VERSION


def _check_kind(document: dict[str, JSON], reading: Reading, *, kind: str, release: Release) -> None:
    value = find_member(document, "acKind")
    if value is None:
        reading.report("acKind", "is required")
    elif not isinstance(value, str):
        reading.report("acKind", f"must be a string, not {describe(value)}")
    elif value != kind and not (kind == "PodManifest" and value == "ContainerRuntimeManifest" and release < (0, 5, 0)):
        reading.report("acKind", f'must be "{kind}", not {quoted(value)}')


def _read_origin(document: dict[str, JSON]) -> str | None:
    """The release that :data:`MIGRATED_FROM` names; None when there is none or it is not a version."""
    value = document.get(MIGRATED_FROM)
    return value if isinstance(value, str) and find_version_problem(value) is None else None
