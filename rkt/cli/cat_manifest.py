"""``rkt cat-manifest``: the manifest of a pod, in any state that has one (section 1.13)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_arguments import UUID_FILE, read_uuid
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write
    from rkt.lifecycle.cat_manifest import load_manifest_text

    pretty = invocation.flags.boolean("pretty-print", default=True)
    write(load_manifest_text(invocation.settings.data, read_uuid(invocation), pretty=pretty))
    return 0


VERB = Verb(
    usage="UUID",
    description="Prints the manifest of a pod. UUID may be shortened to its first characters.",
    flags=(Flag("pretty-print", "indent the JSON document", boolean=True, default="true"), UUID_FILE),
    execute=execute,
)
