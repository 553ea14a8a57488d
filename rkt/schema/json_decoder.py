"""The standard library's JSON parser without the cost of importing it: 7 ms of the 30 that ``rkt run`` has.

``json`` is a thin layer of Python over a parser in C, ``_json``; the layer imports regular expressions and enums. Here
the C parser is called directly. Whatever it refuses is parsed again by ``json`` itself, which words the error; and
where an interpreter has no ``_json``, ``json`` does all the work. The result is the same in each case.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BLANKS = " \t\n\r"


class Decoder:
    """A configured parser, as ``json.JSONDecoder`` with the same arguments; strict about control characters."""

    def __init__(
        self,
        *,
        object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
        parse_float: Callable[[str], Any] = float,
        parse_int: Callable[[str], Any] = int,
        parse_constant: Callable[[str], Any] | None = None,
    ) -> None:
        # the attributes that the C parser reads
        self.strict = True
        self.object_hook = None
        self.object_pairs_hook = object_pairs_hook
        self.parse_float = parse_float
        self.parse_int = parse_int
        self.parse_constant = parse_constant or _refuse_constant
        self.memo: dict[str, str] = {}
        try:
            from _json import make_scanner
        except ImportError:
            self._scan = None
        else:
            context: Any = self
            self._scan = make_scanner(context)

    def decode(self, text: str) -> Any:
        """The value of a whole document. Raises what ``json.JSONDecoder.decode`` raises."""
        if self._scan is not None:
            try:
                value, end = self._scan(text, len(text) - len(text.lstrip(_BLANKS)))
                if not text[end:].strip(_BLANKS):
                    return value
            except (StopIteration, ValueError, SystemError):
                # SystemError: Python 3.11's parser cannot word its error while json.decoder is not imported
                pass
        return self._decode_slowly(text)

    def _decode_slowly(self, text: str) -> Any:
        import json

        return json.JSONDecoder(
            object_pairs_hook=self.object_pairs_hook,
            parse_float=self.parse_float,
            parse_int=self.parse_int,
            parse_constant=self.parse_constant,
        ).decode(text)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON value")
