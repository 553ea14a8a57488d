"""Messages between a pod's supervisor on the host and its init: one packet each, a letter and a text.

``E`` error text (init cannot start the pod), ``R`` every app runs, ``T`` a terminal's master follows as a descriptor;
in the other direction ``G`` go on, ``S`` stop the apps, ``K`` kill them. The end of the channel means that the other
side is dead.
"""

from __future__ import annotations

# the C module: socket.py costs 3 ms on every run for what is not needed here
import _socket

ERROR, READY, TERMINAL = b"E", b"R", b"T"
GO, STOP, KILL = b"G", b"S", b"K"
_MAX_BYTES = 8192


class Channel:
    """One end. Closing is the owner's job; descriptors are close-on-exec."""

    __slots__ = ("_socket",)

    def __init__(self, end: _socket.socket) -> None:
        self._socket = end

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, kind: bytes, text: bytes = b"") -> None:
        """Send a message; a dead peer is not an error, its death is noticed by :meth:`receive`."""
        try:
            self._socket.send(kind + text[: _MAX_BYTES - 1], _socket.MSG_NOSIGNAL)
        except OSError:
            pass

    def send_descriptor(self, fd: int) -> None:
        """Send a terminal's master. Raises OSError."""
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fd.to_bytes(4, "little"))
        self._socket.sendmsg([TERMINAL], [rights])

    def receive(self) -> tuple[bytes, bytes, int | None]:
        """(kind, text, descriptor or None); kind is empty when the other side is dead."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_MAX_BYTES, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return b"", b"", None
        fd = next((int.from_bytes(item[2][:4], "little") for item in ancillary if item[1] == _socket.SCM_RIGHTS), None)
        return data[:1], data[1:], fd


def open_channel() -> tuple[Channel, Channel]:
    """Two connected ends."""
    first, second = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC, 0)
    return Channel(first), Channel(second)
