"""Image archives for tests that run them: a manifest in a few words, the probe in /bin, and what else is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.archives import archive, directory, entry

PROBE = Path(__file__).resolve().parent.parent.parent / "fixtures" / "aci" / "probe" / "probe"

LABELS = [
    {"name": "version", "value": "1.0.0"},
    {"name": "os", "value": "linux"},
    {"name": "arch", "value": "amd64"},
]


def app_section(*exec: str, user: str = "0", group: str = "0", **members: Any) -> dict[str, Any]:
    """An ``app`` section that runs the probe with the words ``exec``; ``members`` are added to it."""
    return {"exec": ["/bin/probe", *exec], "user": user, "group": group, **members}


def image_manifest(app: dict[str, Any] | None, *, name: str = "example.com/app", **members: Any) -> bytes:
    """An image manifest for linux/amd64."""
    document: dict[str, Any] = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name, "labels": LABELS}
    if app is not None:
        document["app"] = app
    return json.dumps(document | members).encode()


def write_image(path: Path, manifest: bytes, *entries: bytes, bin_directory: bool = True) -> Path:
    """Write an uncompressed image of ``manifest``, /bin/probe and ``entries`` (harness.archives); returns ``path``."""
    parts = [entry("manifest", manifest), directory("rootfs")]
    if bin_directory:
        parts.append(directory("rootfs/bin"))
    parts.append(entry("rootfs/bin/probe", PROBE.read_bytes(), mode=0o755))
    path.write_bytes(archive(*parts, *entries))
    return path
