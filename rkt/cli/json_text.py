"""JSON text made readable without being interpreted: indented, and with everything visible. Pure.

Values are not decoded, so nothing gets lost or rounded: ``1e400`` and numbers of any length stay as they were written.
The text is a JSON document already; nothing is checked here.
"""

from __future__ import annotations

import re

#: a string, a bracket, a separator, or a number or name; blanks between them match nothing and are dropped
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")
_VISIBLE_BLANKS = frozenset("\t\n")


def indent_json(text: str) -> str:
    """The document with one member a line, indented with tabs, as Go's MarshalIndent writes it."""
    parts: list[str] = []
    depth, opened = 0, False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in _CLOSING:
            depth -= 1
            parts.append(token if opened else _new_line(depth) + token)
        else:
            if opened:
                parts.append(_new_line(depth))
            parts.append(f",{_new_line(depth)}" if token == "," else ": " if token == ":" else token)
        opened = token in _OPENING
        depth += opened
    return "".join(parts)


def _new_line(depth: int) -> str:
    return "\n" + "\t" * depth


def escape_unprintable(text: str) -> str:
    """The document with every character that could steer a terminal as ``\\uXXXX``; its meaning is the same.

    Outside of strings a document has none but tabs and line ends, which stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _VISIBLE_BLANKS else _escape(c) for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"
