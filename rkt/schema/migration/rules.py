"""Names that older releases allowed: what still has to be readable although nobody may write it today.

Only names that cannot be renamed are here, because they are keys between images and registries: image, label,
annotation and isolator names, and environment variables. Names inside one manifest are made AC Names instead, by
the steps of :mod:`rkt.schema.migration`.
"""

from __future__ import annotations

from rkt.schema.names import find_environment_name_problem
from rkt.schema.reading import Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.version import Release

_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~/")


def find_old_identifier_problem(text: str) -> str | None:
    """Why no release before 0.4.0 (nor the original's library) would take ``text`` for an identifier.

    Separators may stand anywhere. The parts ``.`` and ``..`` of a path are refused all the same: such a name is
    harmful wherever it becomes a path or a URL, and no image can be found under it.
    """
    if not text:
        return "must not be empty"
    if not _CHARACTERS.issuperset(text):
        return 'may contain only lower-case letters, digits and "-._~/"'
    if any(part in (".", "..") for part in text.split("/")):
        return 'must not have "." or ".." as a part of its path'
    return None


def _accept_any(text: str) -> str | None:
    """Releases before 0.2.0 did not look at the keys of annotations."""
    return None


def find_old_environment_name_problem(text: str) -> str | None:
    """Why ``text`` cannot name an environment variable at all; before 0.3.0 any text could."""
    if not text:
        return "must not be empty"
    return 'must not contain "=" or a NUL character' if "=" in text or "\0" in text else None


def rules_of(release: Release) -> Rules:
    """The rules of a release before 0.4.0; for a later one, those of the original's library (the lenient switch)."""
    return Rules(
        identifier=find_old_identifier_problem,
        annotation_name=_accept_any if release < (0, 2, 0) else find_old_identifier_problem,
        environment_name=find_old_environment_name_problem if release < (0, 3, 0) else find_environment_name_problem,
        check_labels=release >= (0, 2, 0),
    )
