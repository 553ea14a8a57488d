"""Signals without ``signal.py``, which turns every constant into an enum: 2 ms of every ``rkt run``.

The names are those of the standard module, the work is done by the same C module, ``_signal``. Numbers are plain ints.
"""

from __future__ import annotations

from _signal import (  # type: ignore[import-not-found]
    NSIG,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGCHLD,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGPIPE,
    SIGQUIT,
    SIGSTOP,
    SIGTERM,
    SIGUSR1,
    SIGWINCH,
    getsignal,
    pidfd_send_signal,
    pthread_sigmask,
    set_wakeup_fd,
    signal,
)

__all__ = [
    "NSIG",
    "SIGCHLD",
    "SIGHUP",
    "SIGINT",
    "SIGKILL",
    "SIGPIPE",
    "SIGQUIT",
    "SIGSTOP",
    "SIGTERM",
    "SIGUSR1",
    "SIGWINCH",
    "SIG_BLOCK",
    "SIG_DFL",
    "SIG_IGN",
    "SIG_SETMASK",
    "SIG_UNBLOCK",
    "getsignal",
    "pidfd_send_signal",
    "pthread_sigmask",
    "set_wakeup_fd",
    "signal",
]
