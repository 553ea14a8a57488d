"""``rkt stop``: running pods are asked to end, or killed (section 1.10)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_arguments import UUID_FILE, read_uuids
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write_line
    from rkt.lifecycle.stop import stop_pods

    uuids = read_uuids(invocation)
    stop_pods(invocation.settings.data, uuids, force=invocation.flags.boolean("force"), tell=write_line)
    return 0


VERB = Verb(
    usage="UUID...",
    description=(
        'Asks running pods to end, and does not wait until they have: "rkt status --wait" does. UUID may be shortened '
        "to its first characters."
    ),
    flags=(Flag("force", "kill the pods instead of asking them", boolean=True), UUID_FILE),
    execute=execute,
)
