"""``rkt gc``: pods that have ended, expired or failed are moved to the garbage and deleted in their time (1.12).

What killed fetches, renders and removals left in the store is deleted too; images and complete trees are not.
"""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.verb import Invocation, Verb


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write_line
    from rkt.cli.units import format_duration, parse_duration
    from rkt.lifecycle.gc import collect

    invocation.no_words()
    flags = invocation.flags
    collect(
        invocation.settings.data,
        tell=write_line,
        format_duration=format_duration,
        grace_period_seconds=parse_duration(flags.text("grace-period", "30m"), flag="grace-period"),
        expire_prepared_seconds=parse_duration(flags.text("expire-prepared", "24h"), flag="expire-prepared"),
        mark_only=flags.boolean("mark-only"),
    )
    if not flags.boolean("mark-only"):
        _collect_leftovers(invocation)
    return 0


def _collect_leftovers(invocation: Invocation) -> None:
    """A store that cannot be collected is said; as with a pod that cannot be deleted, gc has not failed."""
    from rkt import diagnostics
    from rkt.store import gc
    from rkt.store.errors import StoreError
    from rkt.store.image_store import open_image_store
    from rkt.store.tree_store import open_tree_store

    try:
        with open_image_store(invocation.settings.data) as store:
            gc.collect(store)
            open_tree_store(store).collect()
    except StoreError as error:
        diagnostics.line(error.message)


VERB = Verb(
    usage="",
    description=(
        "Deletes pods that ended longer ago than the grace period, prepared pods that nobody has run, and what is "
        "left of failed starts."
    ),
    flags=(
        Flag("expire-prepared", "how long a prepared pod is kept", default="24h0m0s"),
        Flag("grace-period", "how long a pod is kept after it has ended", default="30m0s"),
        Flag("mark-only", "only mark what will be deleted", boolean=True),
    ),
    needs_root=True,
    execute=execute,
)
