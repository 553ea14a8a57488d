"""An exception becomes lines on stderr and an exit status; :func:`rkt.cli.main.run` alone calls this.

It is imported only when something has gone wrong. Section 1.1, "Error rendering".
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.errors import FAILURE, RktError, reason

#: what a shell reports for a process that SIGINT or SIGPIPE has ended
INTERRUPTED = 128 + 2
READER_GONE = 128 + 13


def report_failure(error: BaseException) -> int:
    """Print what ``error`` means to the user and return the exit status.

    An explained error is ``message: innermost cause``, and the hint on a line of its own; with ``--debug`` every
    cause has a line. Anything else is an internal error: one line, and the traceback with ``--debug``.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILURE
    if isinstance(error, KeyboardInterrupt):
        diagnostics.line("interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return READER_GONE  # the reader of stdout has seen enough: nobody is left to tell
    if not isinstance(error, (RktError, OSError)):
        _report_internal(error)
        return FAILURE
    chain = _causes(error)
    if diagnostics.debug_enabled():
        for depth, text in enumerate(chain):
            diagnostics.line("  " * (depth - 1) + "└─" + text if depth else text)
    else:
        diagnostics.line(_joined(chain))
    if isinstance(error, RktError):
        if error.hint:
            diagnostics.line(f"hint: {error.hint}")
        return error.exit_status
    return FAILURE


def _report_internal(error: BaseException) -> None:
    diagnostics.line(f"internal error: {type(error).__name__}: {reason(error)}")
    if diagnostics.debug_enabled():
        import traceback

        diagnostics.line("".join(traceback.format_exception(error)).rstrip("\n"))
    else:
        diagnostics.line("hint: run it again with --debug and report what it prints")


def _causes(error: BaseException) -> list[str]:
    """The texts of ``error`` and of the explained errors and kernel errors behind it, outermost first.

    What libraries derive from OSError has no errno; the message in front of it says it better, so it is for --debug.
    """
    texts: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, RktError) or (isinstance(current, OSError) and _is_shown(current, first=not texts)):
            texts.append(_text(current))
        current = current.__cause__
    return texts


def _is_shown(error: OSError, *, first: bool) -> bool:
    return first or isinstance(error.errno, int) or diagnostics.debug_enabled()


def _text(error: RktError | OSError) -> str:
    if isinstance(error, RktError):
        return error.message
    return reason(error) if error.filename is None else f'"{_name(error.filename)}": {reason(error)}'


def _name(filename: object) -> str:
    return filename.decode("utf-8", "backslashreplace") if isinstance(filename, bytes) else str(filename)


def _joined(chain: list[str]) -> str:
    """The first and the last text; only the first where it says the last one's reason already."""
    first, last = chain[0], chain[-1]
    innermost_reason = last.rpartition('": ')[2] or last
    return first if innermost_reason in first else f"{first}: {last}"
