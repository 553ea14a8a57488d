"""An image laid out on disk: a directory with a file ``manifest`` and a directory ``rootfs`` (ACI-001).

It reads the manifest's bytes and checks the names at the top; what is below ``rootfs`` is not looked at.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

from rkt.aci.archive import MAX_MANIFEST_BYTES
from rkt.aci.errors import ArchiveError, ArchiveLimitError, quoted
from rkt.aci.names import MANIFEST, ROOTFS


def open_regular(path: bytes) -> int:
    """Open what was a regular file a moment ago: neither follows a symlink nor waits for a FIFO. Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def load_layout_manifest(directory: bytes) -> bytes:
    """The manifest's bytes, unread. Raises ArchiveError if this is no image layout, OSError if it cannot be read."""
    try:
        names = sorted(os.listdir(directory))
    except NotADirectoryError:
        raise ArchiveError(f"given path {quoted(directory)} is not a directory") from None
    if MANIFEST not in names:
        raise ArchiveError("no image manifest found in layout")
    if ROOTFS not in names:
        raise ArchiveError("no rootfs found in layout")
    for name in names:
        if name not in (MANIFEST, ROOTFS):
            raise ArchiveError(f"unrecognized file path in layout: {quoted(name)}")
    if not S_ISDIR(os.lstat(directory + b"/rootfs").st_mode):
        raise ArchiveError("rootfs is not a directory")
    return _load_manifest(directory + b"/manifest")


def _load_manifest(path: bytes) -> bytes:
    if not S_ISREG(os.lstat(path).st_mode):
        raise ArchiveError("manifest is not a regular file")
    fd = open_regular(path)
    with open(fd, "rb") as file:
        data = file.read(MAX_MANIFEST_BYTES + 1)
    if len(data) > MAX_MANIFEST_BYTES:
        raise ArchiveLimitError(f"manifest has more than {MAX_MANIFEST_BYTES} bytes")
    return data
