"""Images that are in the store already: the part of fetching that needs no network, no signature and no time.

An image is handed out only if it may be run: with verification on, one that was stored without a good signature is
refused, so that ``--insecure-options=image`` for one fetch does not weaken every later run (rkt 1.30 ran such images
silently). Nothing heavy is imported here: this is on the path of ``rkt run sha512-...``.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.fetch.errors import UnverifiedImageError
from rkt.fetch.reference import HASH, NAME, URL, parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.fetch.reference import ImageReference
    from rkt.store.image_store import ImageStore
    from rkt.store.record import ImageRecord

#: the pull policies (section 5.2)
NEVER, NEW, UPDATE = "never", "new", "update"
PULL_POLICIES = (NEVER, NEW, UPDATE)


def find_stored(
    reference: str | ImageReference, store: ImageStore, *, insecure: frozenset[str], pull_policy: str
) -> ImageRecord | None:
    """The stored image that a reference means and that needs no fetching under ``pull_policy``; None if it needs it.

    A hash is looked up and never fetched; names are looked up only, until discovery comes; a URL is looked up unless
    the policy is ``update``; a file is always read again. ``insecure`` are the single protections that are off.

    Raises UnverifiedImageError for an image that nobody signed while ``image`` is not in ``insecure``; for a hash the
    errors of ``ImageStore.resolve_key``; ImageReferenceError.
    """
    wanted = parse_reference(reference) if isinstance(reference, str) else reference
    if wanted.kind == HASH:
        record = store.get_record(store.resolve_key(wanted.text))
        diagnostics.debug(f"using image from the store with hash {record.key}", prefix="image")
        return _checked(record, insecure)
    if wanted.kind == NAME:
        found = store.find_image(wanted.name, wanted.labels)
        if found is None:
            return None
        diagnostics.debug(f"using image from local store for image name {wanted.text}", prefix="image")
        return _checked(found, insecure)
    if wanted.kind == URL and pull_policy != UPDATE:
        return _find_by_url(wanted.location, store, insecure=insecure, pull_policy=pull_policy)
    return None


def is_acceptable(record: ImageRecord, *, insecure: frozenset[str]) -> bool:
    """Whether the image may be used: its signature was good when it was stored, or nobody asks for one."""
    return record.verified or "image" in insecure


def _find_by_url(url: str, store: ImageStore, *, insecure: frozenset[str], pull_policy: str) -> ImageRecord | None:
    remote = store.find_remote(url)
    record = store.find_record(remote.key) if remote else None
    if record is None:
        return None
    if pull_policy == NEW and not is_acceptable(record, insecure=insecure):
        return None  # fetched once more, this time with its signature
    diagnostics.debug(f"using image from local store for url {url}", prefix="image")
    return _checked(record, insecure)


def _checked(record: ImageRecord, insecure: frozenset[str]) -> ImageRecord:
    if not is_acceptable(record, insecure=insecure):
        raise UnverifiedImageError(
            f'image "{record.name}" ({record.key[:39]}) is in the store without a verified signature',
            "fetch it again with its signature, or use it as it is with --insecure-options=image",
        )
    return record
