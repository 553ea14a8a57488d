"""Judge files and directories as ``actool validate`` does: image archives, image layouts, manifests.

The lines are actool's, the verdicts too, but for its crashes; of a manifest all problems are reported. It prints
nothing: the caller shows :attr:`Validation.lines` and decides by :attr:`Validation.stops` whether to go on.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from rkt.aci.archive import MAX_MANIFEST_BYTES, ArchiveScan
from rkt.aci.compression import HEAD_BYTES, find_format, open_decompressed
from rkt.aci.errors import ArchiveError
from rkt.aci.layout import load_layout_manifest
from rkt.errors import NotSupportedError, reason
from rkt.schema.advice import find_warnings
from rkt.schema.image import decode_image_manifest
from rkt.schema.kind import decode_kind
from rkt.schema.pod import decode_pod_manifest
from rkt.schema.problems import ManifestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from rkt.schema.image import ImageManifest
    from rkt.schema.pod import PodManifest

APP_IMAGE, LAYOUT, MANIFEST = "appimage", "layout", "manifest"
#: what ``--type`` takes
KINDS = (APP_IMAGE, LAYOUT, MANIFEST)

#: as many as the decoder reports errors
_MOST_WARNINGS = 1000

# control characters that no text holds: https://mimesniff.spec.whatwg.org/#binary-data-byte
_BINARY_BYTES = bytes(byte for byte in range(0x20) if byte not in (0x09, 0x0A, 0x0C, 0x0D, 0x1B))


class Validation:
    """The verdict on one path.

    ``lines`` are the problems, one line each, empty if it is valid; ``success`` is the line that ``--debug`` shows
    then, and ``warnings`` are what a valid manifest should better not have (:mod:`rkt.schema.advice`). ``stops``:
    actool looks at no further path after this failure.
    """

    __slots__ = ("lines", "path", "stops", "success", "warnings")

    def __init__(
        self,
        path: str,
        *,
        lines: tuple[str, ...] = (),
        stops: bool = False,
        success: str = "",
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.lines = lines
        self.stops = stops
        self.success = success
        self.warnings = warnings

    @property
    def valid(self) -> bool:
        return not self.lines

    def __repr__(self) -> str:
        return f"Validation({self.path!r}, lines={self.lines!r}, stops={self.stops}, success={self.success!r})"


def validate_file(path: str, *, kind: str | None = None) -> Validation:
    """The verdict on ``path``. ``kind`` is one of KINDS, or None to find out. Raises nothing but NotSupportedError."""
    try:
        if os.path.isdir(path):
            if kind not in (None, LAYOUT):
                return Validation(path, lines=(f"{path} is a directory (wrong --type?)",), stops=True)
            return _validate_layout(path)
        # neither waits for the writer of a FIFO nor reads from a device, which may have no end
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                return Validation(path, lines=(f"unable to access {path}: not a regular file",), stops=True)
            return _validate_open_file(path, file, kind)
    except OSError as error:
        return Validation(path, lines=(f"unable to access {path}: {reason(error)}",), stops=True)


def _validate_open_file(path: str, file: BinaryIO, kind: str | None) -> Validation:
    if kind is None:
        kind = _find_kind(file.read(HEAD_BYTES))
        file.seek(0)
    if kind == APP_IMAGE:
        return _validate_image(path, file)
    if kind == MANIFEST:
        return _validate_manifest(path, file.read(MAX_MANIFEST_BYTES + 1))
    if kind == LAYOUT:
        return Validation(path, lines=(f'{path}: invalid image layout: given path "{path}" is not a directory',))
    return Validation(path, lines=(f"{path}: unable to detect filetype (try --type)",), stops=True)


def _find_kind(head: bytes) -> str | None:
    if find_format(head):
        return APP_IMAGE
    return None if head.translate(None, _BINARY_BYTES) != head else MANIFEST


def _validate_layout(path: str) -> Validation:
    try:
        manifest = decode_image_manifest(load_layout_manifest(os.fsencode(path)))
    except ArchiveError as error:
        return Validation(path, lines=(f"{path}: invalid image layout: {error}",))
    except ManifestError as error:
        return _manifest_problems(path, f"{path}: invalid image layout: image manifest validation failed", error)
    return _valid(path, "valid image layout", manifest)


def _validate_image(path: str, file: BinaryIO) -> Validation:
    scan = ArchiveScan()
    try:
        reader = open_decompressed(file)
        while True:
            try:
                chunk = reader.read()
            except ArchiveError as error:
                return Validation(path, lines=(f"{path}: error decompressing file: {error}",), stops=True)
            if not chunk:
                break
            scan.feed(chunk)
        manifest = decode_image_manifest(scan.finish().manifest)
    except (ArchiveError, NotSupportedError) as error:
        return Validation(path, lines=(f"{path}: error validating: {error}",))
    except ManifestError as error:
        return _manifest_problems(path, f"{path}: error validating: image manifest validation failed", error)
    return _valid(path, "valid app container image", manifest)


def _validate_manifest(path: str, data: bytes) -> Validation:
    try:
        kind = decode_kind(data)
    except ManifestError as error:
        return _manifest_problems(path, f"{path}: error unmarshaling manifest", error, stops=True)
    try:
        manifest = decode_image_manifest(data) if kind == "ImageManifest" else decode_pod_manifest(data)
    except ManifestError as error:
        return _manifest_problems(path, f"{path}: invalid {kind}", error)
    return _valid(path, f"valid {kind}", manifest)


def _valid(path: str, what: str, manifest: ImageManifest | PodManifest) -> Validation:
    """Warnings have the form of actool's one, about old versions."""
    warnings = tuple(f"{path}: warning: {problem}" for problem in find_warnings(manifest)[:_MOST_WARNINGS])
    return Validation(path, success=f"{path}: {what}", warnings=warnings)


def _manifest_problems(path: str, prefix: str, error: ManifestError, *, stops: bool = False) -> Validation:
    return Validation(path, lines=tuple(f"{prefix}: {problem}" for problem in error.problems), stops=stops)
