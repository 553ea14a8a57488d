"""Thin wrappers of the system calls that Python 3.11 does not have; nothing above this file uses ctypes for them.

Each wrapper is one call, named as the call, and ends in an OSError that names the call and its object. Constants
have their header spelling. amd64 Linux only. ``ctypes`` costs 3 ms at import, a call below 1 microsecond.
"""

from __future__ import annotations

import ctypes
import os

# mount(2)
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000
MS_STRICTATIME = 0x1000000
MNT_DETACH = 0x2
UMOUNT_NOFOLLOW = 0x8

# unshare(2)
CLONE_NEWNS = 0x20000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_SET_MODE_FILTER = 1

# mount_setattr(2), open_tree(2)
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
AT_EMPTY_PATH = 0x1000
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = 0o2000000
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_T_EMPTY_PATH = 0x40

_NR_RT_SIGACTION = 13
_NR_PIVOT_ROOT = 155
_NR_CAPGET = 125
_NR_CAPSET = 126
_NR_SECCOMP = 317
_NR_OPEN_TREE = 428
_NR_MOVE_MOUNT = 429
_NR_CLOSE_RANGE = 436
_NR_MOUNT_SETATTR = 442
_NR_KEYCTL = 250

libc = ctypes.CDLL(None, use_errno=True)
_char_p, _int, _ulong, _long = ctypes.c_char_p, ctypes.c_int, ctypes.c_ulong, ctypes.c_long

libc.mount.argtypes = (_char_p, _char_p, _char_p, _ulong, _char_p)
libc.umount2.argtypes = (_char_p, _int)
libc.unshare.argtypes = (_int,)
libc.setns.argtypes = (_int, _int)
libc.prctl.argtypes = (_int, _ulong, _ulong, _ulong, _ulong)
libc.sethostname.argtypes = (_char_p, ctypes.c_size_t)
libc.syncfs.argtypes = (_int,)
_syscall = libc.syscall
_syscall.restype = _long


def _fail(call: str, subject: object = None) -> OSError:
    number = ctypes.get_errno()
    text = call if subject is None else f'{call} "{subject}"'
    return OSError(number, f"{text}: {os.strerror(number)}", None)


def _bytes(text: str | bytes | None) -> bytes | None:
    return os.fsencode(text) if text is not None else None


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2). ``data`` is passed as the file system's options. Raises OSError that names the target."""
    if libc.mount(_bytes(source), _bytes(target), _bytes(kind), flags, _bytes(data)) != 0:
        raise _fail("mount", target)


def umount2(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    if libc.umount2(_bytes(target), flags) != 0:
        raise _fail("umount", target)


def unshare(flags: int) -> None:
    """unshare(2) of namespaces; CLONE_NEWPID takes effect for the children."""
    if libc.unshare(flags) != 0:
        raise _fail("unshare", hex(flags))


def setns(fd: int, kind: int = 0) -> None:
    """setns(2); a mount namespace also sets root and current directory to that namespace's root."""
    if libc.setns(fd, kind) != 0:
        raise _fail("setns", fd)


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2)."""
    if _syscall(_long(_NR_PIVOT_ROOT), _char_p(_bytes(new_root)), _char_p(_bytes(put_old))) != 0:
        raise _fail("pivot_root", new_root)


def sethostname(name: str) -> None:
    """sethostname(2), in the caller's UTS namespace."""
    data = name.encode()
    if libc.sethostname(data, len(data)) != 0:
        raise _fail("sethostname", name)


def prctl(option: int, first: int = 0, second: int = 0, third: int = 0, fourth: int = 0) -> int:
    """prctl(2); returns the call's value."""
    value = int(libc.prctl(option, first, second, third, fourth))
    if value < 0:
        raise _fail("prctl", option)
    return value


def close_range(first: int, last: int = 0xFFFFFFFF, *, close_on_exec: bool = False) -> None:
    """close_range(2) (Linux 5.9); with ``close_on_exec`` the descriptors are only marked (5.11)."""
    flags = 4 if close_on_exec else 0
    if _syscall(_long(_NR_CLOSE_RANGE), ctypes.c_uint(first), ctypes.c_uint(last), ctypes.c_uint(flags)) != 0:
        raise _fail("close_range", first)


def syncfs(fd: int) -> None:
    """syncfs(2): write back the file system that ``fd`` lies on."""
    if libc.syncfs(fd) != 0:
        raise _fail("syncfs", fd)


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def mount_setattr(
    fd: int, path: str, *, set_attributes: int = 0, propagation: int = 0, recursive: bool = False
) -> None:
    """mount_setattr(2) (Linux 5.12): change a mount, or with ``recursive`` the whole tree below it."""
    attr = _MountAttr(set_attributes, 0, propagation, 0)
    flags = (AT_RECURSIVE if recursive else 0) | (AT_EMPTY_PATH if not path else 0)
    size = ctypes.c_size_t(ctypes.sizeof(attr))
    if _syscall(_long(_NR_MOUNT_SETATTR), _int(fd), _char_p(_bytes(path)), _int(flags), ctypes.byref(attr), size) != 0:
        raise _fail("mount_setattr", path or fd)


def open_tree(path: str, *, recursive: bool, directory_fd: int = AT_FDCWD) -> int:
    """open_tree(2) (Linux 5.2): a detached copy of the mount at ``path``; close the fd to drop it."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    flags |= AT_EMPTY_PATH if not path else 0
    fd = int(_syscall(_long(_NR_OPEN_TREE), _int(directory_fd), _char_p(_bytes(path)), _int(flags)))
    if fd < 0:
        raise _fail("open_tree", path or directory_fd)
    return fd


def move_mount(fd: int, target_fd: int) -> None:
    """move_mount(2): attach the detached mount ``fd`` on the directory or file that ``target_fd`` (O_PATH) is."""
    flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
    empty = _char_p(b"")
    if _syscall(_long(_NR_MOVE_MOUNT), _int(fd), empty, _int(target_fd), empty, _int(flags)) != 0:
        raise _fail("move_mount", target_fd)


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


_CapData = ctypes.c_uint32 * 6
_CAPABILITY_VERSION_3 = 0x20080522


def capget() -> tuple[int, int, int]:
    """(effective, permitted, inheritable) of the caller as 64-bit masks, capget(2)."""
    header, data = _CapHeader(_CAPABILITY_VERSION_3, 0), _CapData()
    if _syscall(_long(_NR_CAPGET), ctypes.byref(header), ctypes.byref(data)) != 0:
        raise _fail("capget")
    low, high = data[0:3], data[3:6]
    return (low[0] | high[0] << 32, low[1] | high[1] << 32, low[2] | high[2] << 32)


def capset(*, effective: int, permitted: int, inheritable: int) -> None:
    """capset(2) of the caller with 64-bit masks."""
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    masks = (effective, permitted, inheritable)
    data = _CapData(*(mask & 0xFFFFFFFF for mask in masks), *(mask >> 32 for mask in masks))
    if _syscall(_long(_NR_CAPSET), ctypes.byref(header), ctypes.byref(data)) != 0:
        raise _fail("capset")


class _SockFprog(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def seccomp_load(program: bytes) -> None:
    """Install a BPF program (8 bytes an instruction) as seccomp filter of the caller, seccomp(2).

    Needs CAP_SYS_ADMIN in the caller's user namespace or no_new_privs.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    description = _SockFprog(len(program) // 8, ctypes.addressof(buffer))
    arguments = (ctypes.c_uint(SECCOMP_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(description))
    if _syscall(_long(_NR_SECCOMP), *arguments) != 0:
        raise _fail("seccomp")


def join_new_session_keyring() -> None:
    """keyctl(KEYCTL_JOIN_SESSION_KEYRING): leave the caller's session keyring for a new, empty one."""
    if _syscall(_long(_NR_KEYCTL), _int(1), None) < 0:
        raise _fail("keyctl")


_SignalAction = ctypes.c_uint64 * 4
_SIGNALS = 64


def reset_signal_actions() -> None:
    """rt_sigaction(2): the default action for every signal, for a process that will execve(2).

    The library's call refuses 32 and 33, its own; who was started by posix_spawn(3) has inherited them ignored.
    """
    action = _SignalAction()
    for number in range(1, _SIGNALS + 1):
        # EINVAL for SIGKILL and SIGSTOP, which have no other action
        _syscall(_long(_NR_RT_SIGACTION), _int(number), ctypes.byref(action), None, ctypes.c_size_t(8))
