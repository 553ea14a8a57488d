"""Times, durations and sizes as people read and write them: ``2 minutes ago``, ``30m0s``, ``12MiB``.

Pure functions of numbers; the clock is read by whoever calls them. Forms as in rkt 1.30 (sections 1.8, 1.9, 1.16).
"""

from __future__ import annotations

import time

from rkt.errors import UsageError

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
MONTH = 30 * DAY
YEAR = 12 * MONTH

#: below this age in seconds -> the words for it, and what one counted unit of it is
_AGES = (
    (1, "now", 0),
    (2, "1 second ago", 0),
    (MINUTE, "{} seconds ago", 1),
    (2 * MINUTE, "1 minute ago", 0),
    (HOUR, "{} minutes ago", MINUTE),
    (2 * HOUR, "1 hour ago", 0),
    (DAY, "{} hours ago", HOUR),
    (2 * DAY, "1 day ago", 0),
    (WEEK, "{} days ago", DAY),
    (2 * WEEK, "1 week ago", 0),
    (MONTH, "{} weeks ago", WEEK),
    (2 * MONTH, "1 month ago", 0),
    (YEAR, "{} months ago", MONTH),
    (18 * MONTH, "1 year ago", 0),
    (2 * YEAR, "2 years ago", 0),
)

_DURATION_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def format_age(age_seconds: float) -> str:
    """How long ago something was. A clock that went backwards reads as ``now``."""
    for limit, words, unit in _AGES:
        if age_seconds < limit:
            return words.format(int(age_seconds // unit)) if unit else words
    return f"{int(age_seconds // YEAR)} years ago"


def format_moment(epoch_ns: int) -> str:
    """A point in time in the local zone: ``2018-04-16 12:00:00.123 +0000 UTC``, without trailing zeros."""
    seconds, rest = divmod(epoch_ns, 1_000_000_000)
    local = time.localtime(seconds)
    fraction = f".{rest // 1_000_000:03d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%d %H:%M:%S", local) + fraction + time.strftime(" %z %Z", local)


def format_size(size_bytes: int) -> str:
    """A size with a binary unit: ``9B``, ``1.5KiB``, ``12MiB``."""
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_BINARY_UNITS) - 1:
        value /= 1024
        unit += 1
    if unit == 0 or round(value, 1) >= 10:
        return f"{value:.0f}{_BINARY_UNITS[unit]}"
    return f"{value:.1f}{_BINARY_UNITS[unit]}"


def format_duration(seconds: float) -> str:
    """A duration as Go writes it: ``30m0s``, ``24h0m0s``, ``1.5s``."""
    whole, fraction = divmod(round(seconds, 3), 1)
    minutes, rest = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest}" + (f"{fraction:.3f}"[1:].rstrip("0") if fraction else "") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def parse_duration(text: str, *, flag: str) -> float:
    """Seconds of a Go duration (``1h30m``, ``1.5h``, ``300ms``, ``0``). Raises UsageError; negative is an error too."""
    seconds = _find_duration(text)
    if seconds is None:
        raise UsageError(
            f'invalid value "{text}" for flag --{flag}: not a duration', "write it as 30m, 1h30m, 90s or 500ms"
        )
    return seconds


def _find_duration(text: str) -> float | None:
    if text == "0":
        return 0.0
    total, rest = 0.0, text
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = rest[: len(rest) - len(rest.lstrip("nuµmsh"))]
        rest = rest[len(unit) :]
        if unit not in _DURATION_SECONDS or not number.isascii() or number.count(".") > 1 or number.strip(".") == "":
            return None
        total += float(number) * _DURATION_SECONDS[unit]
    return total if text else None
