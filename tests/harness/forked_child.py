"""Runs a function in a forked child, so that namespaces, mounts, filters and limits that it takes end with it.

What the function returns, or raises, comes back through a pipe. Nothing of the child outlives the call.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, TypeVar

Result = TypeVar("Result")

CLONE_NEWNS = 0x20000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1


class ChildEnded(AssertionError):
    """The child did not come to the end of its function. ``code`` as of os.waitstatus_to_exitcode: -N for signal N."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the child ended with {code}")
        self.code = code


def fork() -> int:
    """os.fork for a test process that may have threads (pytest-xdist): the child uses none of their locks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def run_in_child(function: Callable[[], Result], *, unshare: int = 0, timeout_seconds: float = 30.0) -> Result:
    """The result of ``function`` called in a child that has first left the namespaces ``unshare``.

    Its mount namespace, if it has one of its own, is private. An exception of the function is raised here; a child
    that ends otherwise is :class:`ChildEnded`.
    """
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(reader)
        _be_child(function, writer, unshare)
    os.close(writer)
    try:
        data = _read_all(reader, time.monotonic() + timeout_seconds)
    finally:
        os.close(reader)
        if not _ended(pid):
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not data:
        raise ChildEnded(code)
    succeeded, value = pickle.loads(data)
    if not succeeded:
        raise value
    result: Result = value
    return result


def exit_code_of_child(function: Callable[[], object], *, unshare: int = 0) -> int:
    """How a child ends that calls ``function``: 0 if it returned, -N if signal N ended it."""
    try:
        run_in_child(lambda: bool(function()), unshare=unshare)
    except ChildEnded as ended:
        return ended.code
    return 0


def _be_child(function: Callable[[], object], writer: int, unshare: int) -> NoReturn:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if unshare and libc.unshare(unshare) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        if unshare & CLONE_NEWNS and libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
            raise OSError(ctypes.get_errno(), "mount --make-rprivate /")
        answer = pickle.dumps((True, function()))
    except BaseException as error:
        answer = _pickled(error)
    try:
        view = memoryview(answer)
        while view:
            view = view[os.write(writer, view) :]
    finally:
        # at once: nothing of the test run's own may run in the child; 0 even if the pipe is gone by now
        os._exit(0)


def _pickled(error: BaseException) -> bytes:
    try:
        data = pickle.dumps((False, error))
        pickle.loads(data)
        return data
    except Exception:
        return pickle.dumps((False, AssertionError("".join(traceback.format_exception(error)))))


def _read_all(fd: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        part = os.read(fd, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)
    raise TimeoutError("the child did not end in time")


def _ended(pid: int) -> bool:
    """Whether it has ended or ends by itself in a moment (its pipe is closed); it stays to be waited for."""
    for _ in range(200):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        time.sleep(0.005)
    return False
