"""Write the entries of images to disk, one layer over the other (appc ace.md#filesystem-setup, DEP-018 to DEP-022).

It works in the current directory, which must be the process's root directory: :mod:`rkt.aci.render` calls it in a
child that has chrooted into the tree, and no name, link or ``..`` leads out of that. Existing things are replaced,
never written through; nothing that lies in the tree is opened, so devices and FIFOs stay untouched. It trusts the
bytes for nothing else: names are judged again, because blobs can rot.

Everything in here runs after fork and chroot. It must import nothing then: an import would look into the image.
"""

from __future__ import annotations

import os
from errno import ELOOP, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY, ENOTSUP, EPERM
from stat import S_IFBLK, S_IFCHR, S_IFIFO, S_ISDIR

from rkt.aci.attributes import ACCESS_ACL, DEFAULT_ACL, is_portable
from rkt.aci.directories import Directories
from rkt.aci.errors import ArchiveError, RenderError, quoted
from rkt.aci.header import BLOCK_DEVICE, CHARACTER, DIRECTORY, FIFO, HARD_LINK, REGULAR, SYMLINK, TYPE_NAMES, Entry
from rkt.aci.names import clean_name, path_in_rootfs
from rkt.aci.tar import read_entries, truncated
from rkt.aci.whitelist import Selection, plan_moved_content
from rkt.errors import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SPECIAL_BITS = 0o7000
_NODE_TYPES = {CHARACTER: S_IFCHR, BLOCK_DEVICE: S_IFBLK, FIFO: S_IFIFO}
_HINTS = {
    ENOSPC: "free space on the file system of the image store",
    ENOTSUP: "put the image store on a file system with extended attributes and ACLs, with --dir",
    EPERM: "run as root, outside of a restricted container",
}


class Extraction:
    """A tree that grows by :meth:`apply_layer`, lowest layer first, and is complete after :meth:`finish`."""

    __slots__ = ("_blob_fd", "_directories", "_moved", "_provisional", "_selection")

    def __init__(self) -> None:
        self._directories = Directories()
        self._selection = Selection()
        self._blob_fd = -1
        self._moved: dict[bytes, bytes] = {}
        # directories that only a parent's place in a whitelist keeps; they go if they stay empty
        self._provisional: set[bytes] = set()

    def apply_layer(self, blob_fd: int, selection: Selection) -> None:
        """Extract what ``selection`` keeps of an uncompressed image. Raises ArchiveError, RenderError."""
        self._blob_fd = blob_fd
        self._selection = selection
        self._moved = {} if selection.everything else plan_moved_content(lambda: _hard_links(blob_fd), selection)
        self._directories.begin_layer()
        for entry in read_entries(blob_fd):
            path = path_in_rootfs(clean_name(entry.name))
            if path is None:
                continue
            try:
                self._apply(entry, path)
            except OSError as error:
                raise _failure(entry, path, error) from error

    def finish(self) -> None:
        """Drop directories that were kept for nothing, then set the times of all directories."""
        try:
            for path in sorted(self._provisional, key=len, reverse=True):
                self._prune(path)
            self._directories.flush()
        except OSError as error:
            raise RenderError(f"cannot complete the tree: {reason(error)}", _HINTS.get(error.errno or 0)) from error

    def _apply(self, entry: Entry, path: bytes) -> None:
        if not self._selection.everything:
            destination = self._select(entry, path)
            if destination is None:
                return
            path = destination
        if entry.type == DIRECTORY:
            self._make_directory(entry, path)
            return
        if path == b"":
            raise ArchiveError(f"rootfs is not a directory but a {TYPE_NAMES[entry.type]}")
        parent, _, base = path.rpartition(b"/")
        canonical = self._directories.enter(parent)
        if canonical is not parent:
            path = canonical + b"/" + base if canonical else base
        if entry.type == REGULAR:
            self._write_file(entry, path)
        elif entry.type == HARD_LINK:
            self._make_hard_link(entry, path)
        elif entry.type == SYMLINK:
            self._make_symlink(entry, path)
        else:
            self._make_node(entry, path)

    def _select(self, entry: Entry, path: bytes) -> bytes | None:
        """Where the entry goes by the whitelists, or None."""
        if entry.type == HARD_LINK:
            # content that was moved here is here already
            target = path_in_rootfs(clean_name(entry.linkname))
            kept = self._selection.lists(path) and self._moved.get(target or b"") != path
            return path if kept else None
        if self._selection.keeps(path, directory=entry.type == DIRECTORY):
            return path
        return self._moved.get(path)

    def _make_directory(self, entry: Entry, path: bytes) -> None:
        listed = self._selection.lists(path)
        if path == b"":
            _clear_xattrs(b".")
        else:
            parent, _, base = path.rpartition(b"/")
            canonical = self._directories.enter(parent)
            path = canonical + b"/" + base if canonical else base
            self._ensure_directory(path, listed=listed)
        target = path or b"."
        os.chown(target, entry.uid, entry.gid)
        os.chmod(target, entry.mode)
        default_acl = None
        if entry.xattrs:
            default_acl = entry.xattrs.pop(DEFAULT_ACL, None)
            _set_xattrs(target, entry.xattrs)
        self._directories.remember(path, mtime_ns=entry.mtime_ns, default_acl=default_acl)

    def _ensure_directory(self, path: bytes, *, listed: bool) -> None:
        """An earlier directory keeps its content, not its attributes; anything else in the way goes (DEP-020)."""
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if S_ISDIR(os.lstat(path).st_mode):
                _clear_xattrs(path)
                listed = listed or path not in self._provisional
            else:
                os.unlink(path)
                os.mkdir(path, 0o700)
        if not listed:
            self._provisional.add(path)
        elif self._provisional:
            self._provisional.discard(path)

    def _write_file(self, entry: Entry, path: bytes) -> None:
        try:
            fd = os.open(path, _CREATE, entry.mode & 0o777)
        except FileExistsError:
            self._remove(path)
            fd = os.open(path, _CREATE, entry.mode & 0o777)
        try:
            if entry.size:
                _copy_content(fd, self._blob_fd, entry.data_offset, entry.size)
            # the owner first: chown(2) clears set-user-ID and capabilities
            os.fchown(fd, entry.uid, entry.gid)
            if entry.mode & _SPECIAL_BITS:
                os.fchmod(fd, entry.mode)
            if entry.xattrs:
                _set_xattrs(fd, entry.xattrs)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)

    def _make_hard_link(self, entry: Entry, path: bytes) -> None:
        target = path_in_rootfs(clean_name(entry.linkname))
        if not target:
            raise ArchiveError(f"hard link {quoted(entry.name)} leads out of rootfs: {quoted(entry.linkname)}")
        target = self._moved.get(target, target)
        self._replacing(path, lambda: os.link(target, path, follow_symlinks=False))

    def _make_symlink(self, entry: Entry, path: bytes) -> None:
        self._replacing(path, lambda: os.symlink(entry.linkname, path))
        self._directories.note_symlink(path)
        os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)

    def _make_node(self, entry: Entry, path: bytes) -> None:
        kind = _NODE_TYPES[entry.type]
        device = os.makedev(entry.devmajor, entry.devminor)
        self._replacing(path, lambda: os.mknod(path, kind | entry.mode & 0o777, device))
        os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        if entry.mode & _SPECIAL_BITS:
            os.chmod(path, entry.mode)  # not a symlink: it was made just now, and nobody else is in here
        if entry.xattrs and ACCESS_ACL in entry.xattrs:
            os.setxattr(path, ACCESS_ACL, entry.xattrs[ACCESS_ACL], follow_symlinks=False)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)

    def _replacing(self, path: bytes, create: Callable[[], None]) -> None:
        try:
            create()
        except FileExistsError:
            self._remove(path)
            create()

    def _remove(self, path: bytes) -> None:
        """Remove what an earlier layer (or entry) left at ``path``, a whole tree if it is a directory (DEP-021)."""
        if not S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        self._directories.flush()
        self._directories.enter(path.rpartition(b"/")[0])
        _remove_tree(path)

    def _prune(self, path: bytes) -> None:
        """Remove an empty directory, if that is what still lies at ``path``."""
        self._directories.flush()
        parent = path.rpartition(b"/")[0]
        try:
            if self._directories.find(parent) == parent:
                self._directories.enter(parent)
                os.rmdir(path)
        except OSError as error:
            if error.errno not in (ENOTEMPTY, ENOTDIR, ENOENT, ELOOP):
                raise


def _hard_links(blob_fd: int) -> Iterator[tuple[bytes, bytes]]:
    for entry in read_entries(blob_fd):
        if entry.type == HARD_LINK:
            path, target = path_in_rootfs(clean_name(entry.name)), path_in_rootfs(clean_name(entry.linkname))
            if path and target:
                yield path, target


def _copy_content(fd: int, blob_fd: int, offset: int, size: int) -> None:
    while size:
        copied = os.sendfile(fd, blob_fd, offset, size)
        if copied == 0:
            raise truncated()
        offset += copied
        size -= copied


def _set_xattrs(target: int | bytes, xattrs: dict[bytes, bytes]) -> None:
    for name, value in xattrs.items():
        if is_portable(name):
            os.setxattr(target, name, value)


def _remove_tree(path: bytes) -> None:
    """Remove a directory tree. Follows no symlink; deep trees cost no recursion."""
    pending = [path]
    while pending:
        current = pending[-1]
        below = []
        with os.scandir(current) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                else:
                    os.unlink(entry.path)
        if below:
            pending.extend(below)
        else:
            os.rmdir(pending.pop())


def _clear_xattrs(path: bytes) -> None:
    for name in os.listxattr(path):
        if is_portable(os.fsencode(name)):
            os.removexattr(path, name)


def _failure(entry: Entry, path: bytes, error: OSError) -> RenderError:
    return RenderError(
        f"cannot create {TYPE_NAMES[entry.type]} {quoted(b'/' + path)}: {reason(error)}", _HINTS.get(error.errno or 0)
    )
