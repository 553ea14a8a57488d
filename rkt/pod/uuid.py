"""Pod UUIDs: made (RFC 4122, version 4), parsed, and found by their first characters.

Text from a user is checked to consist of hexadecimal digits and hyphens before anything else happens to it, and never
becomes part of a path: it is compared with the names that lie on disk. Opening the pod is not done here.
"""

from __future__ import annotations

import os

from rkt.errors import reason
from rkt.pod.errors import UUIDError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS = frozenset("0123456789abcdef")
_HYPHENS = (8, 13, 18, 23)
_LENGTH = 36
_UUID_FILE_LIMIT_BYTES = 4096


def new_uuid() -> str:
    """A random UUID in canonical form (RFC 4122 section 4.4)."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return _hyphenate(raw.hex())


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID in canonical form: 8-4-4-4-12 lower-case hexadecimal digits."""
    return (
        len(text) == _LENGTH
        and all(text[index] == "-" for index in _HYPHENS)
        and len(digits := text.replace("-", "")) == 32
        and _DIGITS.issuperset(digits)
    )


def find_canonical(text: str) -> str | None:
    """The canonical form of a whole UUID, whatever its case and hyphens; None if ``text`` is something else."""
    digits = text.lower().replace("-", "")
    return _hyphenate(digits) if len(digits) == 32 and _DIGITS.issuperset(digits) else None


def parse_prefix(text: str) -> str:
    """``text`` as the beginning of a UUID, lower-cased. Raises UUIDError for what cannot be one; touches no disk."""
    prefix = text.strip().lower()
    if not prefix:
        raise UUIDError("UUID cannot be empty")
    if len(prefix) > _LENGTH or not _DIGITS.issuperset(prefix.replace("-", "")):
        raise UUIDError(f'no matches found for "{text}"', "a UUID consists of hexadecimal digits and hyphens")
    return find_canonical(prefix) or prefix


def match_prefix(prefix: str, uuids: Iterable[str]) -> str:
    """The one of ``uuids`` that begins with ``prefix``. Raises UUIDError for none or several."""
    matches = [uuid for uuid in uuids if uuid.startswith(prefix)]
    if not matches:
        raise UUIDError(f'no matches found for "{prefix}"', "rkt list shows the pods")
    if len(matches) > 1:
        raise UUIDError(f"ambiguous uuid, {len(matches)} matches", "give more characters of it")
    return matches[0]


def load_uuid_file(path: str) -> str:
    """The text of a ``--uuid-file`` without surrounding white space, still to be resolved. Raises UUIDError."""
    try:
        with open(path, "rb") as file:
            data = file.read(_UUID_FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise UUIDError(f'unable to resolve UUID from file "{path}": {reason(error)}') from error
    if len(data) > _UUID_FILE_LIMIT_BYTES:
        raise UUIDError(f'unable to resolve UUID from file "{path}": it is larger than {_UUID_FILE_LIMIT_BYTES} bytes')
    return data.decode("ascii", "backslashreplace").strip()


def _hyphenate(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
