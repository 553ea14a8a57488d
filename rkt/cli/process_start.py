"""A known state for the process, whatever the caller left it in: stdio, other descriptors, umask, signals.

It runs once, first thing in :func:`rkt.cli.main.main`, and touches nothing of a pod. A deleted working directory is
left as it is; whoever needs the directory reports it.
"""

from __future__ import annotations

import os

from rkt.linux import signals as signal

_UMASK = 0o022


def settle_process() -> None:
    """Make stdio exist, close what else was inherited, and reset umask, signal mask and SIGCHLD.

    SIGPIPE stays ignored, as the interpreter has set it: a pod's supervisor must survive a reader that goes away.
    Ignored SIGINT and SIGHUP stay ignored, which is what nohup and a shell's background jobs ask for.
    """
    open_missing_stdio()
    close_inherited_descriptors()
    os.umask(_UMASK)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # ignored SIGCHLD is inherited through exec and makes waitpid(2) lose every exit status
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def open_missing_stdio() -> None:
    """Put /dev/null on descriptors 0, 1 and 2 where the caller closed them.

    Otherwise the next file opened would become stdout, and a diagnostic would be written into it.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
            os.set_inheritable(fd, True)


def close_inherited_descriptors() -> None:
    """Close everything above stderr: no descriptor of the caller reaches an app.

    Sockets passed by a service manager (LISTEN_FDS for this process) are the exception; they become close-on-exec.
    """
    kept = _passed_sockets()
    for fd in _open_descriptors():
        if fd < 3:
            continue
        try:
            if fd in kept:
                os.set_inheritable(fd, False)
            else:
                os.close(fd)
        except OSError:
            pass  # the descriptor of the listing itself, closed by now


def _open_descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(3, 1024))  # no /proc here: the default limit covers what a shell can have opened


def _passed_sockets() -> range:
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return range(0)
    count = os.environ.get("LISTEN_FDS", "")
    return range(3, 3 + int(count)) if count.isascii() and count.isdigit() and len(count) < 4 else range(0)
