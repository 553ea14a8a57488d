"""AC Identifiers, AC Names, AC Kinds and the names of environment variables (appc types.md).

Strict by default: two separators are never adjacent (the specification's expression, not the looser check of the
original library). One pair is allowed, ``/~``: the specification's own example ``example.com/~user/app_v1`` has it,
although its expression forbids it. What older releases allowed is in :mod:`rkt.schema.migration.rules`, not here.
No regular expressions: compiling one costs more than reading a manifest.
"""

from __future__ import annotations

from rkt.schema.problems import InvalidValueError

_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_IDENTIFIER_SEPARATORS = str.maketrans("._~/", "----")
_ENVIRONMENT_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_ENVIRONMENT_REST = _ENVIRONMENT_FIRST | frozenset("0123456789.-")

#: the kinds that appc 0.8.11 defines
IMAGE_KIND = "ImageManifest"
POD_KIND = "PodManifest"


def find_identifier_problem(text: str) -> str | None:
    """Why ``text`` is not an AC Identifier; None when it is (``^[a-z0-9]+((/~|[-._~/])[a-z0-9]+)*$``, any length)."""
    if text and _ALPHANUMERIC.issuperset(text):
        return None
    return _find_problem(text, text.replace("/~", "/").translate(_IDENTIFIER_SEPARATORS), "-._~/")


def find_name_problem(text: str) -> str | None:
    """Why ``text`` is not an AC Name; None when it is (``^[a-z0-9]+([-][a-z0-9]+)*$``, any length)."""
    return _find_problem(text, text, "-")


def _find_problem(text: str, dashed: str, separators: str) -> str | None:
    parts = dashed.split("-")
    if all(part and _ALPHANUMERIC.issuperset(part) for part in parts):
        return None
    if not text:
        return "must not be empty"
    if not all(map(_ALPHANUMERIC.issuperset, parts)):
        return f'may contain only lower-case letters, digits and "{separators}"'
    if not parts[0] or not parts[-1]:
        return "must start and end with a lower-case letter or a digit"
    return f'must not have two of "{separators}" in a row'


def find_environment_name_problem(text: str) -> str | None:
    """Why ``text`` cannot name an environment variable; None when it can (``^[A-Za-z_][A-Za-z_0-9.-]*$``)."""
    if not text:
        return "must not be empty"
    if text[0] not in _ENVIRONMENT_FIRST:
        return 'must start with a letter or "_"'
    if not _ENVIRONMENT_REST.issuperset(text):
        return 'may contain only letters, digits, "_", "." and "-"'
    return None


def find_kind_problem(text: str) -> str | None:
    """Why ``text`` is not an AC Kind that appc 0.8.11 defines; None when it is."""
    if not text:
        return "must not be empty"
    if not (text.isascii() and text.isalnum()):
        return "may contain only letters and digits"
    if text not in (IMAGE_KIND, POD_KIND):
        return f'is not a kind that appc defines ("{IMAGE_KIND}", "{POD_KIND}")'
    return None


def parse_ac_identifier(text: str) -> str:
    """``text`` if it is an AC Identifier, else :class:`InvalidValueError`."""
    return _checked("AC identifier", text, find_identifier_problem(text))


def parse_ac_name(text: str) -> str:
    """``text`` if it is an AC Name, else :class:`InvalidValueError`."""
    return _checked("AC name", text, find_name_problem(text))


def parse_ac_kind(text: str) -> str:
    """``text`` if it is a defined AC Kind, else :class:`InvalidValueError`."""
    return _checked("AC kind", text, find_kind_problem(text))


def _checked(kind: str, text: str, why: str | None) -> str:
    if why is not None:
        raise InvalidValueError(kind, text, why)
    return text


def sanitize_ac_identifier(text: str) -> str:
    """``text`` made an AC Identifier: lower case, foreign characters become ``-``, edges trimmed.

    Raises :class:`InvalidValueError` when nothing is left. Unlike the original's, the result always matches the
    strict form: of several separators in a row only the first stays (but ``/~`` does as a whole).
    """
    return _sanitize("AC identifier", text, "-._~/")


def sanitize_ac_name(text: str) -> str:
    """``text`` made an AC Name, as :func:`sanitize_ac_identifier` does (``.``, ``_``, ``~``, ``/`` become ``-``)."""
    return _sanitize("AC name", text, "-")


def _sanitize(kind: str, text: str, separators: str) -> str:
    result = ""
    for character in text.lower():
        if character in _ALPHANUMERIC:
            result += character
        elif result and result[-1] in _ALPHANUMERIC:
            result += character if character in separators else "-"
        elif character == "~" and result.endswith("/"):
            result += character
    result = result.strip(separators)
    if not result:
        raise InvalidValueError(kind, text, "holds no letter or digit")
    return result
