"""Annotations of images, apps and pods: unique names, some of them with a meaning (IMG-070..076).

What an annotation makes rkt do is decided where it is used.
"""

from __future__ import annotations

from rkt.schema.named_value import NamedValue, decode_named_values, report_repeated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.json_reader import JSON
    from rkt.schema.reading import Reading

#: with "true" the app tells over sd_notify when it is ready; anything else means no
SUPPORTS_SYSTEMD_NOTIFY = "appc.io/executor/supports-systemd-notify"


class Annotation(NamedValue):
    """``name`` is an AC Identifier, ``value`` any string."""

    __slots__ = ()


def decode_annotations(items: Sequence[JSON], path: str, reading: Reading) -> tuple[Annotation, ...]:
    """The list of annotations at ``path``: names unique, ``created`` a timestamp, two of them web URLs."""
    annotations = decode_named_values(items, path, reading, kind=Annotation, find_problem=reading.rules.annotation_name)
    if annotations:
        report_repeated([annotation.name for annotation in annotations], path, reading)
    for index, annotation in enumerate(annotations):
        why = _find_value_problem(annotation.name, annotation.value)
        if why is not None:
            reading.report(f"{path}[{index}].value", why)
    return annotations


def _find_value_problem(name: str, value: str) -> str | None:
    """Why ``value`` does not suit an annotation of this name; the checks are imported when one is met."""
    if name == "created":
        from rkt.schema.timestamp import find_timestamp_problem

        return find_timestamp_problem(value)
    if name in ("homepage", "documentation"):
        from rkt.schema.web_url import find_url_problem

        return find_url_problem(value)
    return None


def set_annotation(annotations: tuple[Annotation, ...], *, name: str, value: str) -> tuple[Annotation, ...]:
    """``annotations`` with ``name`` set: in its old place when it was there, else at the end."""
    if any(annotation.name == name for annotation in annotations):
        return tuple(a.replace(value=value) if a.name == name else a for a in annotations)
    return (*annotations, Annotation(name=name, value=value))
