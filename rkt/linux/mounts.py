"""Mount operations as values: a plan is a list of steps that prints itself; applying it is a short loop.

A step whose target lies in an app's root file system is given as (root, path) and resolved inside that root, so that
no symlink of an image leads a mount outside (openat2(2) RESOLVE_IN_ROOT, :mod:`rkt.linux.safe_path`). Steps raise
:class:`MountError`. Nothing here decides what a pod needs: that is ``rkt.stage1.native.plan``.
"""

from __future__ import annotations

import os

from rkt import diagnostics
from rkt.errors import RktError, reason
from rkt.linux import syscalls
from rkt.linux.safe_path import ensure_in_root, open_in_root, open_without_symlinks


class MountError(RktError):
    """A mount that the pod needs cannot be made."""

    code = "mount"


#: mount(2) silently cuts options that do not fit into a page
_DATA_BYTES = 4095

_FLAG_NAMES = (
    (syscalls.MS_RDONLY, "ro"),
    (syscalls.MS_NOSUID, "nosuid"),
    (syscalls.MS_NODEV, "nodev"),
    (syscalls.MS_NOEXEC, "noexec"),
    (syscalls.MS_BIND, "bind"),
    (syscalls.MS_REC, "rec"),
)


def describe_flags(flags: int) -> str:
    """``ro,nosuid`` for the flags of mount(2)."""
    return ",".join(name for flag, name in _FLAG_NAMES if flags & flag) or "defaults"


class Step:
    """One effect of a plan: ``describe()`` says it in a line, ``apply()`` does it."""

    __slots__ = ()

    def describe(self) -> str:
        raise AssertionError(f"{type(self).__name__} does not describe itself")

    def apply(self) -> None:
        raise AssertionError(f"{type(self).__name__} does nothing")


class Mount(Step):
    """A new file system on a path that the runtime made itself (no image has a say in it)."""

    __slots__ = ("data", "flags", "kind", "source", "target")

    def __init__(self, kind: str, target: str, *, flags: int = 0, data: str | None = None, source: str = "") -> None:
        self.kind, self.target, self.flags, self.data, self.source = kind, target, flags, data, source or kind

    def describe(self) -> str:
        options = describe_flags(self.flags) + (f",{self.data}" if self.data else "")
        return f"mount {self.kind} on {self.target} ({options})"

    def apply(self) -> None:
        size = len(os.fsencode(self.data or ""))
        if size > _DATA_BYTES:
            raise MountError(
                f'cannot mount {self.kind} on "{self.target}": its options have {size} bytes, and the kernel takes'
                f" {_DATA_BYTES}",
                "use a data directory with a shorter path (--dir), or --no-overlay",
            )
        try:
            syscalls.mount(self.source, self.target, self.kind, self.flags, self.data)
        except OSError as error:
            raise MountError(f'cannot mount {self.kind} on "{self.target}": {reason(error)}') from error


class Bind(Step):
    """A path of the runtime's own bound on another of its own; ``optional`` targets may be absent."""

    __slots__ = ("attributes", "optional", "source", "target")

    def __init__(self, source: str, target: str, *, attributes: int = 0, optional: bool = False) -> None:
        self.source, self.target, self.attributes, self.optional = source, target, attributes, optional

    def describe(self) -> str:
        suffix = f" (attributes {self.attributes:#x})" if self.attributes else ""
        return f"bind {self.source} on {self.target}{suffix}"

    def apply(self) -> None:
        try:
            syscalls.mount(self.source, self.target, None, syscalls.MS_BIND)
            if self.attributes:
                syscalls.mount_setattr(syscalls.AT_FDCWD, self.target, set_attributes=self.attributes)
        except FileNotFoundError as error:
            if not self.optional:
                raise MountError(f'cannot bind "{self.source}" on "{self.target}": {reason(error)}') from error
        except OSError as error:
            raise MountError(f'cannot bind "{self.source}" on "{self.target}": {reason(error)}') from error


class BindInRoot(Step):
    """A directory or file bound on a path inside an app's root file system, which is created where it is missing.

    ``host_source`` says that the source is named by a user or a manifest: then no component of it may be a symlink
    (ACE-024, ACE-026) and it must exist (ACE-021). ``recursive`` takes the submounts along, the attributes apply to
    all of them (a read-only volume is read-only all the way down). ``unless_present`` leaves a path that the app has
    alone, a dangling symlink included; ``warn_hidden`` says when files of the app disappear below the mount (ACE-015).
    """

    __slots__ = (
        "attributes",
        "host_source",
        "path",
        "recursive",
        "root",
        "source",
        "unless_present",
        "warn_hidden",
        "what",
    )

    def __init__(
        self,
        source: str,
        *,
        root: str,
        path: str,
        recursive: bool = False,
        attributes: int = 0,
        host_source: bool = False,
        unless_present: bool = False,
        warn_hidden: bool = False,
        what: str = "mount",
    ) -> None:
        self.source, self.root, self.path, self.recursive = source, root, path, recursive
        self.attributes, self.host_source, self.what = attributes, host_source, what
        self.unless_present, self.warn_hidden = unless_present, warn_hidden

    def describe(self) -> str:
        verb = "bind recursively" if self.recursive else "bind"
        suffix = " unless it exists" if self.unless_present else ""
        return f"{verb} {self.source} on {self.path} in {self.root} (attributes {self.attributes:#x}){suffix}"

    def apply(self) -> None:
        if self.unless_present and _exists_in_root(self.root, self.path):
            return
        if self.warn_hidden and _has_content_in_root(self.root, self.path):
            diagnostics.warning(f'{self.what} hides files of the image at "{self.path}"')
        source_fd = open_source(self.source, what=self.what, host=self.host_source)
        try:
            directory = _is_directory(source_fd)
            tree_fd = syscalls.open_tree("", directory_fd=source_fd, recursive=self.recursive)
        except OSError as error:
            raise MountError(f'cannot use "{self.source}" for {self.what}: {reason(error)}') from error
        finally:
            os.close(source_fd)
        try:
            syscalls.mount_setattr(
                tree_fd,
                "",
                set_attributes=self.attributes,
                propagation=syscalls.MS_PRIVATE,
                recursive=self.recursive,
            )
            target_fd = ensure_in_root(self.root, self.path, directory=directory)
            try:
                syscalls.move_mount(tree_fd, target_fd)
            finally:
                os.close(target_fd)
        except OSError as error:
            message = f'cannot mount "{self.source}" on "{self.path}" for {self.what}: {reason(error)}'
            raise MountError(message) from error
        finally:
            os.close(tree_fd)


class MountInRoot(Step):
    """A new file system on a directory inside an app's root file system, created where it is missing."""

    __slots__ = ("data", "flags", "kind", "path", "root")

    def __init__(self, kind: str, *, root: str, path: str, flags: int = 0, data: str | None = None) -> None:
        self.kind, self.root, self.path, self.flags, self.data = kind, root, path, flags, data

    def describe(self) -> str:
        options = describe_flags(self.flags) + (f",{self.data}" if self.data else "")
        return f"mount {self.kind} on {self.path} in {self.root} ({options})"

    def apply(self) -> None:
        try:
            fd = ensure_in_root(self.root, self.path, directory=True)
            try:
                syscalls.mount(self.kind, f"/proc/self/fd/{fd}", self.kind, self.flags, self.data)
            finally:
                os.close(fd)
        except OSError as error:
            raise MountError(f'cannot mount {self.kind} on "{self.path}": {reason(error)}') from error


class Attributes(Step):
    """Attributes set on a mount that exists already, e.g. read-only for a root file system (not recursively)."""

    __slots__ = ("attributes", "target")

    def __init__(self, target: str, attributes: int) -> None:
        self.target, self.attributes = target, attributes

    def describe(self) -> str:
        return f"set attributes {self.attributes:#x} on {self.target}"

    def apply(self) -> None:
        try:
            syscalls.mount_setattr(syscalls.AT_FDCWD, self.target, set_attributes=self.attributes)
        except OSError as error:
            raise MountError(f'cannot change the mount "{self.target}": {reason(error)}') from error


def open_source(source: str, *, what: str, host: bool) -> int:
    """O_PATH descriptor of what is to be bound. Raises :class:`MountError` that names ``what`` needs it.

    ``host`` says that a user or a manifest named it: then no component may be a symlink (ACE-024, ACE-026).
    """
    try:
        return open_without_symlinks(source) if host else os.open(source, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MountError(f'{what}: source "{source}" does not exist', "create it first") from None
    except OSError as error:
        from errno import ELOOP

        if error.errno == ELOOP:
            hint = f'use "{os.path.realpath(source)}" instead'
            raise MountError(f'{what}: source "{source}" leads through a symbolic link', hint) from None
        raise MountError(f'{what}: cannot open source "{source}": {reason(error)}') from error


def _exists_in_root(root: str, path: str) -> bool:
    try:
        os.close(open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW))
    except OSError:
        return False
    return True


def _has_content_in_root(root: str, path: str) -> bool:
    """Whether there is a file, or a directory that is not empty."""
    try:
        fd = open_in_root(root, path)
    except OSError:
        return False
    try:
        return not _is_directory(fd) or bool(os.listdir(f"/proc/self/fd/{fd}"))
    finally:
        os.close(fd)


def _is_directory(fd: int) -> bool:
    return (os.fstat(fd).st_mode & 0o170000) == 0o040000


def escape_overlay_path(path: str) -> str:
    """``path`` for the options of overlayfs: backslash, colon and comma are escaped (mount(2) data)."""
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def plan_overlay(target: str, *, lower: str, upper: str, work: str) -> Mount:
    """An overlay mount that honours no device node (nodev): a node that an app makes leads nowhere."""
    options = (("lowerdir", lower), ("upperdir", upper), ("workdir", work))
    data = ",".join(f"{name}={escape_overlay_path(path)}" for name, path in options)
    return Mount("overlay", target, flags=syscalls.MS_NODEV, data=data)


def symlink_in_root(root: str, path: str, destination: str) -> None:
    """Make a symlink inside ``root`` unless something is there; a parent that is missing is not an error."""
    directory, name = os.path.split(path)
    try:
        fd = open_in_root(root, directory)
    except OSError:
        return
    try:
        os.symlink(destination, name, dir_fd=fd)
    except OSError:
        pass
    finally:
        os.close(fd)
