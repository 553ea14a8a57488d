"""Render images into a directory: the tree that an app sees as its root, from its image and what that depends on.

The work is done by a child that chroots into the target and gives up what it does not need; this module starts it,
waits for it and turns its one line of report into an exception. Which images make a tree, in what order and under
which whitelists, and whether their bytes are what their IDs say, is the caller's part.
"""

from __future__ import annotations

import gc
import os
import sys

from rkt.aci.errors import ArchiveError, ArchiveLimitError, RenderError
from rkt.aci.extraction import Extraction
from rkt.aci.whitelist import Selection
from rkt.errors import NotPermittedError, RktError, reason
from rkt.linux.syscalls import PR_SET_PDEATHSIG, capget, capset, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable, Sequence
else:
    import _signal as signal  # the module behind signal, without the enums that cost 2 ms

_DONE = b"done"
_REPORT_BYTES = 64 << 10
_ERRORS: dict[str, type[RktError]] = {
    kind.code: kind for kind in (ArchiveError, ArchiveLimitError, RenderError, NotPermittedError)
}
# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP: what it takes to make any file, and nothing else
_CAPABILITIES = sum(1 << number for number in (0, 1, 3, 4, 27, 31))


class Layer:
    """One image of a tree: a descriptor of its uncompressed archive and the whitelists that apply to it.

    ``path_whitelists`` are the pathWhitelist of the image itself and of every image on the way to the top of the
    tree (DEP-013, DEP-016), in any order; one without paths has no effect.
    """

    __slots__ = ("blob_fd", "path_whitelists")

    def __init__(self, blob_fd: int, path_whitelists: Iterable[Sequence[str]] = ()) -> None:
        self.blob_fd = blob_fd
        self.path_whitelists = tuple(path_whitelists)


def render(layers: Sequence[Layer], target: str) -> None:
    """Extract the rootfs of ``layers``, the lowest first, into ``target``, an existing empty directory (DEP-006).

    ``target`` gets the attributes of the topmost rootfs entry. Its parent must keep others out (mode 0700), because
    set-user-ID files come into being below it. The blobs' file positions do not change. The result is not synced.

    Forks: no other thread may be running. Raises ArchiveError, RenderError (then ``target`` holds a part of the
    tree, for the caller to remove), NotPermittedError unless root.
    """
    if os.geteuid() != 0:
        raise NotPermittedError("cannot render an image: only root can give files their owners", "run rkt as root")
    try:
        target_fd = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise RenderError(f'cannot render into "{target}": {reason(error)}') from error
    try:
        if os.listdir(target_fd):
            raise RenderError(f'cannot render into "{target}": directory is not empty')
        _raise_report(_run_child(layers, target_fd))
    finally:
        os.close(target_fd)


def _run_child(layers: Sequence[Layer], target_fd: int) -> bytes:
    """Fork the renderer and return what it reported. It is gone when this returns or raises."""
    selections = [(layer.blob_fd, Selection(layer.path_whitelists)) for layer in layers]
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    try:
        pid = os.fork()
    except BaseException:
        os.close(read_fd)
        os.close(write_fd)
        raise
    if pid == 0:
        _child(selections, target_fd=target_fd, report_fd=write_fd, parent=parent)
    try:
        os.close(write_fd)
        report = b""
        while len(report) < _REPORT_BYTES and (more := os.read(read_fd, _REPORT_BYTES)):
            report += more
        return report
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(read_fd)
        os.waitpid(pid, 0)


def _raise_report(report: bytes) -> None:
    if report == _DONE:
        return
    code, _, rest = report.decode("utf-8", "surrogateescape").partition("\0")
    message, _, hint = rest.partition("\0")
    if code not in _ERRORS:
        raise RenderError(
            "cannot render an image: the renderer was killed or failed",
            "look at the kernel's log (dmesg): it may have been out of memory",
        )
    raise _ERRORS[code](message, hint or None)


def _child(selections: Sequence[tuple[int, Selection]], *, target_fd: int, report_fd: int, parent: int) -> None:
    """The child's whole life. Never returns: nothing of the parent's stack may run twice."""
    status = 1
    try:
        try:
            _enter_target(target_fd, parent)
            extraction = Extraction()
            for blob_fd, selection in selections:
                extraction.apply_layer(blob_fd, selection)
            extraction.finish()
            report, status = _DONE, 0
        except RktError as error:
            parts = (error.code, error.message, error.hint or "")
            report = "\0".join(part.replace("\0", "\\0") for part in parts).encode("utf-8", "surrogateescape")
        except Exception as error:
            text = reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            report = f"{RenderError.code}\0cannot render an image: {text}\0".encode("utf-8", "surrogateescape")
        os.write(report_fd, report[:_REPORT_BYTES])
    finally:
        os._exit(status)


def _enter_target(target_fd: int, parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)  # the parent's handlers are about the parent
    gc.disable()
    os.umask(0)
    os.fchdir(target_fd)
    os.chroot(".")
    # from here on an import would run what the image offers under Python's paths
    sys.path.clear()
    sys.meta_path.clear()
    capset(effective=_CAPABILITIES & capget()[0], permitted=_CAPABILITIES & capget()[1], inheritable=0)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
