"""The progress line of a download, in the founding document's form, drawn on a terminal only.

Downloading aci: [=====>                       ] 2.49 MB/3.58 MB
"""

from __future__ import annotations

import time

from rkt.fetch.messages import is_terminal, write_raw

_WIDTH = 45
_PAUSE_SECONDS = 0.1
_UNITS = ("B", "KB", "MB", "GB", "TB")
_CLEAR = "\x1b[K"


class Progress:
    """One download; ``total`` bytes are expected, None if the server did not say. A context manager."""

    __slots__ = ("_count", "_drawn_at", "_label", "_shown", "_total")

    def __init__(self, label: str, *, total: int | None) -> None:
        self._label = label
        self._total = total
        self._count = 0
        self._drawn_at = 0.0
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
        write_raw(f"\r{format_progress(self._label, count=self._count, total=self._total)}{_CLEAR}")


def format_progress(label: str, *, count: int, total: int | None) -> str:
    """The line for ``count`` bytes of ``total``; without a total only the count."""
    if total is None:
        return f"{label}: {format_size(count)}"
    filled = _WIDTH if total <= 0 else min(_WIDTH, _WIDTH * count // total)
    head = ">" if 0 < filled < _WIDTH else ""
    bar = "=" * (filled - len(head)) + head
    return f"{label}: [{bar:<{_WIDTH}}] {format_size(count)}/{format_size(total)}"


def format_size(count: int) -> str:
    """``count`` bytes with three significant digits and decimal units: ``2.49 MB``."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
