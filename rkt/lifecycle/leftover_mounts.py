"""Unmount what a dead pod left mounted below its directory, so that removing it touches nothing of the host's.

Every such mount is made private first (an unmount must not travel into the host's own mounts of the same peer group),
then detached lazily, deepest first: a process that still has its current directory there does not stop us.
"""

from __future__ import annotations

import os

from rkt import diagnostics
from rkt.errors import reason
from rkt.linux import syscalls
from rkt.linux.mountinfo import MountInfo, load_mountinfo, mounts_below
from rkt.pod.errors import PodError

_ROUNDS = 64
#: the kernel's mark of a mount whose directory has been removed: nothing of the pod any more
_REMOVED = "//deleted"


class LeftoverMountError(PodError):
    """Something is still mounted below a pod's directory."""

    code = "pod-mounts"


def detach_mounts(path: str) -> None:
    """Detach every mount on or below the directory ``path``. Raises LeftoverMountError if one stays.

    Mounts lie on top of each other, so the table is read again until there are none or nothing changes.
    """
    real = os.path.realpath(path)
    before = -1
    error: OSError | None = None
    for _ in range(_ROUNDS):
        mounts = _find_mounts(real)
        if not mounts:
            return
        if len(mounts) == before:
            break
        before = len(mounts)
        error = _detach(mounts)
    why = reason(error) if error is not None else "others keep mounting there"
    raise LeftoverMountError(f'cannot unmount "{mounts[0].path}": {why}')


def _find_mounts(real: str) -> list[MountInfo]:
    try:
        mounts = load_mountinfo()
    except OSError as error:
        raise LeftoverMountError(f"cannot read the mount table: {reason(error)}") from error
    return [mount for mount in mounts_below(real, mounts) if not mount.path.endswith(_REMOVED)]


def _detach(mounts: list[MountInfo]) -> OSError | None:
    """One round over ``mounts``, deepest first; the last error, if any."""
    last: OSError | None = None
    for mount in reversed(mounts):
        try:
            syscalls.mount(None, mount.path, None, syscalls.MS_PRIVATE)
        except OSError as error:
            last = error
    for mount in mounts:
        try:
            syscalls.umount2(mount.path, syscalls.MNT_DETACH | syscalls.UMOUNT_NOFOLLOW)
            diagnostics.debug(f'unmounted leftover "{mount.path}"')
        except OSError as error:
            last = error
    return last
