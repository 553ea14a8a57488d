"""Delete a pod that nothing runs in: the stage1's own collection, leftover mounts, then the directory.

Each step may be repeated, so that a deletion which was killed or failed is finished by the next one. The directory
passes into ``garbage`` before its first file goes: a pod that can be named is a whole pod. When a pod may be deleted is
decided by :mod:`rkt.lifecycle.gc` and :mod:`rkt.lifecycle.rm`. Facts: rkt 1.30, section 7.4 of the behaviour document.
"""

from __future__ import annotations

import os

from rkt import diagnostics
from rkt import stage_contract as contract
from rkt.errors import RktError, reason
from rkt.lifecycle.leftover_mounts import detach_mounts
from rkt.linux import durable
from rkt.pod.directory import Pod
from rkt.pod.errors import PodError
from rkt.pod.removal import remove_tree


def delete_pod(pod: Pod) -> None:
    """Delete an owned pod in ``exited-garbage`` or ``garbage``. Raises PodError; then it can be tried again.

    In ``garbage`` the stage1 has nothing to collect: it never ran, or it has been collected.
    """
    if pod.phase == "exited-garbage":
        _collect_stage1(pod)
        _detach_mounts(pod)
        pod.move_to("garbage")
    _detach_mounts(pod)
    _remove_directory(pod)


def _collect_stage1(pod: Pod) -> None:
    """What the flavour knows of and we do not: networks, cgroups, links. A failure does not keep the pod."""
    from rkt.stage1.entrypoints import collect_garbage

    try:
        collect_garbage(pod.path, uuid=pod.uuid)
    except (RktError, OSError) as error:
        diagnostics.line(f'problem performing stage1 GC on "{pod.uuid}": {reason(error)}')


def _detach_mounts(pod: Pod) -> None:
    try:
        detach_mounts(pod.path)
    except RktError as error:
        raise PodError(f'GC of leftover mounts for pod "{pod.uuid}" failed: {error.message}') from error


def _remove_directory(pod: Pod) -> None:
    """The stage1 root file system first and the manifest last, so that what is left says what it was."""
    try:
        _remove_stage1_rootfs(pod)
        names = sorted(os.listdir(pod.lock_fd), key=lambda name: name == contract.POD_MANIFEST)
        for name in names:
            remove_tree(pod.lock_fd, name)
        os.rmdir(pod.path)
        durable.sync_directory(os.path.dirname(pod.path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise PodError(f'cannot remove pod "{pod.uuid}": {reason(error)}') from error


def _remove_stage1_rootfs(pod: Pod) -> None:
    directory, name = os.path.split(contract.STAGE1_ROOTFS)
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=pod.lock_fd)
    except OSError:
        return  # missing, or not a directory: it goes with the rest
    try:
        remove_tree(fd, name)
    finally:
        os.close(fd)
