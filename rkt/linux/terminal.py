"""Pseudo-terminals and terminal modes by ioctl(2): what an interactive pod needs; see ioctl_tty(2), pts(4).

``tty`` and ``pty`` of the standard library allocate from the host's devpts only and import more than they give.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

_TIOCSPTLCK = 0x40045431
_TIOCGPTN = 0x80045430


def open_terminal(devpts: str) -> tuple[int, int]:
    """Allocate a pseudo-terminal in the devpts mounted at ``devpts``: (master fd, number). Raises OSError."""
    master = os.open(f"{devpts}/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        number = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0" * 4))[0]
    except OSError:
        os.close(master)
        raise
    return master, number


def take_controlling_terminal(path: str) -> None:
    """Open ``path`` as the controlling terminal of the caller (a session leader) and as its fds 0, 1 and 2."""
    slave = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in (0, 1, 2):
            os.dup2(slave, number)
    finally:
        if slave > 2:
            os.close(slave)


def copy_window_size(source: int, target: int) -> None:
    """Give ``target`` the window size of ``source``; not being a terminal is not an error."""
    try:
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        pass


class RawMode:
    """Puts a terminal into raw mode for as long as the context lasts; without effect on what is not a terminal."""

    __slots__ = ("_fd", "_saved")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: list[object] | None = None

    def __enter__(self) -> None:
        try:
            attributes = termios.tcgetattr(self._fd)
        except (termios.error, OSError):
            return
        self._saved = list(attributes)
        attributes[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR)
        attributes[0] &= ~(termios.INPCK | termios.ISTRIP | termios.IXON)
        attributes[1] &= ~termios.OPOST
        attributes[2] = (attributes[2] & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
        attributes[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG)
        termios.tcsetattr(self._fd, termios.TCSANOW, attributes)

    def __exit__(self, *exc: object) -> None:
        if self._saved is not None:
            # the app may have changed nothing of it: the host's terminal is not the app's
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]
