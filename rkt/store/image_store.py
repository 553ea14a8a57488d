"""The content-addressed image store: find, read, verify, stage, remove.

Files are the truth, the SQLite index only makes lookups by name quick. A store that was never written is an empty
store. Nothing here decides which image is wanted, trusted or still used: that is the caller's.
"""

from __future__ import annotations

import os
import time

from rkt.store.errors import (
    AmbiguousImageError,
    ImageNotFoundError,
    StorageErrors,
    StoreError,
    StoreVersionError,
    storage_error,
)
from rkt.store.files import NotAFileError, list_keys, load_regular, open_regular
from rkt.store.layout import KEY_LENGTH, PREFIX, StoreLayout, parse_image_id
from rkt.store.locks import FileLock, find_lock, open_lock
from rkt.store.record import checksum, damaged, decode_record, order_of_preference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rkt.paths import DataDirectory
    from rkt.store.index import Index, RemoteRecord
    from rkt.store.pipeline import Source
    from rkt.store.record import ImageRecord
    from rkt.store.staging import StagedImage

#: how long a writer waits for another one; commits take milliseconds, rebuilding an index a few seconds
LOCK_WAIT_SECONDS = 60.0
#: an image manifest is kept in memory, a larger one is an attack
MANIFEST_LIMIT_BYTES = 16 << 20
_RECORD_LIMIT_BYTES = 1 << 20
_HASH_CHUNK_BYTES = 1 << 20


def open_image_store(data: DataDirectory, *, create: bool = False) -> ImageStore:
    """The store of a data directory, as a context manager; ``create`` makes its directories where they are missing.

    Opening without ``create`` costs no system call. Raises StoreError.
    """
    layout = StoreLayout(data)
    if create:
        layout.ensure_directories()
    return ImageStore(layout, writable=create)


class ImageStore:
    """One store. Every method may be called by several processes at once; see ``docs/on-disk-format.md``."""

    __slots__ = ("layout", "lock_wait_seconds", "writable")

    def __init__(self, layout: StoreLayout, *, writable: bool) -> None:
        self.layout = layout
        self.writable = writable
        self.lock_wait_seconds = LOCK_WAIT_SECONDS

    def __enter__(self) -> ImageStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    # --- finding ---

    def resolve_key(self, text: str) -> str:
        """The key of the one stored image whose ID is ``text`` or begins with it (at least two digits).

        Digits beyond the key are compared with the full ID in the record. Raises ImageIdError, ImageNotFoundError,
        AmbiguousImageError.
        """
        wanted = parse_image_id(text)
        if len(wanted) >= KEY_LENGTH:
            if not self.get_record(wanted[:KEY_LENGTH]).image_id.startswith(wanted):
                raise _no_such_image(text)
            return wanted[:KEY_LENGTH]
        with StorageErrors("read store", self.layout.records):
            keys = list(list_keys(self.layout.records, prefix=wanted[len(PREFIX) :]))
        if not keys:
            raise _no_such_image(text)
        if len(keys) > 1:
            hint = f"{len(keys)} images begin with it; give more digits"
            raise AmbiguousImageError(f'ambiguous image ID: "{text}"', hint)
        return keys[0]

    def find_record(self, key: str) -> ImageRecord | None:
        """The record of an image, None if it is not stored. Raises DamagedImageError, StoreVersionError."""
        path = self.layout.record(key)
        try:
            data = _load_or_damaged(path, key=key, limit=_RECORD_LIMIT_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise storage_error("read image record", path, error) from error
        return decode_record(data, key=key)

    def get_record(self, key: str) -> ImageRecord:
        """The record of a stored image. Raises ImageNotFoundError, DamagedImageError, StoreVersionError."""
        record = self.find_record(key)
        if record is None:
            raise _no_such_image(key)
        return record

    def find_image(self, name: str, labels: dict[str, str]) -> ImageRecord | None:
        """The image that a name and labels mean (section 2.2.2), or None.

        Every label asked for must be equal; when no version is asked, one stored as latest is preferred; then the
        newest import. Raises StoreVersionError if the index is newer than this rkt.
        """
        from rkt.store.lookup import find_image

        return find_image(self, name=name, labels=labels)

    def list_images(self) -> list[ImageRecord]:
        """The records of all images, oldest import first; damaged records are left out (see :meth:`list_keys`)."""
        records = []
        for key in self.list_keys():
            try:
                record = self.find_record(key)
            except StoreVersionError:
                raise
            except StoreError:
                continue
            if record is not None:
                records.append(record)
        return sorted(records, key=lambda record: order_of_preference(record, version_asked=True))

    def list_keys(self) -> list[str]:
        """The keys of all stored images, damaged ones included."""
        with StorageErrors("read store", self.layout.records):
            return list(list_keys(self.layout.records))

    # --- reading ---

    def load_manifest(self, key: str) -> bytes:
        """The image manifest, byte for byte as in the archive. Raises ImageNotFoundError, DamagedImageError."""
        record = self.get_record(key)
        path = self.layout.manifest(key)
        with StorageErrors("read image manifest", path):
            try:
                data = _load_or_damaged(path, key=key, limit=MANIFEST_LIMIT_BYTES)
            except FileNotFoundError:
                raise damaged(key, "its manifest is missing") from None
        if checksum(data) != record.manifest_checksum:
            raise damaged(key, "its manifest is altered")
        return data

    def open_blob(self, key: str) -> int:
        """A read-only fd of the uncompressed tar; close it. It stays readable when the image is removed.

        The size is checked, the content is not (:meth:`verify_blob`). Raises ImageNotFoundError, DamagedImageError.
        """
        record = self.get_record(key)
        path = self.layout.blob(key)
        with StorageErrors("open image", path):
            try:
                fd = open_regular(path)
            except (FileNotFoundError, NotAFileError):
                raise damaged(key, "its blob is missing") from None
            size = os.fstat(fd).st_size
        if size != record.size:
            os.close(fd)
            raise damaged(key, f"its blob has {size} bytes instead of {record.size}")
        return fd

    def verify_blob(self, key: str, *, fd: int | None = None) -> None:
        """Compare the SHA-512 of the blob with the full image ID; ``fd`` is the blob if it is open already.

        Raises DamagedImageError for any difference (appc, image ID; DEP-027), StoreError when reading fails.
        """
        import hashlib

        record = self.get_record(key)
        opened = self.open_blob(key) if fd is None else fd
        digest, offset = hashlib.sha512(), 0
        try:
            with StorageErrors("read image", self.layout.blob(key)):
                while chunk := os.pread(opened, _HASH_CHUNK_BYTES, offset):
                    digest.update(chunk)
                    offset += len(chunk)
        finally:
            if fd is None:
                os.close(opened)
        if PREFIX + digest.hexdigest() != record.image_id:
            raise damaged(key, "its blob does not have the digest that it is named after")

    def is_fresh(self, key: str, *, fd: int, seconds: int) -> bool:
        """Whether the open blob is the very file that was hashed while it was written, unaltered and that recently.

        Any write to it, a copy or a restored backup changes inode or ctime; age bounds what only the disk changed.
        """
        status = os.fstat(fd)
        age_ns = time.time_ns() - status.st_ctime_ns
        return (status.st_ino, status.st_ctime_ns) == self.get_record(key).stamp and 0 <= age_ns < seconds * 10**9

    # --- last use ---

    def touch(self, key: str) -> None:
        """Note that the image is used now. Best effort: neither durable nor an error on a read-only store."""
        path = self.layout.last_used(key)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            try:
                os.utime(fd)
            finally:
                os.close(fd)
        except OSError:
            pass

    def last_used_ns(self, record: ImageRecord) -> int:
        """When the image was used last, ns since the epoch; its import if it was not used since."""
        try:
            return max(os.stat(self.layout.last_used(record.key)).st_mtime_ns, record.import_time_ns)
        except OSError:
            return record.import_time_ns

    # --- downloads ---

    def find_remote(self, url: str) -> RemoteRecord | None:
        """What was downloaded from ``url``, if the image that it led to is still stored."""
        from rkt.store.lookup import find_remote

        return find_remote(self, url)

    def put_remote(self, remote: RemoteRecord) -> None:
        """Remember a download durably. Raises StoreError."""
        with self.lock_for_writing():
            self.update_index(lambda index: index.put_remote(remote))

    # --- writing ---

    def stage(self, source: Source, *, size_limit: int | None = None) -> StagedImage:
        """Read a compressed or plain ACI from ``source`` into the store without making it visible.

        One pass decompresses, checks the archive, hashes and writes; ``size_limit`` bounds the uncompressed bytes.
        Raises ArchiveError, StoreError and what ``source.read`` raises; then nothing is left.
        """
        from rkt.store.staging import stage_image

        return stage_image(self, source, size_limit=size_limit)

    def remove(self, key: str) -> None:
        """Remove an image: record first, then index rows, manifest and blob. Rendered trees stay.

        Raises ImageNotFoundError; StoreError if it could not be removed and is still there; StaleFilesError if it is
        removed but left files that :func:`rkt.store.gc.collect` will delete.
        """
        from rkt.store.staging import remove_image

        remove_image(self, key)

    def lock_for_writing(self) -> FileLock:
        """The lock that commits, removals and gc hold while they change what is visible. Raises StoreBusyError."""
        return open_lock(self.layout.write_lock, exclusive=True, wait_seconds=self.lock_wait_seconds)

    def find_lock_for_writing(self) -> FileLock | None:
        """The same lock, None if another process has it."""
        return find_lock(self.layout.write_lock, exclusive=True)

    def update_index(self, change: Callable[[Index], None]) -> None:
        """Apply ``change`` to the index, which is rebuilt from the records first where it is unusable.

        The caller holds the write lock. Raises StoreVersionError for an index of a newer rkt, StoreError.
        """
        from rkt.store.index import UnusableIndexError, open_index

        try:
            with open_index(self.layout.index, write=True) as index:
                change(index)
            return
        except UnusableIndexError:
            self.rebuild_index()
        with open_index(self.layout.index, write=True) as index:
            change(index)

    def rebuild_index(self) -> None:
        """Write a new index from the records. The caller holds the write lock. Raises StoreError."""
        from rkt.store.index import build_index

        with StorageErrors("rebuild index", self.layout.index):
            build_index(self.layout.index, self.list_images())


def _load_or_damaged(path: str, *, key: str, limit: int) -> bytes:
    try:
        return load_regular(path, limit=limit)
    except NotAFileError:
        raise damaged(key, f'"{path}" is not a regular file') from None


def _no_such_image(text: str) -> ImageNotFoundError:
    return ImageNotFoundError(f'image "{text}": no image IDs found', "list the images: rkt image list")
