"""Timestamps: RFC 3339 date-times (appc types.md, TYPE-033..036).

It checks the form and the calendar; it converts nothing, manifests keep the text that was written.
"""

from __future__ import annotations

_DIGITS = frozenset("0123456789")
_FORM = "must be an RFC 3339 date-time such as 2006-01-02T15:04:05Z"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def find_timestamp_problem(text: str) -> str | None:
    """Why ``text`` is not an RFC 3339 date-time with ``T``, seconds and a UTC offset; None when it is."""
    offset = _parse_offset(text)
    if offset is None:
        return _FORM
    minutes, suffix = offset
    body, dot, fraction = text[: len(text) - len(suffix)].partition(".")
    if dot and not (fraction and _DIGITS.issuperset(fraction)):
        return _FORM
    if len(body) != 19 or [body[i] for i in (4, 7, 10, 13, 16)] != ["-", "-", "T", ":", ":"]:
        return _FORM
    parts = (body[0:4], body[5:7], body[8:10], body[11:13], body[14:16], body[17:19])
    if not all(map(_DIGITS.issuperset, parts)):
        return _FORM
    year, month, day, hour, minute, second = map(int, parts)
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        return "names a day that is not in the calendar"
    # a leap second is only ever inserted at 23:59:60 UTC
    last_second = 60 if (hour * 60 + minute - minutes) % 1440 == 1439 else 59
    if hour > 23 or minute > 59 or second > last_second:
        return "names a time of day that does not exist"
    return None


def _parse_offset(text: str) -> tuple[int, str] | None:
    """Minutes east of UTC and the text of the offset at the end of ``text``; None when there is none."""
    if text.endswith("Z"):
        return 0, "Z"
    suffix = text[-6:]
    if len(suffix) != 6 or suffix[0] not in "+-" or suffix[3] != ":":
        return None
    hours, minutes = suffix[1:3], suffix[4:6]
    if not (_DIGITS.issuperset(hours) and _DIGITS.issuperset(minutes)) or int(hours) > 23 or int(minutes) > 59:
        return None
    total = int(hours) * 60 + int(minutes)
    return (-total if suffix[0] == "-" else total), suffix


def _days_in(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 if month == 2 and not is_leap else _DAYS[month - 1]
