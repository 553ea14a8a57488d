"""What can be wrong with an archive, or can go wrong while one is rendered or built.

Every function of this package raises these and no bare OSError about the things that it works on.
"""

from __future__ import annotations

from rkt.errors import RktError


class ArchiveError(RktError):
    """The bytes are not an App Container image that this program accepts."""

    code = "bad-archive"


class ArchiveLimitError(ArchiveError):
    """A limit of ours, not of the specification, is exceeded (ACI-036): too large, too many entries, too dense."""

    code = "archive-limit"


class RenderError(RktError):
    """An image is sound as far as we know, yet its tree cannot be written."""

    code = "render"


class BuildError(RktError):
    """A directory cannot be made into an image."""

    code = "build"


def quoted(name: bytes) -> str:
    """A name from an archive for a message, in double quotes; bytes that are not UTF-8 are shown as ``\\xNN``."""
    return f'"{name.decode("utf-8", "backslashreplace")}"'
