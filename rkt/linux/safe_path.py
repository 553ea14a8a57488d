"""The only way to open or create something below a directory whose content is not ours (an image, a pod's volume).

Paths are resolved by openat2(2) with RESOLVE_IN_ROOT: absolute symlinks and ``..`` stay inside the root, magic links
of procfs are refused. Where the kernel (or a filter) hides openat2, a walk of one component at a time with O_NOFOLLOW
does the same; ``tests`` run both ways. It returns O_PATH descriptors and leaves closing them to the caller.
"""

from __future__ import annotations

import ctypes
import os
from errno import EAGAIN, EEXIST, EINVAL, ELOOP, ENOENT, ENOSYS, ENOTDIR
from stat import S_IFDIR, S_IFLNK, S_IFMT

from rkt.linux.syscalls import AT_FDCWD, libc

RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_IN_ROOT = 0x10
_NR_OPENAT2 = 437
_MAX_LINKS = 40
#: a rename or mount anywhere on the host makes openat2 give up a path with ``..`` in it: it cannot tell who was meant
_RACE_ATTEMPTS = 64
_PROC_SUPER_MAGIC = 0x9FA0


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def openat2(directory_fd: int, path: str, flags: int, *, resolve: int) -> int:
    """openat2(2) (Linux 5.6). Raises OSError, ENOSYS where it is missing."""
    if "\0" in path:
        # C would take what is before it for the whole path
        raise OSError(EINVAL, os.strerror(EINVAL), path)
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    fd = int(
        libc.syscall(
            ctypes.c_long(_NR_OPENAT2),
            ctypes.c_int(directory_fd),
            ctypes.c_char_p(os.fsencode(path)),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
    )
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return fd


def open_in_root(root: str | int, path: str, flags: int = os.O_PATH) -> int:
    """Open ``path`` with ``root`` as its ``/``. Symlinks are followed inside the root only. Raises OSError."""
    root_fd = root if isinstance(root, int) else os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        relative = path.lstrip("/") or "."
        for _ in range(_RACE_ATTEMPTS):
            try:
                return openat2(root_fd, relative, flags, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
            except OSError as error:
                if error.errno == ENOSYS:
                    break
                if error.errno != EAGAIN:
                    raise
        return _walk_in_root(root_fd, relative, flags)
    finally:
        if not isinstance(root, int):
            os.close(root_fd)


def open_without_symlinks(path: str) -> int:
    """O_PATH descriptor of an absolute host path; OSError with ELOOP if any component of it is a symlink."""
    try:
        return openat2(AT_FDCWD, path, os.O_PATH, resolve=RESOLVE_NO_SYMLINKS)
    except OSError as error:
        if error.errno != ENOSYS:
            raise
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in (part for part in path.split("/") if part not in ("", ".")):
        fd = _step(fd, part)
        if _is_kind(fd, S_IFLNK):
            os.close(fd)
            raise OSError(ELOOP, os.strerror(ELOOP), path)
    return fd


def ensure_in_root(root: str | int, path: str, *, directory: bool) -> int:
    """Open ``path`` in ``root`` as O_PATH, creating what is missing: directories 0755, an empty file 0644 at the end.

    The modes are subject to the caller's umask. A file where a directory is wanted is replaced by one (ACE-014). A
    dangling symlink, or a directory where a file is wanted, is an OSError.
    """
    root_fd = root if isinstance(root, int) else os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for index in range(len(parts)):
            last = index == len(parts) - 1
            wants_directory = directory or not last
            prefix = "/".join(parts[: index + 1])
            fd = _open_or_create(root_fd, prefix, directory=wants_directory, replace=last)
            if last:
                return fd
            os.close(fd)
        return open_in_root(root_fd, "/")
    finally:
        if not isinstance(root, int):
            os.close(root_fd)


def _open_or_create(root_fd: int, path: str, *, directory: bool, replace: bool) -> int:
    try:
        fd = open_in_root(root_fd, path)
    except FileNotFoundError:
        _create(root_fd, path, directory=directory)
        return open_in_root(root_fd, path)
    is_directory = _is_kind(fd, S_IFDIR)
    if is_directory == directory:
        return fd
    os.close(fd)
    if is_directory or not replace:
        number = EEXIST if is_directory else ENOTDIR
        raise OSError(number, os.strerror(number), path)
    _create(root_fd, path, directory=True, replace=True)
    return open_in_root(root_fd, path)


def _create(root_fd: int, path: str, *, directory: bool, replace: bool = False) -> None:
    parent, name = os.path.split(path)
    parent_fd = open_in_root(root_fd, parent)
    try:
        if replace:
            os.unlink(name, dir_fd=parent_fd)
        if directory:
            os.mkdir(name, 0o755, dir_fd=parent_fd)
        else:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=parent_fd))
    finally:
        os.close(parent_fd)


def _step(fd: int, part: str) -> int:
    """The component ``part`` below ``fd``, which is closed whatever happens; a symlink is opened itself."""
    try:
        return os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    finally:
        os.close(fd)


def _is_kind(fd: int, kind: int) -> bool:
    return S_IFMT(os.fstat(fd).st_mode) == kind


def _walk_in_root(root_fd: int, path: str, flags: int) -> int:
    """The fallback: a stack of open directories from the root to here, one component at a time."""
    stack = [os.dup(root_fd)]
    pending = _split(path)
    links = 0
    try:
        while pending:
            part = pending.pop()
            if part in (".", ".."):
                _leave(stack, part, path)
                continue
            fd = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=stack[-1])
            if not _is_kind(fd, S_IFLNK) or (flags & os.O_NOFOLLOW and not pending):
                stack.append(fd)
                continue
            target = _read_link(fd, path)
            links += 1
            if links > _MAX_LINKS:
                raise OSError(ELOOP, os.strerror(ELOOP), path)
            if target.startswith("/"):
                while len(stack) > 1:
                    os.close(stack.pop())
            pending.extend(_split(target))
        return _reopen(stack, flags)
    except FileNotFoundError as error:
        raise OSError(ENOENT, os.strerror(ENOENT), path) from error
    finally:
        for fd in stack:
            os.close(fd)


def _split(path: str) -> list[str]:
    """The components of ``path``, last first; what is not a directory must not be followed by a slash, so "." stays."""
    return [part or "." for part in reversed(path.lstrip("/").split("/"))]


def _leave(stack: list[int], part: str, path: str) -> None:
    """``.`` or ``..`` after the top of the stack, which must be a directory; the root is its own parent."""
    if not _is_kind(stack[-1], S_IFDIR):
        raise OSError(ENOTDIR, os.strerror(ENOTDIR), path)
    if part == ".." and len(stack) > 1:
        os.close(stack.pop())


def _read_link(fd: int, path: str) -> str:
    """The text of the symlink ``fd``, which is closed; a magic link of procfs is an error, as with openat2."""
    try:
        target = os.readlink("", dir_fd=fd)
        # procfs' plain links (self, mounts) are relative; a magic link reads as a path or as kind:[inode]
        if (target.startswith("/") or ":" in target) and _lies_on_procfs(fd):
            raise OSError(ELOOP, os.strerror(ELOOP), path)
        return target
    finally:
        os.close(fd)


def _lies_on_procfs(fd: int) -> bool:
    buffer = (ctypes.c_long * 32)()
    return bool(libc.fstatfs(fd, ctypes.byref(buffer)) == 0 and buffer[0] == _PROC_SUPER_MAGIC)


def _reopen(stack: list[int], flags: int) -> int:
    if flags & os.O_PATH and not flags & os.O_DIRECTORY:
        return os.dup(stack[-1])
    if len(stack) == 1:
        return os.open(".", flags | os.O_CLOEXEC, dir_fd=stack[-1])
    if _is_kind(stack[-1], S_IFLNK):
        number = ENOTDIR if flags & os.O_DIRECTORY else ELOOP
        raise OSError(number, os.strerror(number))
    return os.open(f"/proc/self/fd/{stack[-1]}", (flags & ~os.O_NOFOLLOW) | os.O_CLOEXEC)
