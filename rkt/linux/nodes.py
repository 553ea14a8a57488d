"""Directories, files, symlinks and device nodes as steps of a plan, on paths that the runtime owns itself.

Steps that touch an app's root file system go through :mod:`rkt.linux.safe_path` and have ``InRoot`` in their name.
"""

from __future__ import annotations

import os
from stat import S_IFCHR

from rkt.errors import reason
from rkt.linux.mounts import MountError, Step, symlink_in_root
from rkt.linux.safe_path import ensure_in_root, open_in_root


class MakeDirectory(Step):
    """A directory with exactly this mode, whatever the umask; an existing one is kept."""

    __slots__ = ("mode", "path")

    def __init__(self, path: str, *, mode: int = 0o755) -> None:
        self.path, self.mode = path, mode

    def describe(self) -> str:
        return f"mkdir {self.path} ({self.mode:04o})"

    def apply(self) -> None:
        try:
            os.mkdir(self.path, self.mode)
            os.chmod(self.path, self.mode)
        except FileExistsError:
            pass
        except OSError as error:
            raise MountError(f'cannot create the directory "{self.path}": {reason(error)}') from error


class MakeFile(Step):
    """A file with exactly this mode, empty unless said: a target for a bind mount, or what masks a kernel file."""

    __slots__ = ("content", "mode", "path")

    def __init__(self, path: str, *, mode: int = 0o644, content: bytes = b"") -> None:
        self.path, self.mode, self.content = path, mode, content

    def describe(self) -> str:
        return f"create {self.path} ({self.mode:04o}, {len(self.content)} bytes)"

    def apply(self) -> None:
        try:
            fd = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, self.mode)
            try:
                os.write(fd, self.content)
                os.fchmod(fd, self.mode)
            finally:
                os.close(fd)
        except OSError as error:
            raise MountError(f'cannot create the file "{self.path}": {reason(error)}') from error


class MakeCharacterDevice(Step):
    """A character device that everyone may read and write."""

    __slots__ = ("major", "minor", "path")

    def __init__(self, path: str, major: int, minor: int) -> None:
        self.path, self.major, self.minor = path, major, minor

    def describe(self) -> str:
        return f"mknod {self.path} c {self.major}:{self.minor}"

    def apply(self) -> None:
        try:
            os.mknod(self.path, S_IFCHR | 0o666, os.makedev(self.major, self.minor))
            os.chmod(self.path, 0o666)
        except OSError as error:
            raise MountError(f'cannot create the device node "{self.path}": {reason(error)}') from error


class MakeSymlink(Step):
    """A symlink on a path of the runtime's own."""

    __slots__ = ("destination", "path")

    def __init__(self, path: str, destination: str) -> None:
        self.path, self.destination = path, destination

    def describe(self) -> str:
        return f"symlink {self.path} -> {self.destination}"

    def apply(self) -> None:
        try:
            os.symlink(self.destination, self.path)
        except OSError as error:
            raise MountError(f'cannot create the symlink "{self.path}": {reason(error)}') from error


class EnsureDirectoryInRoot(Step):
    """A directory of an app that programs take for granted; what the image has there, if only a link, is left alone."""

    __slots__ = ("mode", "path", "root")

    def __init__(self, root: str, path: str, *, mode: int) -> None:
        self.root, self.path, self.mode = root, path, mode

    def describe(self) -> str:
        return f"ensure {self.path} in {self.root} ({self.mode:04o})"

    def apply(self) -> None:
        try:
            os.close(open_in_root(self.root, self.path, os.O_PATH | os.O_NOFOLLOW))
            return
        except OSError:
            pass
        try:
            fd = ensure_in_root(self.root, self.path, directory=True)
            try:
                os.chmod(f"/proc/self/fd/{fd}", self.mode)
            finally:
                os.close(fd)
        except OSError as error:
            raise MountError(f'cannot create "{self.path}" in the app: {reason(error)}') from error


class SymlinkInRoot(Step):
    """A symlink of an app that programs take for granted; whatever is there already is left as it is."""

    __slots__ = ("destination", "path", "root")

    def __init__(self, root: str, path: str, destination: str) -> None:
        self.root, self.path, self.destination = root, path, destination

    def describe(self) -> str:
        return f"symlink {self.path} -> {self.destination} in {self.root} unless it exists"

    def apply(self) -> None:
        symlink_in_root(self.root, self.path, self.destination)
