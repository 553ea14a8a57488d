"""Which kind of manifest a document is, when nothing else about it may be relied on.

For tools that meet either kind, and for cleaning up what can no longer be decoded: only JSON syntax and ``acKind`` are
looked at.
"""

from __future__ import annotations

from rkt.schema.header import find_member
from rkt.schema.json_reader import decode_json
from rkt.schema.names import POD_KIND, find_kind_problem
from rkt.schema.problems import ManifestError, Problem
from rkt.schema.reading import describe


def decode_kind(data: bytes, *, source: str = "manifest") -> str:
    """``ImageManifest`` or ``PodManifest``; raises :class:`ManifestError`. A pod's kind before 0.5.0 counts as one."""
    document = decode_json(data, source=source)
    if not isinstance(document, dict):
        raise ManifestError(source, [Problem(path="", message=f"must be a JSON object, not {describe(document)}")])
    kind = find_member(document, "acKind")
    if kind == "ContainerRuntimeManifest":
        return POD_KIND
    if not isinstance(kind, str):
        why: str | None = "is required" if kind is None else f"must be a string, not {describe(kind)}"
    else:
        why = find_kind_problem(kind)
    if why is not None:
        raise ManifestError(source, [Problem(path="acKind", message=why)])
    return str(kind)
