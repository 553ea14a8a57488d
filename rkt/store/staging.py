"""Putting an image into the store and taking it out again: the only two ways in which the visible store changes.

Order of a commit: blob, manifest and index row are durable, then the record is renamed into place. Order of a
removal: the record goes first. So whatever moment a crash hits, a record always has its blob and its manifest.
"""

from __future__ import annotations

import os
import time

from rkt.linux import durable
from rkt.schema.image import decode_image_manifest
from rkt.store.errors import (
    DamagedImageError,
    ImageNotFoundError,
    StaleFilesError,
    StorageErrors,
    StoreError,
    StoreVersionError,
)
from rkt.store.layout import FILE_MODE, KEY_LENGTH
from rkt.store.pipeline import ImportedImage, import_image
from rkt.store.record import ImageOrigin, ImageRecord, checksum, damaged, encode_record
from rkt.store.removal import discard_path
from rkt.store.temporary import TemporaryFile, open_temporary, remove_leftovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from rkt.store.image_store import ImageStore
    from rkt.store.pipeline import Source


def stage_image(store: ImageStore, source: Source, *, size_limit: int | None) -> StagedImage:
    """See ``ImageStore.stage``."""
    store.layout.ensure_directories()
    _remove_leftovers(store.layout.temporary)
    with StorageErrors("write image", store.layout.temporary):
        temporary = open_temporary(store.layout.temporary, mode=FILE_MODE)
    try:
        imported = import_image(source, fd=temporary.fd, path=temporary.path, size_limit=size_limit)
        manifest = decode_image_manifest(imported.manifest_bytes)
        labels = tuple((str(label.name), str(label.value)) for label in manifest.labels)
        return StagedImage(store, temporary, imported, name=str(manifest.name), labels=labels)
    except BaseException:
        temporary.close()
        raise


def _remove_leftovers(directory: str) -> None:
    """What killed fetches left may be large, and nobody is told to collect it: the next fetch does. Best effort."""
    try:
        remove_leftovers(directory)
    except OSError:
        pass


class StagedImage:
    """A complete, checked image that nobody sees yet: :meth:`commit` it, or leave the ``with`` block to drop it."""

    __slots__ = ("_imported", "_store", "_temporary", "labels", "name")

    def __init__(
        self,
        store: ImageStore,
        temporary: TemporaryFile,
        imported: ImportedImage,
        *,
        name: str,
        labels: tuple[tuple[str, str], ...],
    ) -> None:
        self._store = store
        self._temporary = temporary
        self._imported = imported
        self.name = name
        self.labels = labels

    @property
    def image_id(self) -> str:
        """``sha512-`` and the 128 digits of the uncompressed tar's SHA-512."""
        return self._imported.image_id

    @property
    def key(self) -> str:
        """The name under which the store will hold it."""
        return self._imported.image_id[:KEY_LENGTH]

    @property
    def manifest_bytes(self) -> bytes:
        """The manifest as it is in the archive."""
        return self._imported.manifest_bytes

    @property
    def size(self) -> int:
        """Bytes of the uncompressed tar."""
        return self._imported.size

    def commit(self, origin: ImageOrigin) -> ImageRecord:
        """Make the image visible, durably; an image that is stored already is kept and not written again.

        Raises StoreError; then the store is as it was. To be called once.
        """
        with StorageErrors("store image", self._temporary.path):
            self._temporary.sync()
        with self._store.lock_for_writing():
            try:
                return _commit(self._store, self, origin)
            finally:
                self.discard()

    def discard(self) -> None:
        """Delete what was staged. Idempotent; nothing to do after a commit."""
        self._temporary.close()

    def __enter__(self) -> StagedImage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _commit(store: ImageStore, staged: StagedImage, origin: ImageOrigin) -> ImageRecord:
    layout, key = store.layout, staged.key
    _refuse_newer_index(store)
    existed = os.path.lexists(layout.record(key))
    previous = _find_intact(store, staged)
    try:
        with StorageErrors("store image", layout.blob(key)):
            if previous is None:
                _publish_content(store, staged)
            blob = os.stat(layout.blob(key), follow_symlinks=False)
        record = _merge(staged, origin, previous, stamp=(blob.st_ino, blob.st_ctime_ns))
        store.update_index(lambda index: index.put_image(record))
        with StorageErrors("store image", layout.record(key)):
            _write(store, layout.record(key), encode_record(record))
    except BaseException:
        if not existed:
            _withdraw(store, key)
        raise
    store.touch(key)
    return record


def _publish_content(store: ImageStore, staged: StagedImage) -> None:
    """Blob and manifest under their final names. Without a record they belong to nobody and are replaced."""
    blob = store.layout.blob(staged.key)
    _make_way(store, blob)
    staged._temporary.publish(blob)
    _write(store, store.layout.manifest(staged.key), staged.manifest_bytes)


def _write(store: ImageStore, path: str, data: bytes) -> None:
    _make_way(store, path)
    durable.write_file(path, data, mode=FILE_MODE)


def _make_way(store: ImageStore, path: str) -> None:
    """A rename replaces anything but a directory, which only damage can have put there."""
    store.layout.ensure_parent(path)
    if os.path.isdir(path) and not os.path.islink(path):
        discard_path(path)


def _find_intact(store: ImageStore, staged: StagedImage) -> ImageRecord | None:
    """The record if the store holds this image whole; damaged files count as absent, so that a fetch repairs them."""
    try:
        record = store.find_record(staged.key)
        if record is None:
            return None
        if record.image_id != staged.image_id:
            raise StoreError(f'image "{staged.image_id}" has the key of the stored image "{record.image_id}"')
        os.close(store.open_blob(staged.key))
        if not _is_unchanged(store, record):
            store.verify_blob(staged.key)
        if store.load_manifest(staged.key) != staged.manifest_bytes:
            raise damaged(staged.key, "its manifest is altered")
    except DamagedImageError:
        return None
    return record


def _is_unchanged(store: ImageStore, record: ImageRecord) -> bool:
    status = os.stat(store.layout.blob(record.key), follow_symlinks=False)
    return (status.st_ino, status.st_ctime_ns) == record.stamp


def _merge(
    staged: StagedImage, origin: ImageOrigin, previous: ImageRecord | None, *, stamp: tuple[int, int]
) -> ImageRecord:
    """The new record. What is known about an image never gets less by storing it again: a verified signature stays,
    "latest" stays, and then so does the import time, lest an old "latest" overtake a newer one."""
    latest, signed_by, import_time_ns = origin.latest, origin.signed_by, time.time_ns()
    if previous is not None:
        signed_by = signed_by or previous.signed_by
        if previous.latest and not latest:
            latest, import_time_ns = True, previous.import_time_ns
    return ImageRecord(
        image_id=staged.image_id,
        name=staged.name,
        labels=staged.labels,
        size=staged.size,
        archive_size=staged._imported.archive_size,
        import_time_ns=import_time_ns,
        origin=ImageOrigin(latest=latest, signed_by=signed_by),
        manifest_checksum=checksum(staged.manifest_bytes),
        stamp=stamp,
    )


def _withdraw(store: ImageStore, key: str) -> None:
    """Best effort after a failed commit; gc finishes what fails here. The first error is the one to report."""
    layout = store.layout
    for path in (layout.record(key), layout.manifest(key), layout.blob(key)):
        try:
            discard_path(path)
        except OSError:
            pass
    try:
        store.update_index(lambda index: index.remove_images([key]))
    except StoreError:
        pass


def remove_image(store: ImageStore, key: str) -> None:
    """See ``ImageStore.remove``."""
    record = store.layout.record(key)
    _check_is_stored(key, record)  # before a lock is taken, which creates a file
    with store.lock_for_writing():
        _check_is_stored(key, record)
        _refuse_newer_index(store)
        with StorageErrors("remove image", record):
            discard_path(record)
            durable.sync_directory(os.path.dirname(record))
        try:
            delete_content(store, [key])
        except StoreError as error:
            raise StaleFilesError(f"{error.message}; the image is removed", error.hint) from error


def _check_is_stored(key: str, record: str) -> None:
    if not os.path.lexists(record):
        raise ImageNotFoundError(f'image "{key}": no image IDs found', "list the images: rkt image list")


def _refuse_newer_index(store: ImageStore) -> None:
    from rkt.store.index import open_index

    try:
        with open_index(store.layout.index, write=False):
            pass
    except StoreVersionError:
        raise
    except StoreError:
        pass


def delete_content(store: ImageStore, keys: list[str]) -> None:
    """Delete index rows, manifests and blobs of images that have no record. The caller holds the write lock.

    Rows that cannot be deleted are left, as a row without a record means nothing and the disk may be full.
    Raises StoreVersionError, StoreError.
    """
    layout = store.layout
    try:
        store.update_index(lambda index: index.remove_images(keys))
    except StoreVersionError:
        raise
    except StoreError:
        pass
    for key in keys:
        with StorageErrors("remove image", layout.blob(key)):
            for path in (layout.manifest(key), layout.blob(key), layout.last_used(key)):
                discard_path(path)
