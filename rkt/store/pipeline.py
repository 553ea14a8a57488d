"""Decompress, hash, scan and write one image in a single pass with two threads.

The calling thread reads and decompresses, one worker hashes, scans and writes; zlib, hashlib and write(2) release
the interpreter's lock, so on two cores the pass takes as long as the slower half. A bounded queue keeps memory
small whatever the image. It neither names files nor syncs them.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading

from rkt.aci.archive import ArchiveScan
from rkt.aci.compression import open_decompressed
from rkt.store.errors import StoreError, storage_error
from rkt.store.layout import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Source(Protocol):
        """What an image is read from: the compressed bytes, in order, b"" at the end."""

        def read(self, size: int, /) -> bytes: ...


CHUNK_BYTES = 1 << 20
_QUEUE_LENGTH = 8


class ImportedImage:
    """What one pass found: the full image ID, sizes in bytes and the manifest's bytes as they are in the archive."""

    __slots__ = ("archive_size", "image_id", "manifest_bytes", "size")

    def __init__(self, *, image_id: str, size: int, archive_size: int, manifest_bytes: bytes) -> None:
        self.image_id = image_id
        self.size = size
        self.archive_size = archive_size
        self.manifest_bytes = manifest_bytes


class _CountingSource:
    """The source, with the bytes counted that were read from it."""

    __slots__ = ("count", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self.source.read(size)
        self.count += len(data)
        return data


class _Writer:
    """The worker: takes chunks off the queue until None. After an error it only drains, so that nobody blocks."""

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path
        self.size = 0
        self.error: BaseException | None = None
        self.digest = hashlib.sha512()
        self.scan = ArchiveScan()
        self.chunks: queue.Queue[bytes | None] = queue.Queue(_QUEUE_LENGTH)

    def run(self) -> None:
        while (chunk := self.chunks.get()) is not None:
            if self.error is None:
                try:
                    self._take(chunk)
                except BaseException as error:
                    self.error = error

    def _take(self, chunk: bytes) -> None:
        start = self.size
        self.size += len(chunk)
        self.scan.feed(chunk)
        self.digest.update(chunk)
        try:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self.fd, view) :]
            # begins to write these pages back (they are dirty, so none is dropped): the fsync at the end is short
            os.posix_fadvise(self.fd, start, len(chunk), os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise storage_error("write image", self.path, error) from error


def import_image(source: Source, *, fd: int, path: str, size_limit: int | None = None) -> ImportedImage:
    """Write the uncompressed image that ``source`` yields to ``fd`` (named ``path`` in messages).

    ``size_limit`` bounds the uncompressed bytes. Raises ArchiveError for bad archives and beyond limits, StoreError
    when writing fails, and whatever ``source`` raises. When it raises, the content of ``fd`` is meaningless.
    """
    writer = _Writer(fd, path)
    counter = _CountingSource(source)
    thread = threading.Thread(target=writer.run, name="image-writer", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise StoreError(f"cannot start a thread: {error}", "raise the limit of processes (ulimit -u)") from error
    try:
        reader = open_decompressed(counter, size_limit=size_limit)
        while writer.error is None and (chunk := reader.read(CHUNK_BYTES)):
            writer.chunks.put(chunk)
    finally:
        writer.chunks.put(None)
        thread.join()
    if writer.error is not None:
        raise writer.error
    summary = writer.scan.finish()
    return ImportedImage(
        image_id=PREFIX + writer.digest.hexdigest(),
        size=writer.size,
        archive_size=counter.count,
        manifest_bytes=summary.manifest,
    )
