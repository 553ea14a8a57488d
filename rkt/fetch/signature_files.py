"""Where the signature of an image is: named by the user, or beside the image under one of its customary names.

The bytes are only fetched here; what they are worth is :mod:`rkt.keys.signature`'s to say.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rkt.errors import reason
from rkt.fetch import messages
from rkt.fetch.errors import UnverifiedImageError
from rkt.fetch.reference import ARCHIVE_SUFFIX
from rkt.keys.signature import LARGEST_SIGNATURE_BYTES

if TYPE_CHECKING:
    from rkt.fetch.transport import Transport

_HINT = "give its signature with --signature=FILE, or skip the check with --insecure-options=image"
_MISSING_STATUSES = frozenset({404, 410})


def signature_names(image: str) -> tuple[str, ...]:
    """The names tried, best first: ``x.aci.asc`` (appc), ``x.sig`` (servers of 2015), ``x.aci.sig`` (gpg's own)."""
    stem = image.removesuffix(ARCHIVE_SUFFIX)
    return tuple(dict.fromkeys((f"{image}.asc", f"{stem}.sig", f"{image}.sig")))


def load_signature_file(path: str, *, image: str) -> bytes:
    """A signature file that the user named. Raises UnverifiedImageError."""
    try:
        return _load(path)
    except OSError as error:
        raise UnverifiedImageError(
            f'cannot verify image "{image}": error opening signature file "{path}": {reason(error)}'
        ) from error


def load_signature_beside(image: str) -> bytes:
    """The signature of an image file. Raises UnverifiedImageError if there is none or it cannot be read."""
    names = signature_names(image)
    for path in names:
        if os.path.lexists(path):
            return load_signature_file(path, image=image)
    raise UnverifiedImageError(
        f'cannot verify image "{image}": error opening signature file: there is no "{names[0]}"', _HINT
    )


def download_signature(transport: Transport, image_url: str) -> tuple[str, bytes]:
    """The URL and the bytes of an image's signature. Raises UnverifiedImageError if there is none, DownloadError."""
    parts = urlsplit(image_url)
    for path in signature_names(parts.path):
        url = parts._replace(path=path).geturl()
        messages.downloading_signature(url)
        with transport.open(url) as answer:
            if answer.status in _MISSING_STATUSES:
                continue
            answer.expect_ok()
            return url, answer.read_all(limit=LARGEST_SIGNATURE_BYTES)
    raise UnverifiedImageError(f'cannot verify image "{image_url}": the server has no signature for it', _HINT)


def _load(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "Not a regular file")
        data = b""
        while len(data) <= LARGEST_SIGNATURE_BYTES and (chunk := os.read(fd, 1 << 16)):
            data += chunk
        return data
    finally:
        os.close(fd)
