"""A stored manifest on stdout: as it is, or indented with tabs."""

from __future__ import annotations

from rkt.cli.output import write_bytes, write_json


def write_manifest(data: bytes, *, pretty: bool) -> None:
    """Write a manifest and a newline. Not ``pretty``: byte for byte as it was stored."""
    if not pretty:
        write_bytes(data if data.endswith(b"\n") else data + b"\n")
        return
    import json

    write_json(json.loads(data), pretty=True)
