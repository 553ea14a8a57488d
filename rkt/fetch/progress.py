"""The progress line of a download, in the founding document's form, drawn on a terminal only.

Downloading aci: [=====>                       ] 2.49 MB/3.58 MB

On a narrow terminal the bar gives way first, then the label: a line that wraps could not be drawn over again. Nothing
but a carriage return is asked of the terminal, whatever TERM says.
"""

from __future__ import annotations

import os
import time

from rkt.fetch.messages import is_terminal, write_raw

_WIDTH = 45
_NARROWEST = 8
_COLUMNS = 100
_PAUSE_SECONDS = 0.1
_UNITS = ("B", "KB", "MB", "GB", "TB")


class Progress:
    """One download; ``total`` bytes are expected, None if the server did not say. A context manager."""

    __slots__ = ("_count", "_drawn", "_drawn_at", "_label", "_shown", "_total")

    def __init__(self, label: str, *, total: int | None) -> None:
        self._label = label
        self._total = total
        self._count = 0
        self._drawn_at = 0.0
        self._drawn = ""
        self._shown = is_terminal()

    def advance(self, count: int) -> None:
        """``count`` more bytes are there, 0 at the end. Draws at most ten times a second."""
        self._count += count
        if count == 0:
            self.finish()
        if self._shown and time.monotonic() - self._drawn_at >= _PAUSE_SECONDS:
            self._draw()

    def __enter__(self) -> Progress:
        return self

    def finish(self) -> None:
        """Draw the last state and end the line, so that others may write. Idempotent."""
        if self._shown:
            self._draw()
            write_raw("\n")
            self._shown = False

    def __exit__(self, *_: object) -> None:
        self.finish()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        columns = _find_columns()
        line = format_progress(self._label, count=self._count, total=self._total, columns=columns)
        write_raw(f"\r{line:<{min(len(self._drawn), columns - 1)}}")
        self._drawn = line


def _find_columns() -> int:
    try:
        return os.get_terminal_size(2).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def format_progress(label: str, *, count: int, total: int | None, columns: int = _COLUMNS) -> str:
    """The line for ``count`` bytes of ``total``, shorter than ``columns``; without a total only the count."""
    sizes = format_size(count) if total is None else f"{format_size(count)}/{format_size(total)}"
    width = min(_WIDTH, columns - 1 - len(f"{label}: [] {sizes}"))
    if total is None or width < _NARROWEST:
        line = f"{label}: {sizes}"
        return line if len(line) < columns else sizes[: max(columns - 1, 0)]
    filled = width if total <= 0 else min(width, width * count // total)
    head = ">" if 0 < filled < width else ""
    bar = "=" * (filled - len(head)) + head
    return f"{label}: [{bar:<{width}}] {sizes}"


def format_size(count: int) -> str:
    """``count`` bytes with three significant digits and decimal units: ``2.49 MB``."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
