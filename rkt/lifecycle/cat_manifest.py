"""``rkt cat-manifest``: the manifest of a pod as it lies on disk, in any state that has one.

The bytes are decoded as a pod manifest before they are given out, so that what is printed is one; they are printed as
they are or indented by the CLI. Facts: rkt 1.30, section 1.13 of the behaviour document.
"""

from __future__ import annotations

from rkt.paths import DataDirectory
from rkt.pod import contents
from rkt.pod.directory import open_pod, resolve_uuid


def load_manifest_bytes(data: DataDirectory, text: str) -> bytes:
    """The manifest of the pod that ``text`` names, byte for byte. Raises UUIDError, PodError, ManifestError."""
    with open_pod(data, resolve_uuid(data, text)) as pod:
        contents.load_manifest(pod)
        return contents.load_manifest_bytes(pod)
