"""Columns of text aligned with tab characters, as Go's text/tabwriter aligns them (tab width 8, padding 1).

It does not measure wide characters: names that rkt prints are ASCII, anything else is made visible first.
"""

from __future__ import annotations

from rkt import diagnostics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TAB_WIDTH = 8
PADDING = 1


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as lines. Every row has the same number of cells; the last column is not padded."""
    printable = [[diagnostics.printable(cell).replace("\t", "\\t") for cell in row] for row in rows]
    widths = [_column_width(cells) for cells in zip(*printable, strict=True)]
    lines = []
    for row in printable:
        padded = [cell + _tabs(width - len(cell)) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append("".join(padded) + row[-1] + "\n")
    return "".join(lines)


def _column_width(cells: Sequence[str]) -> int:
    """Room for the longest cell and one more, rounded up to whole tabs; nothing for an empty column."""
    longest = max(map(len, cells))
    return -(-(longest + PADDING) // TAB_WIDTH) * TAB_WIDTH


def _tabs(missing: int) -> str:
    return "\t" * -(-missing // TAB_WIDTH)
