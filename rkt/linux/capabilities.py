"""Capability names and masks, and dropping them for good; see capabilities(7).

Which capabilities an app gets is decided by ``rkt.stage1.native``; this module only knows the kernel's numbers.
"""

from __future__ import annotations

from errno import EINVAL

from rkt.linux import syscalls

#: in the order of their numbers (linux/capability.h)
NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)

SYS_ADMIN = 1 << 21

#: the bounding set without an isolator: exactly these 14, mask 0xa80425fb (ISO-033)
DEFAULT = (
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETUID",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETFCAP",
    "CAP_SYS_CHROOT",
)


def mask_of(names: tuple[str, ...] | frozenset[str] | list[str]) -> int:
    """The 64-bit mask of capability names; ValueError for a name that the kernel does not have."""
    mask = 0
    for name in names:
        if name not in NAMES:
            raise ValueError(name)
        mask |= 1 << NAMES.index(name)
    return mask


def names_of(mask: int) -> tuple[str, ...]:
    """The names in ``mask``, in the order of their numbers."""
    return tuple(name for number, name in enumerate(NAMES) if mask >> number & 1)


def limit_bounding_set(mask: int) -> None:
    """Drop every capability outside ``mask`` from the caller's bounding set, and the ambient and inheritable sets.

    The effective and permitted sets stay until the next execve(2), which computes them from the bounding set: the
    caller can still install a seccomp filter. Raises OSError; needs CAP_SETPCAP.
    """
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(64):
        if mask >> number & 1:
            continue
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, number)
        except OSError as error:
            # this kernel has no capability of that number, nor of any above it
            if error.errno != EINVAL:
                raise
            break
    effective, permitted, _ = syscalls.capget()
    syscalls.capset(effective=effective, permitted=permitted, inheritable=0)
