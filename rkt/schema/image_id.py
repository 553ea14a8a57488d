"""Image IDs: ``sha512-`` and the digest in hexadecimal (appc types.md, TYPE-024..027).

It computes no digests and resolves no prefixes; both are the store's.
"""

from __future__ import annotations

from rkt.schema.problems import InvalidValueError

#: hexadecimal digits of a whole SHA-512 digest
DIGEST_DIGITS = 128
#: what the specification's own examples write in place of a digest
PLACEHOLDER = "sha512-..."
_HEX = frozenset("0123456789abcdef")


def find_image_id_problem(text: str, *, allow_partial: bool = False) -> str | None:
    """Why ``text`` is not an image ID; None when it is.

    With ``allow_partial`` a digest cut short and the placeholder ``sha512-...`` pass: manifests may hold them
    (the reader accepts them with a warning), although they identify nothing.
    """
    algorithm, hyphen, digest = text.partition("-")
    if not hyphen:
        return 'must have the form "sha512-DIGEST"'
    if algorithm != "sha512":
        return 'must start with "sha512-", the only algorithm that appc allows'
    if allow_partial and (text == PLACEHOLDER or (0 < len(digest) < DIGEST_DIGITS and _HEX.issuperset(digest))):
        return None
    if len(digest) != DIGEST_DIGITS or not _HEX.issuperset(digest):
        return f"must have {DIGEST_DIGITS} lower-case hexadecimal digits after the hyphen"
    return None


def parse_image_id(text: str) -> str:
    """``text`` if it is a whole image ID, else :class:`InvalidValueError`."""
    why = find_image_id_problem(text)
    if why is not None:
        raise InvalidValueError("image ID", text, why)
    return text
