"""``rkt status``: one pod's state, after waiting for it if that is asked for (section 1.9)."""

from __future__ import annotations

from rkt.cli.flags import Flag, FlagValues, parse_boolean
from rkt.cli.list_format import FORMAT, check_format
from rkt.cli.pod_arguments import UUID_FILE, read_uuid
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt import diagnostics
    from rkt.cli.output import write_json, write_line
    from rkt.cli.units import format_moment
    from rkt.lifecycle.status import format_status, load_status

    flags = invocation.flags
    output = check_format(flags)
    summary = load_status(
        invocation.settings.data,
        read_uuid(invocation),
        ready_seconds=read_wait(flags, "wait-ready"),
        finished_seconds=read_wait(flags, "wait"),
    )
    for error in summary.errors:
        diagnostics.line(error.message)
    if output:
        from rkt.lifecycle.pod_json import pod_to_json

        write_json(pod_to_json(summary), pretty=output == "json-pretty")
        return 0
    for line in format_status(summary, format_time=format_moment):
        write_line(line)
    return 0


def read_wait(flags: FlagValues, name: str) -> float | None:
    """How many seconds to wait: none, forever (the bare flag), or a duration. Raises UsageError."""
    from rkt.cli.units import parse_duration
    from rkt.lifecycle.status import FOREVER

    text = flags.text(name, "false")
    boolean = parse_boolean(text)
    if boolean is None:
        return parse_duration(text, flag=name)
    return FOREVER if boolean else None


VERB = Verb(
    usage="UUID",
    description="Prints the state of a pod. UUID may be shortened to its first characters.",
    flags=(
        FORMAT,
        UUID_FILE,
        Flag("wait", "wait until the pod has ended: true, false, or how long (10s)", implied="true"),
        Flag("wait-ready", "wait until the apps have been started: true, false, or how long", implied="true"),
    ),
    execute=execute,
)
