"""``rkt cat-manifest``: the manifest of a pod, in any state that has one (section 1.13)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_arguments import UUID_FILE, read_uuid
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.manifest_output import write_manifest
    from rkt.lifecycle.cat_manifest import load_manifest_bytes

    data = load_manifest_bytes(invocation.settings.data, read_uuid(invocation))
    write_manifest(data, pretty=invocation.flags.boolean("pretty-print", default=True))
    return 0


VERB = Verb(
    usage="UUID",
    description="Prints the manifest of a pod. UUID may be shortened to its first characters.",
    flags=(Flag("pretty-print", "indent the JSON document", boolean=True, default="true"), UUID_FILE),
    execute=execute,
)
