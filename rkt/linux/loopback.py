"""Bring the loopback interface of the caller's network namespace up; the kernel adds 127.0.0.1 and ::1 itself.

Two ioctls (netdevice(7)) rather than netlink: this is on the path of every contained pod.
"""

from __future__ import annotations

import fcntl
import struct

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


def bring_up_loopback() -> None:
    """Set ``lo`` up. Raises OSError; needs CAP_NET_ADMIN over the namespace."""
    # the C module: socket.py costs 3 ms for what is not needed here
    import _socket

    control = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC, 0)
    try:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control.fileno(), _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control.fileno(), _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))
    finally:
        control.close()
