"""Ages, moments, sizes and durations as they are printed and read."""

from __future__ import annotations

import time

import pytest

from rkt.cli.units import format_age, format_duration, format_moment, format_size, parse_duration
from rkt.errors import UsageError

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (-5, "now"),
        (0.9, "now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (MINUTE, "1 minute ago"),
        (2 * MINUTE, "2 minutes ago"),
        (HOUR, "1 hour ago"),
        (23 * HOUR, "23 hours ago"),
        (DAY, "1 day ago"),
        (6 * DAY, "6 days ago"),
        (7 * DAY, "1 week ago"),
        (29 * DAY, "4 weeks ago"),
        (30 * DAY, "1 month ago"),
        (100 * DAY, "3 months ago"),
        (361 * DAY, "1 year ago"),
        (18 * 30 * DAY, "2 years ago"),
        (10 * 360 * DAY, "10 years ago"),
    ],
)
def test_age_is_told_in_one_unit(age: float, text: str) -> None:
    assert format_age(age) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (1523880000_123000000, "2018-04-16 12:00:00.123 +0000 UTC"),
        (1523880000_120999999, "2018-04-16 12:00:00.12 +0000 UTC"),
        (1523880000_000000001, "2018-04-16 12:00:00 +0000 UTC"),
    ],
)
def test_moment_has_no_trailing_zeros(monkeypatch: pytest.MonkeyPatch, nanoseconds: int, text: str) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert format_moment(nanoseconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.0KiB"),
        (1536, "1.5KiB"),
        (10 * 1024, "10KiB"),
        (12 << 20, "12MiB"),
        (3 << 40, "3.0TiB"),
        (5000 << 60, "5000EiB"),
    ],
)
def test_size_has_a_binary_unit(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30m0s", 1800),
        ("24h0m0s", DAY),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("300ms", 0.3),
        ("90s", 90),
        (".5s", 0.5),
    ],
)
def test_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert parse_duration(text, flag="wait") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-1m", "1d", "1h ", "1.2.3s", ".s", "1hs", "٣s", "s5"])
def test_what_is_not_a_duration_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a duration"):
        parse_duration(text, flag="wait")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1800, "30m0s"), (DAY, "24h0m0s"), (0, "0s"), (1.5, "1.5s"), (61, "1m1s"), (3600.25, "1h0m0.25s")],
)
def test_duration_is_written_as_go_writes_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
