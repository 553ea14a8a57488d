"""``rkt list``: the pods as a table or as JSON (section 1.8)."""

from __future__ import annotations

import time

from rkt.cli.list_format import FORMAT_FLAGS, check_format
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt import diagnostics
    from rkt.cli.output import write, write_json
    from rkt.cli.table import format_table
    from rkt.cli.units import format_age, format_moment
    from rkt.lifecycle.list import format_errors, format_rows, legend, load_listing

    invocation.no_words()
    flags = invocation.flags
    output, full = check_format(flags), flags.boolean("full")
    listing = load_listing(invocation.settings.data)
    if listing.errors:
        diagnostics.line(format_errors(listing.errors))
    if output:
        from rkt.lifecycle.pod_json import pod_to_json

        write_json([pod_to_json(pod) for pod in listing.pods], pretty=output == "json-pretty")
        return 0
    now = time.time()
    rows = format_rows(
        listing.pods, full=full, format_time=format_moment if full else lambda ns: format_age(now - ns / 1e9)
    )
    if not flags.boolean("no-legend"):
        rows.insert(0, list(legend(full=full)))
    write(format_table(rows))
    return 0


VERB = Verb(
    usage="",
    description="Lists the pods: those being prepared, prepared, running, and ended but not yet collected.",
    flags=FORMAT_FLAGS,
    execute=execute,
)
