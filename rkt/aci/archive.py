"""Judge an image archive while its bytes stream by: every rule of appc's image archive (aci.md#image-archives).

It keeps the manifest and hashes of names, nothing else, so memory stays small however large the image. It does not
decompress, does not look into the manifest, and writes nothing.
"""

from __future__ import annotations

from rkt.aci.errors import ArchiveError, ArchiveLimitError, quoted
from rkt.aci.header import DIRECTORY, HARD_LINK, REGULAR, TYPE_NAMES, Entry
from rkt.aci.names import MANIFEST, NameSet, clean_name, path_in_rootfs
from rkt.aci.tar import HeaderReader, truncated

#: limits of ours, reported as such (ACI-036)
MAX_MANIFEST_BYTES = 4 << 20
MAX_ENTRIES = 1_000_000


class ArchiveSummary:
    """What a sound archive holds: the manifest's bytes, the number of entries, the bytes of the whole archive."""

    __slots__ = ("entries", "manifest", "size")

    def __init__(self, *, manifest: bytes, entries: int, size: int) -> None:
        self.manifest = manifest
        self.entries = entries
        self.size = size

    def __repr__(self) -> str:
        return f"ArchiveSummary(manifest={self.manifest!r}, entries={self.entries}, size={self.size})"


class ArchiveScan:
    """Feed it an uncompressed archive in pieces of any size, then call :meth:`finish`.

    :meth:`feed` raises ArchiveError as soon as a rule is broken; the scan is of no further use then.
    """

    __slots__ = ("_entries", "_manifest", "_names", "_offset", "_pending", "_reader", "_rootfs_seen", "_skip",
                 "_take")  # fmt: skip

    def __init__(self) -> None:
        self._reader = HeaderReader()
        self._names = NameSet()
        self._entries = 0
        self._manifest: bytes | None = None
        self._rootfs_seen = False
        # the begin of something that is not complete yet, and where in the archive it lies
        self._pending = bytearray()
        self._offset = 0
        # content that is still to come: bytes to pass over; the manifest, if its content is next
        self._skip = 0
        self._take: Entry | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Raises ArchiveError."""
        if self._skip >= len(chunk):
            self._skip -= len(chunk)
            self._offset += len(chunk)
            return
        if self._pending:
            # in place, so that a large manifest that comes in small pieces is not copied with every piece
            self._pending += chunk
            if len(self._pending) < self._wanted():
                return
            chunk = bytes(self._pending)
        position = self._consume(chunk)
        self._offset += min(position, len(chunk))
        self._pending = bytearray(chunk[position:])

    def _wanted(self) -> int:
        return self._reader.wanted if self._take is None else self._take.padded_size

    def _consume(self, chunk: bytes) -> int:
        """Walk from header to header; returns where in ``chunk`` the first incomplete thing begins."""
        reader = self._reader
        position, end = self._skip, len(chunk)
        self._skip = 0
        while not reader.ended:
            begin, position = position, position + self._wanted()
            if position > end:
                self._skip = max(0, begin - end)
                return begin
            if self._take is not None:
                self._manifest = chunk[begin : begin + self._take.size]
                self._take = None
                continue
            entry = reader.accept(chunk[begin:position], self._offset + position)
            if entry is not None:
                self._judge(entry)
                if self._take is None:
                    position += entry.padded_size
        if chunk.count(0, position) != end - position:
            raise ArchiveError("archive has trailing data after its end")
        return end

    def finish(self) -> ArchiveSummary:
        """The summary, after the last byte. Raises ArchiveError if something is missing."""
        if not self._reader.ended:
            raise truncated()
        if self._manifest is None:
            raise ArchiveError("archive has no image manifest: no image manifest found in layout")
        if not self._rootfs_seen:
            raise ArchiveError('archive has no directory "rootfs": no rootfs found in layout')
        return ArchiveSummary(manifest=self._manifest, entries=self._entries, size=self._offset)

    def _judge(self, entry: Entry) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise ArchiveLimitError(f"archive has more than {MAX_ENTRIES} entries")
        name = clean_name(entry.name)
        if not self._names.add(name):
            raise ArchiveError(f"archive has a duplicate file entry: {quoted(name)}")
        if entry.type == DIRECTORY:
            self._names.add(name + b"/")  # no clean name ends so: it tells directories from the rest
        path = path_in_rootfs(name)
        if path is None:
            self._judge_outside(entry, name)
        elif path == b"":
            if entry.type != DIRECTORY:
                raise ArchiveError(f"rootfs is not a directory but a {TYPE_NAMES[entry.type]}")
            self._rootfs_seen = True
        elif entry.type == HARD_LINK:
            self._judge_hard_link(entry, name)

    def _judge_outside(self, entry: Entry, name: bytes) -> None:
        if name == MANIFEST:
            if entry.type != REGULAR:
                raise ArchiveError(f"manifest is not a regular file but a {TYPE_NAMES[entry.type]}")
            if entry.size > MAX_MANIFEST_BYTES:
                raise ArchiveLimitError(f"manifest has {entry.size} bytes, more than {MAX_MANIFEST_BYTES}")
            self._take = entry
        elif name or entry.type != DIRECTORY:  # "./" itself is written by: tar -C LAYOUT -c .
            raise ArchiveError(f"archive has a file outside rootfs: unrecognized file path in layout: {quoted(name)}")

    def _judge_hard_link(self, entry: Entry, name: bytes) -> None:
        target = clean_name(entry.linkname)
        if not path_in_rootfs(target):
            raise ArchiveError(f"hard link {quoted(entry.name)} leads out of rootfs: {quoted(entry.linkname)}")
        if target not in self._names or target == name or target + b"/" in self._names:
            raise ArchiveError(
                f"hard link {quoted(entry.name)} leads to {quoted(entry.linkname)}, which is not an earlier file"
            )
