"""Text of pod UUIDs: RFC 4122 form, lower case on output (TYPE-038, TYPE-039).

It makes no UUIDs and resolves no prefixes (:mod:`rkt.pod` does); the module ``uuid`` would cost its import.
"""

from __future__ import annotations

from rkt.schema.problems import InvalidValueError

_HEX = frozenset("0123456789abcdef")
NIL = "00000000-0000-0000-0000-000000000000"


def parse_uuid(text: str) -> str:
    """The canonical form of ``text``, in which case and hyphens do not matter; raises :class:`InvalidValueError`.

    The nil UUID is refused: it stands for "none".
    """
    digits = text.replace("-", "").lower()
    if len(digits) != 32 or not _HEX.issuperset(digits):
        raise InvalidValueError("UUID", text, "must have 32 hexadecimal digits")
    canonical = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    if canonical == NIL:
        raise InvalidValueError("UUID", text, "must not be zero")
    return canonical
