"""``rkt image cat-manifest``: the manifest of a stored image (section 1.16)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.verb import Invocation, Verb
from rkt.errors import UsageError


def execute(invocation: Invocation) -> int:
    from rkt.cli.image_argument import get_image
    from rkt.cli.manifest_output import write_manifest
    from rkt.store.image_store import open_image_store

    if len(invocation.words) != 1:
        raise UsageError("must provide exactly one image")
    with open_image_store(invocation.settings.data) as store:
        record = get_image(store, invocation.words[0])
        write_manifest(store.load_manifest(record.key), pretty=invocation.flags.boolean("pretty-print", default=True))
    return 0


VERB = Verb(
    usage="IMAGE",
    description="Prints the manifest of an image in the store. IMAGE is an image ID, the beginning of one, or a name.",
    flags=(Flag("pretty-print", "indent the JSON document", boolean=True, default="true"),),
    execute=execute,
)
