"""Landlock: confine which files a process may execute to what lies below a directory; landlock(7), Linux 5.13.

Used for one thing. A script of an image whose first line is ``#!/proc/self/exe`` makes the kernel execute the program
of whoever called execve(2): the host's interpreter, which the app could then open through /proc and overwrite
(CVE-2019-5736). Execution is confined to the app's own root, so that nothing in a pod ever runs a file of the host.
"""

from __future__ import annotations

import ctypes
import os

from rkt.linux.syscalls import libc

_NR_CREATE_RULESET = 444
_NR_ADD_RULE = 445
_NR_RESTRICT_SELF = 446
_ACCESS_EXECUTE = 1
_RULE_PATH_BENEATH = 1


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def confine_execution(directory: str) -> bool:
    """Let the caller and its children execute only what lies below ``directory``; False where Landlock is missing.

    Needs CAP_SYS_ADMIN or no_new_privs. A confined process cannot mount. Raises OSError if a step fails half-way.
    """
    handled = ctypes.c_uint64(_ACCESS_EXECUTE)
    ruleset = _call(_NR_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            rule = _PathBeneath(_ACCESS_EXECUTE, fd)
            arguments = (
                ctypes.c_int(ruleset),
                ctypes.c_int(_RULE_PATH_BENEATH),
                ctypes.byref(rule),
                ctypes.c_uint32(0),
            )
            if _call(_NR_ADD_RULE, *arguments) < 0 or _call(_NR_RESTRICT_SELF, ctypes.c_int(ruleset), 0) < 0:
                number = ctypes.get_errno()
                raise OSError(number, f"landlock: {os.strerror(number)}")
        finally:
            os.close(fd)
    finally:
        os.close(ruleset)
    return True


def _call(number: int, *arguments: object) -> int:
    return int(libc.syscall(ctypes.c_long(number), *arguments))
