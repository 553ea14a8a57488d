"""Bytes of a manifest -> JSON value, at the trust border: everything that RFC 8259 or safety forbids is refused.

Refused, with line and column where there is one: more than 4 MiB or 500,000 values, a byte order mark,
text that is not UTF-8, bytes after the document, NaN and Infinity, nesting deeper than 64, a member given twice, lone
surrogates.
Numbers keep their spelling (:class:`JSONNumber`), so that nothing is lost when they are written back.

It knows nothing of manifests.
"""

from __future__ import annotations

from rkt.schema.json_decoder import Decoder
from rkt.schema.problems import ManifestError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    #: what a document consists of; a number that is not a plain int is a JSONNumber
    JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | bool | JSONNumber | None"

#: largest manifest that is read, in bytes (our own limit, ACI-036)
SIZE_LIMIT = 4 << 20
#: deepest nesting of objects and lists that is read (our own limit)
DEPTH_LIMIT = 64
#: most values in one document (our own limit): a few bytes of empty objects or numbers take a hundred in memory
VALUES_LIMIT = 500_000
#: problems after which the search for more ends: the document is hostile rather than mistaken
_MAX_PROBLEMS = 1000
#: an int of at most this many characters becomes an ``int``; 2^64 has 20 digits
_INT_CHARACTERS = 20


class JSONNumber:
    """A JSON number that is not a plain int of up to 20 digits: its text as written (``80.0``, ``1e3``, ``-0``)."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JSONNumber) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"JSONNumber({self.text!r})"


class _Repeated(dict[str, "JSON"]):
    """An object in which some member was given more than once; ``names`` are those members."""

    __slots__ = ("names",)

    def __init__(self, members: dict[str, JSON], *, names: list[str]) -> None:
        super().__init__(members)
        self.names = names


#: after the last member of a container; no document holds it
_END: tuple[str, JSON] = ("", JSONNumber(""))


class _NotJSONError(Exception):
    """A constant that JSON does not have."""


def _parse_int(text: str) -> int | JSONNumber:
    return int(text) if len(text) <= _INT_CHARACTERS and text != "-0" else JSONNumber(text)


def _refuse_constant(text: str) -> None:
    raise _NotJSONError(text)


def _build_object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    counts: dict[str, int] = {}
    for name, _ in pairs:
        counts[name] = counts.get(name, 0) + 1
    return _Repeated(built, names=[name for name, count in counts.items() if count > 1])


_decoder = Decoder(
    object_pairs_hook=_build_object, parse_float=JSONNumber, parse_int=_parse_int, parse_constant=_refuse_constant
)


def decode_json(data: bytes, *, source: str) -> JSON:
    """The JSON document in ``data``; raises :class:`ManifestError` that names ``source``, line and column."""
    if len(data) > SIZE_LIMIT:
        raise _failure(source, f"is larger than {SIZE_LIMIT >> 20} MiB, the most that rkt reads")
    # each value but the first stands after one of these; those inside of texts are counted too, which harms no manifest
    if sum(map(data.count, (b",", b"[", b"{"))) >= VALUES_LIMIT:
        raise _failure(source, f"holds more than {VALUES_LIMIT} values, the most that rkt reads")
    text = _decode_text(data, source)
    try:
        value: JSON = _decoder.decode(text)
    except _NotJSONError as error:
        raise _failure(source, f"{error} is not a JSON value") from None
    except RecursionError:
        raise _failure(source, f"is nested deeper than {DEPTH_LIMIT} levels") from None
    except ValueError as error:
        raise _failure(source, _explain(error)) from None
    if _is_too_deep(value):
        raise _failure(source, f"is nested deeper than {DEPTH_LIMIT} levels")
    found = _inspect(value, texts=not text.isascii() or "\\u" in text)
    problems = [problem for _, problem in zip(range(_MAX_PROBLEMS), found, strict=False)]
    if problems:
        raise ManifestError(source, problems)
    return value


def _explain(error: ValueError) -> str:
    """``line 1, column 2: why`` of a JSONDecodeError, whose class is not imported unless it was raised."""
    message, line, column = (getattr(error, name, None) for name in ("msg", "lineno", "colno"))
    if message is None:
        return str(error)
    return f"line {line}, column {column}: {message[0].lower()}{message[1:]}"


def parse_trusted(text: str) -> JSON:
    """The value of JSON text that came out of :mod:`rkt.schema.json_writer`; nothing is checked."""
    value: JSON = _decoder.decode(text)
    return value


def _decode_text(data: bytes, source: str) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise _failure(source, "line 1, column 1: starts with a byte order mark")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise _failure(source, f"line {line}, column {column}: is not UTF-8 text") from None


def _is_too_deep(document: JSON) -> bool:
    """Whether containers are nested deeper than the limit; level by level, because the input is hostile."""
    level: list[JSON] = [document]
    for _ in range(DEPTH_LIMIT):
        level = [child for value in level for child in _items(value) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _items(value: JSON) -> Iterable[JSON]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _inspect(document: JSON, *, texts: bool) -> Iterator[Problem]:
    """Problems that the parser lets pass: repeated members and, if ``texts``, lone surrogates; document order.

    Paths are made for problems only, and nothing is copied: a document may hold a million empty objects.
    """
    steps: list[Iterator[tuple[str | int, JSON]]] = [iter((("", document),))]
    keys: list[str | int] = []  # one for each container that is being walked through, the document's own is ""
    while steps:
        key, value = step = next(steps[-1], _END)
        if step is _END:
            steps.pop()
            del keys[-1:]
        elif isinstance(value, str):
            if texts and _has_surrogate(value):
                yield Problem(
                    path=_path((*keys, key)), message="holds half of a surrogate pair, which is not a character"
                )
        elif isinstance(value, (dict, list)) and value:
            keys.append(key)
            yield from _inspect_members(value, keys, texts=texts)
            steps.append(iter(value.items()) if isinstance(value, dict) else enumerate(value))


def _inspect_members(value: JSON, keys: list[str | int], *, texts: bool) -> Iterator[Problem]:
    if isinstance(value, _Repeated):
        for name in value.names:
            yield Problem(path=_path((*keys, name)), message="is given more than once")
    if texts and isinstance(value, dict) and any(map(_has_surrogate, value)):
        yield Problem(path=_path(keys), message="a member's name holds half of a surrogate pair")


def _path(keys: Sequence[str | int]) -> str:
    """``app.ports[1].name`` of the keys from the document on, whose own comes first and says nothing."""
    path = ""
    for key in keys[1:]:
        path = f"{path}[{key}]" if isinstance(key, int) else _join(path, key)
    return path


def _join(path: str, name: str) -> str:
    name = name if name.isascii() else name.encode("ascii", "backslashreplace").decode()
    return f"{path}.{name}" if path else name


def _has_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _failure(source: str, message: str) -> ManifestError:
    return ManifestError(source, [Problem(path="", message=message)])
