"""A directory tree as a value, everything included that an image may carry, to compare before with after."""

from __future__ import annotations

import os
import stat
from pathlib import Path

#: type, mode, uid, gid, mtime_ns, device, content or link target, attributes, the first name of the same file
Node = tuple[str, int, int, int, int, int, bytes, tuple[tuple[str, bytes], ...], bytes]

_TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}


def snapshot(root: Path) -> dict[bytes, Node]:
    """Path relative to ``root`` (which is ``b""``) -> what is there. Opens regular files only, follows nothing."""
    nodes: dict[bytes, Node] = {}
    inodes: dict[int, bytes] = {}
    pending = [b""]
    top = os.fsencode(root)
    while pending:
        name = pending.pop()
        path = top + b"/" + name
        nodes[name] = _node(path, name, inodes)
        if nodes[name][0] == "directory":
            below = sorted(os.listdir(path), reverse=True)
            pending.extend(name + b"/" + entry if name else entry for entry in below)
    return nodes


def _node(path: bytes, name: bytes, inodes: dict[int, bytes]) -> Node:
    status = os.lstat(path)
    kind = _TYPES[stat.S_IFMT(status.st_mode)]
    content = b""
    if kind == "file":
        content = Path(os.fsdecode(path)).read_bytes()
    elif kind == "symlink":
        content = os.readlink(path)
    names = sorted(os.listxattr(path, follow_symlinks=False))
    attributes = tuple((key, os.getxattr(path, key, follow_symlinks=False)) for key in names)
    first = name if kind == "directory" else inodes.setdefault(status.st_ino, name)
    return (
        *(kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns),
        *(status.st_rdev, content, attributes, first),
    )
