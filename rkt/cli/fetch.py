"""``rkt fetch``: images into the store, one line with the image ID for each (section 1.7)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.pod_flags import FETCH_FLAGS
from rkt.cli.verb import Invocation, Verb
from rkt.errors import UsageError

#: digits of an image ID that are printed
SHORT_DIGITS = 32
FULL_DIGITS = 64


def execute(invocation: Invocation) -> int:
    from rkt.cli.app_images import get_images, read_pull_policy
    from rkt.cli.output import write_line
    from rkt.fetch.reference import HASH_PREFIX
    from rkt.store.image_store import open_image_store

    apps, settings = invocation.get_apps(), invocation.settings
    pull_policy = read_pull_policy(invocation.flags, default="update")
    apps.refuse_arguments()
    if not apps.images:
        raise UsageError("must provide at least one image")
    length = len(HASH_PREFIX) + (FULL_DIGITS if invocation.flags.boolean("full") else SHORT_DIGITS)
    with open_image_store(settings.data, create=True) as store:
        for image in apps.images:
            (record,) = get_images([image], store, settings, pull_policy=pull_policy)
            write_line(record.image_id[:length])
    return 0


VERB = Verb(
    usage="IMAGE [--signature=FILE] [IMAGE ...]",
    description=(
        "Fetches images, verifies their signatures, stores them, and prints their image IDs. IMAGE is a file, a URL, "
        "or a name; an image ID is looked up in the store."
    ),
    flags=(
        Flag("full", "print image IDs in full length", boolean=True),
        Flag("pull-policy", "when to fetch an image: never, new (not in the store yet), update", default="update"),
        *FETCH_FLAGS[1:],
        Flag("signature", "file of the image's detached signature", of_image=True),
    ),
    takes_apps=True,
    execute=execute,
)
