"""``rkt rm``: pods that do not run are deleted at once (section 1.11)."""

from __future__ import annotations

from rkt.cli.pod_arguments import UUID_FILE, read_uuids
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write_line
    from rkt.lifecycle.rm import remove_pods

    remove_pods(invocation.settings.data, read_uuids(invocation), tell=write_line)
    return 0


VERB = Verb(
    usage="UUID...",
    description=(
        "Deletes pods that do not run, whatever the grace period. UUID may be shortened to its first characters."
    ),
    flags=(UUID_FILE,),
    needs_root=True,
    execute=execute,
)
