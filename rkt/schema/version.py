"""AC Version: SemVer 2.0.0 text, and what the releases of the specification were (appc types.md, TYPE-017..023).

Which manifest may carry which version is decided in :mod:`rkt.schema.header`, not here.
"""

from __future__ import annotations

from rkt.schema.problems import InvalidValueError
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Release: TypeAlias = tuple[int, int, int]

_DIGITS = frozenset("0123456789")
_IDENTIFIER = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")
#: digits of one number; the original reads them into 63 bits
_MAX_DIGITS = 18

#: every tagged release of the specification up to the one that is implemented
RELEASES = frozenset(
    (
        *("0.1.1", "0.2.0", "0.3.0", "0.4.0", "0.4.1", "0.5.0", "0.5.1", "0.5.2", "0.6.0", "0.6.1"),
        *("0.7.0", "0.7.1", "0.7.2", "0.7.3", "0.7.4"),
        *(f"0.8.{patch}" for patch in range(12)),
    )
)


class ACVersion(Value):
    """A version; ``release`` is ``(major, minor, patch)``, ``text`` what was written."""

    __slots__ = ("release", "text")
    _fields = ("text", "release")
    text: str
    release: Release

    def __init__(self, *, text: str, release: Release) -> None:
        self._freeze(text, release)

    def __str__(self) -> str:
        return self.text


def find_version_problem(text: str) -> str | None:
    """Why ``text`` is not an AC Version; None when it is."""
    if not text:
        return "must not be empty"
    core, _, build = text.partition("+")
    core, dash, pre = core.partition("-")
    numbers = core.split(".")
    if len(numbers) != 3 or not all(map(_is_number, numbers)):
        return "must be MAJOR.MINOR.PATCH, three numbers without leading zeros"
    if any(len(number) > _MAX_DIGITS for number in numbers):
        return "has a number that is too large"
    if dash and not all(_is_pre_release(part) for part in pre.split(".")):
        return "has a bad pre-release part"
    if "+" in text and not all(part and _IDENTIFIER.issuperset(part) for part in build.split(".")):
        return "has a bad build part"
    if text == "0.0.0":
        return "must not be zero"
    return None


def _is_number(text: str) -> bool:
    return bool(text) and _DIGITS.issuperset(text) and (text == "0" or text[0] != "0")


def _is_pre_release(text: str) -> bool:
    if _DIGITS.issuperset(text):
        return _is_number(text)
    return _IDENTIFIER.issuperset(text)


def parse_ac_version(text: str) -> ACVersion:
    """The version that ``text`` names; raises :class:`InvalidValueError`."""
    why = find_version_problem(text)
    if why is not None:
        raise InvalidValueError("AC version", text, why)
    major, minor, patch = text.partition("+")[0].partition("-")[0].split(".")
    return ACVersion(text=text, release=(int(major), int(minor), int(patch)))
