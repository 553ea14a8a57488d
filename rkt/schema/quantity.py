"""Resource quantities (``1G``, ``123Mi``, ``250m``, ``1e3``): exact integers, never floating point (TYPE-050..059).

A quantity is a whole number of billionths. What a quantity of something *means* (bytes, cores) is in
:mod:`rkt.schema.isolator_value`.
"""

from __future__ import annotations

from rkt.schema.problems import InvalidValueError
from rkt.schema.value import Value

#: largest value of a binary suffix, and of what the kernel takes
MAX_INT64 = (1 << 63) - 1
#: billionths in one base unit
NANO = 10**9
_NANO_DIGITS = 9
#: characters that a quantity may have; the number itself has no other limit
_MAX_CHARACTERS = 128
_MAX_EXPONENT = 999
_DIGITS = frozenset("0123456789")

#: suffix -> power of ten. "K" is the text's spelling, "k" the original code's; "k" is written
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
#: suffix -> power of two
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES = {power: suffix for suffix, power in _DECIMAL.items() if suffix != "K"}
_BINARY_NAMES = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}

DECIMAL, BINARY, EXPONENT = "decimal", "binary", "exponent"


class Quantity(Value):
    """``nano`` billionths, written in one ``family`` of suffixes (``DECIMAL``, ``BINARY`` or ``EXPONENT``)."""

    __slots__ = ("family", "nano")
    _fields = ("nano", "family")
    nano: int
    family: str

    def __init__(self, *, nano: int, family: str = DECIMAL) -> None:
        self._freeze(nano, family)

    @property
    def base(self) -> int:
        """Whole base units (bytes, cores), rounded away from zero."""
        return _round_away(self.nano, NANO)

    @property
    def milli(self) -> int:
        """Whole thousandths of a base unit, rounded away from zero."""
        return _round_away(self.nano, NANO // 1000)

    def compare(self, other: Quantity) -> int:
        """-1, 0 or 1 by value; the spelling does not count."""
        return (self.nano > other.nano) - (self.nano < other.nano)

    def round_up(self, power: int) -> tuple[Quantity, bool]:
        """The quantity rounded away from zero to a multiple of 10^``power``, and whether it was one already."""
        step = 10 ** max(power + _NANO_DIGITS, 0)
        rounded = _round_away(self.nano, step) * step
        return self.replace(nano=rounded), rounded == self.nano

    def __str__(self) -> str:
        """Canonical form: no fraction, the largest suffix of its family that leaves a whole number."""
        if self.nano == 0:
            return "0"
        if self.family == BINARY and abs(self.nano) >= 1024 * NANO:
            return _binary_text(self.base)
        return _decimal_text(self.nano, exponent=self.family == EXPONENT)


def _round_away(number: int, step: int) -> int:
    """``number / step``, rounded away from zero."""
    return -(-number // step) if number > 0 else number // step


def _binary_text(units: int) -> str:
    power = 0
    while units % 1024 == 0 and power < 60:
        units //= 1024
        power += 10
    return f"{units}{_BINARY_NAMES[power]}"


def _decimal_text(nano: int, *, exponent: bool) -> str:
    power = -_NANO_DIGITS
    while nano % 1000 == 0 and (exponent or power < 18):
        nano //= 1000
        power += 3
    if not exponent:
        return f"{nano}{_DECIMAL_NAMES[power]}"
    return f"{nano}e{power}" if power else str(nano)


def parse_quantity(text: str) -> Quantity:
    """The quantity that ``text`` writes: sign, digits with a fraction, then a suffix or a decimal exponent.

    Less than a billionth is rounded away from zero; a value with a binary suffix is capped at 2^63-1.
    Raises :class:`InvalidValueError`.
    """
    quantity = _parse(text)
    if isinstance(quantity, str):
        raise InvalidValueError("quantity", text, quantity)
    return quantity


def find_quantity_problem(text: str) -> str | None:
    """Why ``text`` is not a quantity; None when it is."""
    quantity = _parse(text)
    return quantity if isinstance(quantity, str) else None


def _parse(text: str) -> Quantity | str:
    """The quantity, or why there is none."""
    if len(text) > _MAX_CHARACTERS:
        return "is too long"
    sign = -1 if text.startswith("-") else 1
    unsigned = text[1:] if text[:1] in ("+", "-") and text else text
    end = 0
    while end < len(unsigned) and (unsigned[end] in _DIGITS or unsigned[end] == "."):
        end += 1
    whole, _, fraction = unsigned[:end].partition(".")
    if "." in fraction or not (whole or fraction):
        return "must be a number with an optional suffix such as k, M, Gi or m"
    suffix = unsigned[end:]
    mantissa = sign * int(whole + fraction)
    if suffix in _BINARY:
        return _binary(mantissa << _BINARY[suffix], len(fraction))
    if suffix in _DECIMAL:
        return _decimal(mantissa, _DECIMAL[suffix] - len(fraction), DECIMAL)
    power = _parse_exponent(suffix)
    if power is None:
        return f'has the unknown suffix "{suffix}"'
    if abs(power) > _MAX_EXPONENT:
        return "has an exponent that is too large"
    return _decimal(mantissa, power - len(fraction), EXPONENT)


def _parse_exponent(suffix: str) -> int | None:
    digits = suffix[1:]
    if digits[:1] in ("+", "-"):
        digits = digits[1:]
    if suffix[:1] not in ("e", "E") or not digits or not _DIGITS.issuperset(digits):
        return None
    return int(suffix[1:])


def _decimal(mantissa: int, power: int, family: str) -> Quantity:
    """``mantissa * 10^power``."""
    power += _NANO_DIGITS
    nano = mantissa * 10**power if power >= 0 else _round_away(mantissa, 10**-power)
    return Quantity(nano=nano, family=family)


def _binary(scaled: int, digits: int) -> Quantity:
    """``scaled / 10^digits`` base units."""
    nano = _round_away(scaled * NANO, 10**digits)
    nano = max(-MAX_INT64 * NANO, min(nano, MAX_INT64 * NANO))
    return Quantity(nano=nano, family=DECIMAL if 0 < abs(nano) < NANO else BINARY)
