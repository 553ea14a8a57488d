"""JSON value -> canonical text: compact, members in the order given, the escapes of Go's encoder (appc 4.2).

``<``, ``>``, ``&``, U+2028 and U+2029 are written as escapes, as the upstream tools do, so that a manifest that
they wrote and this package reads comes out with the same bytes. Nothing is sorted or rounded here.
"""

from __future__ import annotations

from rkt.schema.json_reader import JSONNumber
from rkt.schema.problems import ManifestError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from rkt.schema.json_reader import JSON

    #: members that a type does not know, kept for writing back: (name, value as JSON text)
    Unknown: TypeAlias = tuple[tuple[str, str], ...]

_ESCAPES = {number: f"\\u{number:04x}" for number in (*range(0x20), *map(ord, "<>&"), 0x2028, 0x2029)}
_ESCAPES.update({ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"})


def string_text(text: str) -> str:
    """``text`` as a JSON string."""
    return f'"{text.translate(_ESCAPES)}"'


def boolean_text(value: bool) -> str:
    """``value`` as JSON."""
    return "true" if value else "false"


def object_text(members: Iterable[tuple[str, str | None]], unknown: Unknown = ()) -> str:
    """An object of ``(name, JSON text)``; a member whose text is None is left out; ``unknown`` comes last."""
    parts = [f'"{name}":{text}' for name, text in members if text is not None]
    parts += [f"{string_text(name)}:{text}" for name, text in unknown]
    return "{" + ",".join(parts) + "}"


def document_bytes(text: str, *, source: str) -> bytes:
    """``text`` as UTF-8; :class:`ManifestError` when a value came from bytes that are no text (``\\udcff``)."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ManifestError(source, [Problem(path="", message="holds text that is not Unicode")]) from None


def list_text(items: Iterable[str]) -> str:
    """A list of JSON texts."""
    return "[" + ",".join(items) + "]"


def strings_text(items: Iterable[str]) -> str:
    """A list of strings."""
    return "[" + ",".join(map(string_text, items)) + "]"


def json_text(value: JSON) -> str:
    """Any JSON value. A float raises :class:`TypeError`: numbers keep their text (:class:`JSONNumber`) here."""
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{string_text(name)}:{json_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(json_text, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return boolean_text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, JSONNumber):
        return value.text
    raise TypeError(f"{type(value).__name__} has no place in a manifest")
