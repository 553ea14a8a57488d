"""``rkt image validate``: are these image archives, image layouts and manifests valid? (actool's validate)

All problems of a file are reported, each in a line of its own, and so is what is allowed but deserves a second look
(``warning:``, which changes nothing about the status). Silence and status 0 mean that everything is well.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.cli.flags import Flag
from rkt.cli.verb import Invocation, Verb
from rkt.errors import FAILURE, UsageError


def execute(invocation: Invocation) -> int:
    from rkt.aci.validate import KINDS, validate_file

    kind = invocation.flags.text("type") or None
    if kind is not None and kind not in KINDS:
        raise UsageError(f'invalid value "{kind}" for flag --type', f"use one of: {', '.join(KINDS)}")
    if not invocation.words:
        raise UsageError("must pass one or more files")
    status = 0
    for path in invocation.words:
        verdict = validate_file(path, kind=kind)
        for line in (*verdict.lines, *verdict.warnings):
            diagnostics.line(line)
        if verdict.valid:
            diagnostics.debug(verdict.success)
            continue
        status = FAILURE
        if verdict.stops:
            break
    return status


VERB = Verb(
    usage="FILE...",
    description=(
        "Checks image archives, image layouts (directories) and manifests against App Container 0.8.11. What FILE is "
        "is found out unless --type says it."
    ),
    flags=(Flag("type", "what the files are: appimage, layout or manifest"),),
    execute=execute,
)
