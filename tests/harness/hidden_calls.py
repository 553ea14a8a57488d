"""Makes a system call unknown to the calling process, as on an older kernel or in a container. Only in a child."""

from __future__ import annotations

import errno
import struct

from rkt.linux import syscalls

OPENAT2 = 437
LANDLOCK_CREATE_RULESET = 444

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def hide_system_call(number: int, error: int = errno.ENOSYS) -> None:
    """From now on the amd64 call ``number`` fails with ``error`` in this process and its children."""
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (0x20, 0, 0, 0),  # load the number of the call
            (0x15, 0, 1, number),  # is it this one?
            (0x06, 0, 0, _ERRNO | error),
            (0x06, 0, 0, _ALLOW),
        )
    )
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.seccomp_load(program)
