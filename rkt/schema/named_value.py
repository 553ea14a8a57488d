"""Lists of ``{"name": ..., "value": ...}``: the shape that labels, annotations and the environment share.

Which names and values are allowed is beside each type.
"""

from __future__ import annotations

from rkt.schema.json_writer import object_text, string_text
from rkt.schema.problems import quoted
from rkt.schema.reading import Members, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import FindProblem, Reading

    T = TypeVar("T", bound="NamedValue")

_set = object.__setattr__
_MEMBERS = member_names("name", "value")


class NamedValue(Value):
    """A name and a string."""

    __slots__ = ("name", "unknown", "value")
    _fields = ("name", "value", "unknown")
    name: str
    value: str
    unknown: Unknown

    def __init__(self, *, name: str, value: str, unknown: Unknown = ()) -> None:
        # one by one: a list may hold 100,000 of these
        _set(self, "name", name)
        _set(self, "value", value)
        _set(self, "unknown", unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        return object_text((("name", string_text(self.name)), ("value", string_text(self.value))), self.unknown)


def decode_named_values(
    items: Sequence[JSON], path: str, reading: Reading, *, kind: type[T], find_problem: FindProblem
) -> tuple[T, ...]:
    """Every item of the list at ``path`` as ``kind``, its name checked by ``find_problem``."""
    found: list[T] = []
    for index, item in enumerate(items):
        if type(item) is dict and len(item) == 2:
            # the shape that all but a few have; a list may hold 100,000 of them
            name, value = item.get("name"), item.get("value")
            if type(name) is str and type(value) is str and find_problem(name) is None:
                found.append(kind(name=name, value=value))
                continue
        found.append(_decode_one(item, f"{path}[{index}]", reading, kind=kind, find_problem=find_problem))
    return tuple(found)


def _decode_one(item: JSON, path: str, reading: Reading, *, kind: type[T], find_problem: FindProblem) -> T:
    members = Members(item, path, reading, _MEMBERS)
    name = members.string("name", find_problem, required=True)
    return kind(name=name, value=members.string("value", required=True), unknown=members.unknown)


def report_repeated(names: Iterable[str], path: str, reading: Reading, *, member: str = ".name") -> None:
    """Report every name of the list at ``path`` that an earlier item already has."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            reading.report(f"{path}[{index}]{member}", f"{quoted(name)} is given more than once")
        seen.add(name)


def find_value(items: Iterable[NamedValue], name: str) -> str | None:
    """The value that goes by ``name``, or None."""
    for item in items:
        if item.name == name:
            return item.value
    return None
