"""Results on stdout: complete or an error, never a part of them by accident.

Diagnostics do not pass through here (:mod:`rkt.diagnostics`). Nothing is buffered, so that a full disk or a closed
pipe is met while the verb can still say so, and not by the interpreter on its way out.
"""

from __future__ import annotations

import os

from rkt import diagnostics
from rkt.errors import RktError, reason


class OutputError(RktError):
    """stdout cannot be written."""

    code = "output"


def write(text: str) -> None:
    """Write ``text`` to stdout as UTF-8.

    Raises OutputError if it cannot be written, BrokenPipeError if the reader has gone (:mod:`rkt.cli.main` ends
    quietly then).
    """
    write_bytes(text.encode("utf-8", "backslashreplace"))


def write_bytes(data: bytes) -> None:
    """Write ``data`` to stdout as it is; errors as :func:`write`."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(1, view) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"write to stdout: {reason(error)}") from error


def write_line(text: str) -> None:
    """Write one line that may hold text from an image or a network: what could steer a terminal is made visible."""
    write(diagnostics.printable(text) + "\n")


def write_json(value: object, *, pretty: bool) -> None:
    """Write one JSON document and a newline; ``pretty`` indents with tabs. What could steer a terminal is escaped."""
    import json

    from rkt.cli.json_text import escape_unprintable

    indent, separators = ("\t", (",", ": ")) if pretty else (None, (",", ":"))
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    write(escape_unprintable(text) + "\n")
