"""What can go wrong on the way from an image reference to the store."""

from __future__ import annotations

from rkt.errors import RktError


class ImageReferenceError(RktError):
    """A text that names no image in any of the forms of section 5.1."""

    code = "bad-image-reference"


class FetchError(RktError):
    """The image cannot be had: not found, and not allowed or not able to be fetched."""

    code = "fetch-failed"


class DownloadError(RktError):
    """A server or the way to it failed, or it answered something that cannot be used."""

    code = "download-failed"


class UnverifiedImageError(RktError):
    """The image is there, but nobody whom we trust has signed it."""

    code = "image-not-verified"
