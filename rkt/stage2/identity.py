"""Users and groups of an app, looked up in the app's own files and nowhere else.

The caller stands in the app's root file system already. The files may be hostile: only regular files of bounded size
are read, and a text that is not fully understood is an error, never user 0 (appc IMG-018 to IMG-021; CVE-2024-9676,
CVE-2026-30892 and their like).
"""

from __future__ import annotations

import os
from stat import S_ISREG

from rkt.errors import RktError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_FILE_BYTES = 1 << 20
#: 2^32 - 1 means "no change" to setuid(2)
_MAX_ID = (1 << 32) - 2


class IdentityError(RktError):
    """A user or group of the manifest cannot be turned into a number."""

    code = "identity"


def get_uid(user: str) -> int:
    """The UID that ``user`` means: a name in /etc/passwd (even one of digits), a number, or a path's owner."""
    return _get_id(user, what="user", file="/etc/passwd", owner=lambda status: status.st_uid)


def get_gid(group: str) -> int:
    """The GID that ``group`` means: a name in /etc/group, a number, or a path's group."""
    return _get_id(group, what="group", file="/etc/group", owner=lambda status: status.st_gid)


def _get_id(text: str, *, what: str, file: str, owner: Callable[[os.stat_result], int]) -> int:
    if text.startswith("/"):
        try:
            return owner(os.stat(text))
        except (OSError, ValueError) as error:
            raise IdentityError(f'cannot resolve {what} "{text}": {reason(error)}') from error
    found = _find_named(text.encode("utf-8", "surrogatepass"), file)
    if found is not None:
        return _parse_id(found, text, what)
    if text.isascii() and text.isdecimal():
        return _parse_id(text, text, what)
    if text == "root":
        # an image without /etc/passwd still has a user of that name
        return 0
    message = f'cannot resolve {what} "{text}": not in {file} of the image'
    raise IdentityError(message, "use a number or a name of the image")


def _parse_id(digits: str, text: str, what: str) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= _MAX_ID):
        raise IdentityError(f'cannot resolve {what} "{text}": "{digits[:32]}" is not an ID from 0 to {_MAX_ID}')
    return int(digits)


def _find_named(name: bytes, path: str) -> str | None:
    """Third field of the line that begins with ``name:``; None without such a line or such a file."""
    if not name or b":" in name or b"\n" in name:
        return None
    for line in _load_lines(path):
        if line.startswith(name + b":"):
            fields = line.split(b":")
            if len(fields) >= 3:
                return fields[2].decode("ascii", "replace")
    return None


def _load_lines(path: str) -> list[bytes]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        status = os.fstat(fd)
        if not S_ISREG(status.st_mode):
            return []
        if status.st_size > _MAX_FILE_BYTES:
            raise IdentityError(f'cannot read "{path}" of the image: larger than {_MAX_FILE_BYTES} bytes')
        return os.read(fd, _MAX_FILE_BYTES).splitlines()
    finally:
        os.close(fd)
