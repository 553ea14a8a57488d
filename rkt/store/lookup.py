"""Lookups that use the index: by name and labels, by URL.

Every answer of the index is checked against the record. Where the index is missing, damaged, locked or out of date
the records themselves are read, so a lookup gives the same answer with and without it. It never waits to write.
"""

from __future__ import annotations

from rkt.store.errors import DamagedImageError, StoreError, StoreVersionError
from rkt.store.index import UnusableIndexError, open_index
from rkt.store.record import order_of_preference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.image_store import ImageStore
    from rkt.store.index import RemoteRecord
    from rkt.store.record import ImageRecord


class _IndexOutOfDate(Exception):
    """The index and a record disagree."""


def find_image(store: ImageStore, *, name: str, labels: dict[str, str]) -> ImageRecord | None:
    """See ``ImageStore.find_image``."""
    stale: list[str] = []
    try:
        found = _find_indexed(store, name=name, labels=labels, stale=stale)
    except StoreVersionError:
        raise
    except (StoreError, _IndexOutOfDate):
        return _find_by_reading(store, name=name, labels=labels)
    if stale and store.writable:
        _drop_stale(store, stale)
    return found


def _find_indexed(store: ImageStore, *, name: str, labels: dict[str, str], stale: list[str]) -> ImageRecord | None:
    with open_index(store.layout.index, write=False) as index:
        for entry in index.find_images(name=name, labels=labels):
            try:
                record = store.find_record(entry.key)
            except DamagedImageError:
                continue
            if record is None:
                stale.append(entry.key)
            elif entry.agrees_with(record) and record.satisfies(name=name, labels=labels):
                return record
            else:
                raise _IndexOutOfDate
    return None


def _find_by_reading(store: ImageStore, *, name: str, labels: dict[str, str]) -> ImageRecord | None:
    matching = [record for record in store.list_images() if record.satisfies(name=name, labels=labels)]
    asked = "version" in labels
    return max(matching, key=lambda record: order_of_preference(record, version_asked=asked), default=None)


def _drop_stale(store: ImageStore, keys: list[str]) -> None:
    """Delete rows without a record, unless a writer is at work: one of them may be about to be committed."""
    try:
        lock = store.find_lock_for_writing()
        if lock is None:
            return
        with lock, open_index(store.layout.index, write=True) as index:
            index.remove_images([key for key in keys if store.find_record(key) is None])
    except StoreError:
        pass


def find_remote(store: ImageStore, url: str) -> RemoteRecord | None:
    """See ``ImageStore.find_remote``. An unusable index knows of no downloads."""
    try:
        with open_index(store.layout.index, write=False) as index:
            remote = index.find_remote(url)
    except UnusableIndexError:
        return None
    if remote is None or store.find_record(remote.key) is None:
        return None
    return remote
