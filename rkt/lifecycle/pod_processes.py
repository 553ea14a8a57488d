"""Find the processes of a running pod, and be sure that they are: a pid file is a hint, the lock is the truth.

A process counts as the pod's supervisor only if it, or a descendant of it, holds the pod's lock. It is held by a pidfd
from before that check, so that a pid that is used again cannot be meant. Signals are sent by
:mod:`rkt.lifecycle.stop`.
"""

from __future__ import annotations

import os
import select
import signal

from rkt import stage_contract as contract
from rkt.errors import NotPermittedError, reason
from rkt.pod import contents
from rkt.pod.directory import Pod
from rkt.pod.errors import PodContentError
from rkt.pod.lock_holders import find_lock_holders, holds_lock

_ANCESTRY_LIMIT = 64


class Process:
    """A process held by its pidfd; a context manager. Raises ProcessLookupError when it is gone already."""

    __slots__ = ("pid", "pidfd")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self.pidfd)

    def signal(self, number: int) -> None:
        """Send a signal; a process that has ended is fine. Raises NotPermittedError."""
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            raise NotPermittedError(f"cannot signal process {self.pid}: {reason(error)}", "run as root") from error

    def wait_seconds(self, seconds: float) -> bool:
        """Whether the process ends within this time."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def find_supervisor(pod: Pod) -> Process | None:
    """The process on the host that keeps the pod alive: that of ``ppid``, else of ``pid``, else who holds the lock.

    None if there is none (any more). The caller closes it.
    """
    holders = find_lock_holders(pod.lock_fd)
    for pid in [*_noted_pids(pod), *_outermost(holders)]:
        process = _open_process(pid)
        if process is None:
            continue
        if _keeps_alive(pid, pod, holders):
            return process
        os.close(process.pidfd)
    return None


def find_children(process: Process) -> list[Process]:
    """The children that ``process`` has now. The caller closes them."""
    try:
        with open(f"/proc/{process.pid}/task/{process.pid}/children", "rb") as file:
            pids = [int(word) for word in file.read().split()]
    except OSError:
        return []
    found = [child for pid in pids if (child := _open_process(pid)) is not None]
    children = [child for child in found if find_parent(child.pid) == process.pid]
    for child in found:
        if child not in children:
            os.close(child.pidfd)
    return children


def find_parent(pid: int) -> int | None:
    """The parent of a process, proc_pid_stat(5); None if it is gone or has none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # the name in parentheses may hold anything, also ") "
            words = file.read().rpartition(b")")[2].split()
        return int(words[1]) or None
    except (OSError, IndexError, ValueError):
        return None


def _noted_pids(pod: Pod) -> list[int]:
    pids = []
    for name in (contract.PPID, contract.PID):
        try:
            pid = contents.find_number_file(pod, name)
        except PodContentError:
            continue
        if pid is not None and pid != os.getpid():
            pids.append(pid)
    return pids


def _outermost(holders: list[int]) -> list[int]:
    """Those of ``holders`` whose parent is not one."""
    return [pid for pid in holders if find_parent(pid) not in holders]


def _keeps_alive(pid: int, pod: Pod, holders: list[int]) -> bool:
    directory = os.fstat(pod.lock_fd)
    if pid <= 1:
        return False
    if holds_lock(pid, directory=directory):
        return True
    return any(_is_ancestor(pid, of=holder) and holds_lock(holder, directory=directory) for holder in holders)


def _is_ancestor(pid: int, *, of: int) -> bool:
    current: int | None = of
    for _ in range(_ANCESTRY_LIMIT):
        current = find_parent(current) if current is not None else None
        if current is None or current == pid:
            break
    return current == pid


def _open_process(pid: int) -> Process | None:
    try:
        return Process(pid)
    except OSError:
        return None
