"""From the images typed to stored images: what is stored and may be run is looked up, the rest is fetched.

The fetcher, and with it the network and the signature code, is imported only if something must be fetched.
"""

from __future__ import annotations

from rkt.errors import UsageError
from rkt.fetch.stored import PULL_POLICIES, find_stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rkt.cli.app_arguments import ImageWords
    from rkt.cli.flags import FlagValues
    from rkt.cli.settings import Settings
    from rkt.fetch.image_fetch import Fetcher
    from rkt.store.image_store import ImageStore
    from rkt.store.record import ImageRecord


def read_pull_policy(flags: FlagValues, *, default: str) -> str:
    """``--pull-policy``, or what its deprecated forms stand for. Raises UsageError."""
    store_only, no_store = flags.boolean("store-only"), flags.boolean("no-store")
    if store_only and no_store:
        raise UsageError("both --store-only and --no-store specified")
    if store_only or no_store:
        return "never" if store_only else "update"
    policy = flags.text("pull-policy", default)
    if policy not in PULL_POLICIES:
        raise UsageError(f'invalid value "{policy}" for flag --pull-policy', f"use one of: {', '.join(PULL_POLICIES)}")
    return policy


def get_images(
    images: Iterable[ImageWords], store: ImageStore, settings: Settings, *, pull_policy: str
) -> list[ImageRecord]:
    """The stored image of each reference, in order, fetched where the policy says so.

    Raises the first failure, of the store or of the fetcher; images before it stay in the store.
    """
    records: list[ImageRecord] = []
    fetcher: Fetcher | None = None
    for image in images:
        signature = image.flags.find_text("signature")
        record = None
        if signature is None:
            record = find_stored(image.reference, store, insecure=settings.insecure, pull_policy=pull_policy)
        if record is None:
            if fetcher is None:
                fetcher = _make_fetcher(store, settings, pull_policy=pull_policy)
            record = fetcher.fetch(image.reference, signature=signature)
        records.append(record)
    return records


def _make_fetcher(store: ImageStore, settings: Settings, *, pull_policy: str) -> Fetcher:
    from rkt.fetch.image_fetch import Fetcher
    from rkt.keys.trust_store import TrustStore

    return Fetcher(store, TrustStore(settings.configuration), insecure=settings.insecure, pull_policy=pull_policy)
