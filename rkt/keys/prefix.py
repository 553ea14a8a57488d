"""Names that keys are trusted for: an image name, or the leading whole segments of one.

``example.com/app`` covers itself and ``example.com/app/worker``, never ``example.com/app-evil``. The text also becomes
directories of the trust store, so it is checked here before it touches a path. No I/O.
"""

from __future__ import annotations

from rkt.errors import UsageError
from rkt.schema.names import find_identifier_problem

#: the longest name and segment that can be a path below the trust store
LONGEST_PREFIX = 1024
LONGEST_SEGMENT = 200


def parse_prefix(text: str) -> str:
    """A prefix as the user writes it; ``/*`` at its end means the same as nothing. Raises UsageError."""
    if "://" in text:
        raise UsageError("--prefix must not contain a URL scheme, omit https://")
    prefix = text.removesuffix("/*")
    why = find_prefix_problem(prefix)
    if why:
        raise UsageError(f'invalid --prefix "{text}": {why}', 'write it like the image\'s name: "example.com/app"')
    return prefix


def find_prefix_problem(text: str) -> str | None:
    """Why ``text`` cannot be trusted for: it is no AC identifier (appc, types) or too long; None if it can."""
    if len(text) > LONGEST_PREFIX or any(len(segment) > LONGEST_SEGMENT for segment in text.split("/")):
        return "too long"
    return find_identifier_problem(text)


def prefixes_of(name: str) -> tuple[str, ...]:
    """``a/b/c`` to (``a``, ``a/b``, ``a/b/c``); () for a name of older rules, which only root keys cover."""
    if find_prefix_problem(name):
        return ()
    segments = name.split("/")
    return tuple("/".join(segments[:count]) for count in range(1, len(segments) + 1))
