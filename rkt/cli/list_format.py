"""The flags that say how a list or a status is printed: ``--format``, ``--full``, ``--no-legend``."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.cli.flags import FlagValues

FORMAT = Flag("format", "json or json-pretty instead of text")
FORMAT_FLAGS = (
    FORMAT,
    Flag("full", "print identifiers and times in full length", boolean=True),
    Flag("no-legend", "leave out the headings", boolean=True),
)


def check_format(flags: FlagValues) -> str:
    """``--format``, empty for text. Raises UsageError."""
    text = flags.text("format")
    if text not in ("", "json", "json-pretty"):
        raise UsageError(f'invalid value "{text}" for flag --format', "use json or json-pretty")
    return text
