"""The directories of a tree that is being rendered: made when needed, their times set when all is written.

Runs inside the renderer's child, whose root directory is the tree: relative paths, symlinks and ``..`` cannot lead
out. It remembers a bounded number of directories: one that is met again later is looked at again.
"""

from __future__ import annotations

import os
from errno import ENODATA, ENOTSUP
from posixpath import realpath
from stat import S_ISDIR, S_ISLNK

from rkt.aci.attributes import DEFAULT_ACL
from rkt.aci.names import NameSet

_MAX_REMEMBERED = 4096
_MAX_REMEMBERED_BYTES = 4 << 20
_IMPLIED_MODE = 0o755


class Directories:
    """Directories by their clean path relative to the tree's root, which is ``b""``.

    A directory's time and default ACL are applied by :meth:`flush`: writing into it would change the one and obey
    the other. Paths without a symlink in them are canonical; what :meth:`enter` returns is.
    """

    __slots__ = ("_aliases", "_bytes", "_known", "_own_links")

    def __init__(self) -> None:
        # canonical path -> (mtime to set, default ACL to set)
        self._known: dict[bytes, tuple[int, bytes | None]] = {}
        self._aliases: dict[bytes, bytes] = {}
        self._bytes = 0
        self._own_links = NameSet()

    def begin_layer(self) -> None:
        """Forget which symlinks were made by the layer before."""
        self._own_links = NameSet()
        self._aliases.clear()

    def note_symlink(self, path: bytes) -> None:
        """The current layer has made a symlink at ``path``."""
        self._own_links.add(path)

    def enter(self, path: bytes) -> bytes:
        """Make ``path`` an existing directory and return its canonical path; implied ones are 0755 root.

        A symlink of this layer that leads to a directory is followed inside the root, as GNU tar follows it. What
        else is in the way is replaced: in particular a symlink of an earlier layer (DEP-019, DEP-020).
        """
        if path in self._known:
            return path
        if path in self._aliases:
            return self._aliases[path]
        current = b""
        self._look(current)
        for part in path.split(b"/") if path else ():
            below = current + b"/" + part if current else part
            current = below if below in self._known else self._enter_below(below)
        if current != path:
            self._aliases[path] = current
        return current

    def _enter_below(self, path: bytes) -> bytes:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return self._make_implied(path)
        if S_ISLNK(status.st_mode) and path in self._own_links and os.path.isdir(path):
            path = realpath(path, strict=True)[1:]
        elif not S_ISDIR(status.st_mode):
            os.unlink(path)
            return self._make_implied(path)
        self._look(path)
        return path

    def _make_implied(self, path: bytes) -> bytes:
        os.mkdir(path, _IMPLIED_MODE)
        os.chown(path, 0, 0)
        os.chmod(path, _IMPLIED_MODE)  # a set-group-ID parent passes its bit on
        self.remember(path, mtime_ns=0, default_acl=None)  # the archive says nothing, and equal input gives equal trees
        return path

    def find(self, path: bytes) -> bytes:
        """The canonical path of an existing directory; changes nothing. Raises OSError."""
        if path in self._known:
            return path
        os.stat(path + b"/" if path else b".")  # the kernel's limit of 40 links holds, and it is a directory
        return realpath(path or b".", strict=True)[1:]

    def _look(self, path: bytes) -> None:
        """Remember an existing directory as it is."""
        if path not in self._known:
            default_acl = _take_default_acl(path)
            self.remember(path, mtime_ns=os.stat(path or b".").st_mtime_ns, default_acl=default_acl)

    def remember(self, path: bytes, *, mtime_ns: int, default_acl: bytes | None) -> None:
        """What the directory ``path`` shall have when all is done."""
        if len(self._known) >= _MAX_REMEMBERED or self._bytes > _MAX_REMEMBERED_BYTES:
            self.flush()
        self._known[path] = (mtime_ns, default_acl)
        self._bytes += len(path)

    def flush(self) -> None:
        """Apply what is remembered, and forget it."""
        for path, (mtime_ns, default_acl) in self._known.items():
            if default_acl is not None:
                os.setxattr(path or b".", DEFAULT_ACL, default_acl)
            os.utime(path or b".", ns=(mtime_ns, mtime_ns))
        self._known.clear()
        self._aliases.clear()
        self._bytes = 0


def _take_default_acl(path: bytes) -> bytes | None:
    """Remove and return a directory's default ACL, so that what is created in it now gets the archive's modes."""
    try:
        value = os.getxattr(path or b".", DEFAULT_ACL)
    except OSError as error:
        if error.errno in (ENODATA, ENOTSUP):
            return None
        raise
    os.removexattr(path or b".", DEFAULT_ACL)
    return value
