"""Lines on stderr: prefixed with the verb that runs, safe for a terminal, quiet unless asked.

It formats and writes; it decides nothing and never ends the process. Results of a verb go to stdout and
do not pass through here. The state (prefix, debug) is set once, by :mod:`rkt.cli.main`.
"""

from __future__ import annotations

import os

_prefix = "rkt"
_debug = False


def configure(*, prefix: str, debug: bool) -> None:
    """Set the word before each line (``run``, ``stop``, ...) and whether :func:`debug` prints."""
    global _prefix, _debug
    _prefix, _debug = prefix, debug


def debug_enabled() -> bool:
    """Whether ``--debug`` was given."""
    return _debug


def printable(text: str) -> str:
    """``text`` with everything that could steer a terminal or forge a line made visible.

    Control characters, C1, bidirectional overrides and lone surrogates become ``\\xNN``/``\\uNNNN``; tab and
    printable Unicode stay as they are (security goal G23: no raw control byte in human output).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == "\t" or c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def line(text: str, *, prefix: str | None = None) -> None:
    """Write one line to stderr, every line of ``text`` with the prefix. A closed stderr is not an error."""
    head = _prefix if prefix is None else prefix
    out = "".join(f"{head}: {printable(part)}\n" for part in text.split("\n"))
    data = out.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        pass


def warning(text: str) -> None:
    """A line that begins with ``warning:``."""
    line(f"warning: {text}")


def debug(text: str, *, prefix: str | None = None) -> None:
    """A line that is printed with ``--debug`` only."""
    if _debug:
        line(text, prefix=prefix)
