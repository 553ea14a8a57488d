"""Columns lined up with tabs."""

from __future__ import annotations

from rkt.cli.table import format_table


def expanded(text: str) -> list[str]:
    return [line.expandtabs(8) for line in text.splitlines()]


def test_columns_line_up_on_a_terminal_with_tabs_of_eight() -> None:
    lines = expanded(format_table([["UUID", "APP", "STATE"], ["12345678", "redis", "running"], ["", "web", ""]]))
    assert lines[0].index("APP") == lines[1].index("redis") == lines[2].index("web") == 16
    assert lines[0].index("STATE") == lines[1].index("running") == 24


def test_cell_that_fills_its_tab_stop_still_has_a_gap() -> None:
    assert format_table([["1234567", "x"], ["12345678", "y"]]) == "1234567\t\tx\n12345678\ty\n"


def test_last_column_is_not_padded() -> None:
    assert format_table([["a", "b"], ["a", "long text"]]) == "a\tb\na\tlong text\n"


def test_cell_cannot_forge_columns_lines_or_colours() -> None:
    assert format_table([["a\tb\nc\x1b[31m", "d"]]) == "a\\tb\\x0ac\\x1b[31m\td\n"


def test_empty_table_is_empty() -> None:
    assert format_table([]) == ""
