"""Reading JSON objects into typed values while collecting every problem, each with its path.

:class:`Reading` is one decode: its problems and the rules of the manifest's version. :class:`Members` is one object:
it matches member names, checks types, and keeps what it does not know. What the members *mean* is beside the types.

Member names match without regard to ASCII case, as the original's reader has it (IMG-081); the canonical spelling is
written back. Two spellings of one member in one object are refused like any repeated member.
"""

from __future__ import annotations

from rkt.schema.json_reader import JSONNumber
from rkt.schema.json_writer import json_text
from rkt.schema.names import find_environment_name_problem, find_identifier_problem
from rkt.schema.problems import ManifestError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown

    FindProblem: TypeAlias = Callable[[str], str | None]

#: problems after which a reading gives up: the document is hostile rather than mistaken
MAX_PROBLEMS = 1000
#: an integer that no field may exceed (an unsigned 64-bit number)
MAX_INTEGER = (1 << 64) - 1


class Rules:
    """What differs between releases of the specification once the shape has been migrated."""

    __slots__ = ("annotation_name", "check_labels", "environment_name", "identifier")

    def __init__(
        self,
        *,
        identifier: FindProblem = find_identifier_problem,
        annotation_name: FindProblem = find_identifier_problem,
        environment_name: FindProblem = find_environment_name_problem,
        check_labels: bool = True,
    ) -> None:
        self.identifier = identifier
        self.annotation_name = annotation_name
        self.environment_name = environment_name
        self.check_labels = check_labels


CURRENT_RULES = Rules()


class Reading:
    """One decode of one document: the problems found so far and the rules that hold.

    ``source`` names the document in messages. ``template``: a pod manifest that tools have yet to complete, so what
    they fill in may be missing.
    """

    __slots__ = ("problems", "rules", "source", "template")

    def __init__(self, source: str, *, rules: Rules = CURRENT_RULES, template: bool = False) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.rules = rules
        self.template = template

    def report(self, path: str, message: str) -> None:
        """Note a problem; the caller goes on with some value, which nobody will see."""
        self.problems.append(Problem(path=path, message=message))
        if len(self.problems) == MAX_PROBLEMS:
            self.finish()

    def finish(self) -> None:
        """Raise :class:`ManifestError` if there was any problem."""
        if self.problems:
            raise ManifestError(self.source, self.problems)


def member_names(*names: str) -> dict[str, str]:
    """A table for :class:`Members`: every accepted lower-case or canonical spelling -> canonical name."""
    return {name.lower(): name for name in names} | {name: name for name in names}


def describe(value: JSON) -> str:
    """What kind of JSON value this is, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, JSONNumber)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


class Members:
    """The members of one JSON object. A member that is null counts as absent (IMG-082)."""

    __slots__ = ("given", "is_object", "path", "reading", "unknown")

    def __init__(self, value: JSON, path: str, reading: Reading, known: dict[str, str]) -> None:
        self.path = path
        self.reading = reading
        self.given: dict[str, JSON] = {}
        unknown: list[tuple[str, str]] = []
        self.is_object = isinstance(value, dict)
        if isinstance(value, dict):
            for name, item in value.items():
                canonical = known.get(name) or (known.get(name.lower()) if name.isascii() else None)
                if canonical is None:
                    unknown.append((name, json_text(item)))
                elif canonical in self.given:
                    reading.report(self.at(canonical), "is given more than once, in different case")
                else:
                    self.given[canonical] = item
        else:
            reading.report(path, f"must be a JSON object, not {describe(value)}")
        #: what the type does not know, for writing back
        self.unknown: Unknown = tuple(unknown)

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def report(self, name: str, message: str) -> None:
        self.reading.report(self.at(name), message)

    def require(self, name: str, *, required: bool = True) -> JSON:
        """A member as it is; None, and a problem if it is ``required``, when it is absent."""
        value = self.given.get(name)
        if value is None and required and self.is_object:
            self.report(name, "is required")
        return value

    def string(self, name: str, find_problem: FindProblem | None = None, *, required: bool = False) -> str:
        """A string, checked by ``find_problem``; ``""`` when absent."""
        value = self.require(name, required=required)
        if isinstance(value, str):
            why = find_problem(value) if find_problem is not None else None
            if why is not None:
                self.report(name, why)
            return value
        if value is not None:
            self.report(name, f"must be a string, not {describe(value)}")
        return ""

    def boolean(self, name: str) -> bool | None:
        """A boolean; None when absent."""
        value = self.given.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.report(name, f"must be true or false, not {describe(value)}")
        return None

    def integer(self, name: str, *, low: int, high: int = MAX_INTEGER, required: bool = False) -> int | None:
        """A JSON integer in ``low..high``; None when absent or bad."""
        value = self.require(name, required=required)
        if value is None:
            return None
        why = find_integer_problem(value, low=low, high=high)
        if why is not None:
            self.report(name, why)
            return None
        return value if type(value) is int else None

    def items(self, name: str, *, required: bool = False) -> list[JSON]:
        """A list; empty when absent."""
        value = self.require(name, required=required)
        if isinstance(value, list):
            return value
        if value is not None:
            self.report(name, f"must be a list, not {describe(value)}")
        return []

    def strings(self, name: str, find_problem: FindProblem | None = None) -> tuple[str, ...]:
        """A list of strings; empty when absent."""
        found: list[str] = []
        for index, item in enumerate(self.items(name)):
            if not isinstance(item, str):
                self.report(f"{name}[{index}]", f"must be a string, not {describe(item)}")
                continue
            why = find_problem(item) if find_problem is not None else None
            if why is not None:
                self.report(f"{name}[{index}]", why)
            found.append(item)
        return tuple(found)

    def string_map(self, name: str) -> tuple[tuple[str, str], ...]:
        """An object whose values are all strings, as pairs sorted by name; empty when absent (TYPE-062, TYPE-063)."""
        value = self.given.get(name)
        return () if value is None else decode_string_map(value, self.at(name), self.reading)


def decode_string_map(value: JSON, path: str, reading: Reading) -> tuple[tuple[str, str], ...]:
    """An object whose values are all strings, as pairs sorted by name. Its names are data: case counts."""
    if not isinstance(value, dict):
        reading.report(path, f"must be a JSON object, not {describe(value)}")
        return ()
    pairs: list[tuple[str, str]] = []
    for name, item in value.items():
        if isinstance(item, str):
            pairs.append((name, item))
        else:
            reading.report(f"{path}.{name}", f"must be a string, not {describe(item)}")
    return tuple(sorted(pairs))


def find_integer_problem(value: JSON, *, low: int, high: int) -> str | None:
    """Why ``value`` is not a JSON integer in ``low..high``; None when it is. A boolean is not an integer."""
    if type(value) is int:
        if low <= value <= high:
            return None
        return f"must be in the range {low} to {high}"
    if isinstance(value, JSONNumber):
        return f"must be an integer in the range {low} to {high}"
    return f"must be an integer, not {describe(value)}"


def find_argument_problem(text: str) -> str | None:
    """Why ``text`` cannot be handed to a program or the kernel; None when it can."""
    return "must not contain a NUL character" if "\0" in text else None


def find_path_problem(text: str) -> str | None:
    """Why ``text`` cannot name a file; None when it can."""
    return "must not be empty" if not text else find_argument_problem(text)


def find_absolute_path_problem(text: str) -> str | None:
    """Why ``text`` is not an absolute path; None when it is."""
    return find_path_problem(text) or (None if text.startswith("/") else "must be an absolute path")
