"""The errors that a user can meet; every one of them becomes one clear line on stderr.

This module imports nothing but the standard library, so that any module may raise these. Turning an
error into text and an exit status happens in one place, :mod:`rkt.cli.main`, and nowhere else.

A message reads *operation "object": reason*, lower case, without a full stop. The hint, if there is one,
is the next step that the user can take.
"""

from __future__ import annotations

#: exit status of everything that is rkt's own failure, as against an app's (rkt 1.30, section 1.1)
FAILURE = 254


class RktError(Exception):
    """A failure that is explained to the user rather than shown as a traceback.

    ``code`` is a stable kebab-case name for programs, ``exit_status`` what the process ends with.
    """

    code = "error"
    exit_status = FAILURE

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(RktError):
    """The command line is wrong: an unknown flag, a bad value, a missing argument."""

    code = "usage"


class NotPermittedError(RktError):
    """The caller lacks a right (usually: is not root)."""

    code = "not-permitted"


class NotSupportedError(RktError):
    """The host or this version cannot do what was asked."""

    code = "not-supported"


def reason(error: BaseException) -> str:
    """The reason part of a message for ``error``: the kernel's own words for an :class:`OSError`."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    text = str(error)
    return text or type(error).__name__
