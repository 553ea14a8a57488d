"""Deleting what no image needs: files of writers that died, content without a record, index rows without an image.

It never removes an image: which images are still wanted is decided by the caller, who calls ``ImageStore.remove``.
"""

from __future__ import annotations

import os

from rkt.linux import durable
from rkt.store.errors import StorageErrors
from rkt.store.files import list_keys, list_leftovers
from rkt.store.index import UnusableIndexError
from rkt.store.staging import delete_content
from rkt.store.temporary import remove_leftovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.image_store import ImageStore
    from rkt.store.index import Index


def collect(store: ImageStore) -> int:
    """Delete leftovers and bring the index up to date; returns how many files and images' remains were deleted.

    Safe beside any other process: a file that is being written is locked, and everything else happens under the
    store's write lock. Raises StoreError.
    """
    layout = store.layout
    if not os.path.isdir(layout.cas):
        return 0
    with StorageErrors("collect garbage in", layout.cas):
        count = remove_leftovers(layout.temporary)
        with store.lock_for_writing():
            # all writers of these directories hold the lock that we hold
            for directory in (layout.records, layout.manifests):
                for path in list_leftovers(directory):
                    durable.remove_if_present(path)
                    count += 1
            return count + _collect_content(store)


def _collect_content(store: ImageStore) -> int:
    records = {record.key: record for record in store.list_images()}
    stored = set(store.list_keys())
    indexed: set[str] = set()
    store.update_index(lambda index: indexed.update(_intact_keys(index)))
    if records.keys() - indexed:
        store.rebuild_index()
    orphans = {*list_keys(store.layout.blobs), *list_keys(store.layout.manifests), *indexed} - stored
    if orphans:
        delete_content(store, sorted(orphans))
    return len(orphans)


def _intact_keys(index: Index) -> set[str]:
    if not index.is_intact():
        raise UnusableIndexError(f'index "{index.path}" is damaged')
    return index.list_keys()
