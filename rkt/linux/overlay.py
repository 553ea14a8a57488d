"""Whether a directory can hold the upper side of an overlay, and if not, why (Documentation/filesystems/overlayfs).

Only asks; mounting is :mod:`rkt.linux.mounts`.
"""

from __future__ import annotations

import ctypes
import os

from rkt.linux.syscalls import libc

#: file systems whose directories overlayfs refuses as upper directories (linux/magic.h)
_REFUSED = {
    0x794C7630: "overlay",
    0x61756673: "aufs",
    0x2FC12FC1: "zfs",
    0x6969: "nfs",
    0xF15F: "ecryptfs",
    0x65735546: "fuse",
    0x4D44: "vfat",
}


def find_obstacle(directory: str) -> str | None:
    """Why an overlay cannot have its upper directory below ``directory``; None if it can."""
    if not _is_known() and not _load_module():
        return "the kernel does not support overlayfs"
    kind = _file_system_type(directory)
    if kind in _REFUSED:
        return f'the file system of "{directory}" is {_REFUSED[kind]}'
    return None


def _is_known() -> bool:
    with open("/proc/filesystems", "rb") as file:
        return b"\toverlay\n" in file.read()


def _load_module() -> bool:
    try:
        pid = os.posix_spawnp("modprobe", ["modprobe", "-q", "overlay"], os.environ)
    except OSError:
        return False
    os.waitpid(pid, 0)
    return _is_known()


def _file_system_type(path: str) -> int:
    """f_type of statfs(2); 0 if it cannot be told."""
    buffer = (ctypes.c_long * 32)()
    if libc.statfs(os.fsencode(path), ctypes.byref(buffer)) != 0:
        return 0
    return int(buffer[0]) & 0xFFFFFFFF
