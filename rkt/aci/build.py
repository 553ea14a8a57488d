"""Make an image archive of a directory that holds ``manifest`` and ``rootfs`` (what ``actool build`` does).

The archive is reproducible: names in lexical order, ``rootfs`` first and ``manifest`` last, numbers for owners, the
files' own times to the nanosecond, nothing from the clock or the host. With SOURCE_DATE_EPOCH in the environment no
time is later than that, so that a fresh checkout of sources builds the same bytes. The manifest is written anew in
its canonical form; it keeps the time of its file, belongs to root and has mode 0644.

Sockets are left out, as no archive can hold them. Nothing is signed here.
"""

from __future__ import annotations

import os
import stat

from rkt.aci.archive import ArchiveScan
from rkt.aci.attributes import is_portable
from rkt.aci.encoders import new_encoder
from rkt.aci.errors import ArchiveError, BuildError, quoted
from rkt.aci.header import BLOCK_DEVICE, CHARACTER, DIRECTORY, FIFO, HARD_LINK, REGULAR, SYMLINK, Entry
from rkt.aci.layout import load_layout_manifest, open_regular
from rkt.aci.tar_writer import END_OF_ARCHIVE, encode_entry, padding
from rkt.errors import reason
from rkt.linux import durable
from rkt.schema.image import decode_image_manifest, encode_image_manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COPY_BYTES = 1 << 20
_OUTPUT_MODE = 0o644
# digits of a number of seconds: more are no time that a file can have
_EPOCH_DIGITS = 18
_TYPES = {
    stat.S_IFREG: REGULAR,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFIFO: FIFO,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK_DEVICE,
}


def build_aci(
    directory: str,
    output: str,
    *,
    overwrite: bool = False,
    compression: str = "gzip",
    owner_root: bool = False,
    source_date_epoch: int | None = None,
) -> None:
    """Write the image of ``directory`` to ``output``, durably; ``output`` is complete or as it was before.

    ``compression`` is gzip, none, bzip2, xz or zstd. ``owner_root`` gives everything to root. ``source_date_epoch``
    (seconds since 1970; default: the environment's SOURCE_DATE_EPOCH) is the latest time that is written. Raises
    BuildError, ManifestError for the layout's manifest, ArchiveError where the result would not be a valid image.
    """
    if not output.endswith(".aci"):
        extension = os.path.splitext(output)[1]
        raise BuildError(f'cannot build "{output}": extension must be .aci (given {extension or "none"})')
    if not overwrite and os.path.lexists(output):
        raise BuildError(f'cannot build "{output}": target file exists (try --overwrite)')
    epoch = _environment_epoch() if source_date_epoch is None else source_date_epoch
    layout = _Layout(os.fsencode(directory), owner_root=owner_root, latest_ns=None if epoch is None else epoch * 10**9)
    try:
        manifest = layout.load_manifest()
        _write_durably(layout, manifest, output, compression=compression, overwrite=overwrite)
    except FileExistsError as error:
        raise BuildError(f'cannot build "{output}": target file exists (try --overwrite)') from error
    except OSError as error:
        subject = os.fsdecode(error.filename) if error.filename else output
        if os.path.basename(subject).startswith(".tmp-"):
            subject = os.path.dirname(output) or "."
        raise BuildError(f'cannot build "{output}": "{subject}": {reason(error)}') from error


def _environment_epoch() -> int | None:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _EPOCH_DIGITS):
        raise BuildError(f'SOURCE_DATE_EPOCH "{text[:40]}" is not a number of seconds')
    return int(text)


def _write_durably(layout: _Layout, manifest: bytes, output: str, *, compression: str, overwrite: bool) -> None:
    temporary = os.path.join(os.path.dirname(output), durable.temporary_name(os.path.basename(output)))
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            archive = _ArchiveWriter(fd, compression)
            layout.write(archive, manifest)
            archive.finish()
            os.fchmod(fd, _OUTPUT_MODE)
            os.fsync(fd)
        finally:
            os.close(fd)
        durable.publish(temporary, output, replace=overwrite)
    except BaseException:
        durable.remove_if_present(temporary)
        raise


class _ArchiveWriter:
    """Compresses to a file what is written, and scans it: no image leaves here that would be refused elsewhere."""

    __slots__ = ("_encoder", "_fd", "_scan")

    def __init__(self, fd: int, compression: str) -> None:
        self._fd = fd
        self._encoder = new_encoder(compression)
        self._scan = ArchiveScan()

    def write(self, data: bytes) -> None:
        self._scan.feed(data)
        self._write_out(self._encoder.compress(data))

    def finish(self) -> None:
        self.write(END_OF_ARCHIVE)
        self._scan.finish()
        self._write_out(self._encoder.flush())

    def _write_out(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]


class _Layout:
    """The directory that becomes an image."""

    __slots__ = ("_directory", "_inodes", "_latest_ns", "_owner_root")

    def __init__(self, directory: bytes, *, owner_root: bool, latest_ns: int | None) -> None:
        self._directory = directory
        self._owner_root = owner_root
        self._latest_ns = latest_ns
        # the first name of files that have several
        self._inodes: dict[tuple[int, int], bytes] = {}

    def load_manifest(self) -> bytes:
        """The manifest in canonical form, after a look at what lies beside it."""
        shown = os.fsdecode(self._directory)
        try:
            data = load_layout_manifest(self._directory)
        except ArchiveError as error:
            raise BuildError(f'cannot build "{shown}": layout failed validation: {error}') from error
        return encode_image_manifest(decode_image_manifest(data, source=f'image manifest "{shown}/manifest"'))

    def write(self, archive: _ArchiveWriter, manifest: bytes) -> None:
        """The whole archive but its end."""
        for name in self._walk():
            self._write_entry(archive, name)
        entry = self._entry(b"manifest", os.lstat(self._directory + b"/manifest"))
        entry.mode, entry.uid, entry.gid, entry.size, entry.xattrs = _OUTPUT_MODE, 0, 0, len(manifest), None
        archive.write(encode_entry(entry) + manifest + padding(len(manifest)))

    def _walk(self) -> Iterator[bytes]:
        """Names in lexical order, a directory before what it holds."""
        pending = [b"rootfs"]
        while pending:
            name = pending.pop()
            yield name
            path = self._directory + b"/" + name
            if stat.S_ISDIR(os.lstat(path).st_mode):
                pending.extend(name + b"/" + below for below in sorted(os.listdir(path), reverse=True))

    def _write_entry(self, archive: _ArchiveWriter, name: bytes) -> None:
        path = self._directory + b"/" + name
        status = os.lstat(path)
        if stat.S_ISSOCK(status.st_mode):
            return
        entry = self._entry(name, status)
        inode = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and entry.type != DIRECTORY:
            first = self._inodes.setdefault(inode, name)
            if first != name:
                entry.type, entry.linkname, entry.size = HARD_LINK, first, 0
                archive.write(encode_entry(entry))
                return
        entry.xattrs = _load_xattrs(path)
        if entry.type == SYMLINK:
            entry.linkname = os.readlink(path)
        archive.write(encode_entry(entry))
        if entry.type == REGULAR:
            _copy_file(path, archive, status)

    def _entry(self, name: bytes, status: os.stat_result) -> Entry:
        entry = Entry()
        entry.name, entry.linkname, entry.xattrs, entry.data_offset = name, b"", None, 0
        entry.type = _TYPES[stat.S_IFMT(status.st_mode)]
        entry.mode = stat.S_IMODE(status.st_mode)
        entry.uid, entry.gid = (0, 0) if self._owner_root else (status.st_uid, status.st_gid)
        entry.size = status.st_size if entry.type == REGULAR else 0
        entry.mtime_ns = status.st_mtime_ns if self._latest_ns is None else min(status.st_mtime_ns, self._latest_ns)
        entry.devmajor = entry.devminor = 0
        if entry.type in (CHARACTER, BLOCK_DEVICE):
            entry.devmajor, entry.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        return entry


def _load_xattrs(path: bytes) -> dict[bytes, bytes] | None:
    names = [os.fsencode(name) for name in os.listxattr(path, follow_symlinks=False)]
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names if is_portable(name)} or None


def _copy_file(path: bytes, archive: _ArchiveWriter, status: os.stat_result) -> None:
    fd = open_regular(path)
    try:
        left = status.st_size
        while left and (data := os.read(fd, min(left, _COPY_BYTES))):
            archive.write(data)
            left -= len(data)
        if left or os.fstat(fd).st_mtime_ns != status.st_mtime_ns:
            raise BuildError(f"file {quoted(path)} changed while it was read", "build from files that nobody writes")
    finally:
        os.close(fd)
    archive.write(padding(status.st_size))
