"""What is wrong with a manifest or a value, and where: problems with their JSON path, all of them at once.

It holds no rules; those live beside the types. Nothing here is printed, see :mod:`rkt.cli`.
"""

from __future__ import annotations

from rkt.errors import RktError
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: problems that the one-line message spells out; the rest is counted
SHOWN = 10
#: characters of one problem in that message; the author of the manifest chooses some of them
SHOWN_CHARACTERS = 300
#: characters of a quoted text that a message shows
QUOTED = 80


def quoted(text: str) -> str:
    """``text`` in double quotes for a message, cut when it is long (an attacker chooses it)."""
    if len(text) > QUOTED:
        text = text[:QUOTED] + "…"
    return f'"{text}"'


class Problem(Value):
    """One finding: ``path`` in the manifest (``app.mountPoints[1].path``, empty = the document) and ``message``."""

    __slots__ = ("message", "path")
    _fields = ("path", "message")
    path: str
    message: str

    def __init__(self, *, path: str, message: str) -> None:
        self._freeze(path, message)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ManifestError(RktError):
    """A manifest that breaks the specification; ``problems`` holds every finding in document order."""

    code = "bad-manifest"

    def __init__(self, source: str, problems: Iterable[Problem], hint: str | None = None) -> None:
        self.problems = tuple(problems)
        text = "; ".join(str(problem)[:SHOWN_CHARACTERS] for problem in self.problems[:SHOWN])
        if len(self.problems) > SHOWN:
            text += f"; and {len(self.problems) - SHOWN} more problems"
        super().__init__(f"invalid {source}: {text}", hint)


class InvalidValueError(RktError):
    """A single text (a name, an image ID, a quantity ...) that does not have the form of its type."""

    code = "invalid-value"

    def __init__(self, kind: str, text: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"bad {kind} {quoted(text)}: {why}", hint)
        self.reason = why
