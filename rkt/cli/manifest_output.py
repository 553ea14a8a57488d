"""A stored manifest on stdout: as it is, or indented with tabs."""

from __future__ import annotations

from rkt.cli.output import write, write_bytes


def write_manifest(data: bytes, *, pretty: bool) -> None:
    """Write a manifest and a newline. Not ``pretty``: byte for byte as it was stored.

    ``pretty`` changes neither a number nor the order of members; what could steer a terminal is escaped.
    """
    if not pretty:
        write_bytes(data if data.endswith(b"\n") else data + b"\n")
        return
    from rkt.cli.json_text import escape_unprintable, indent_json

    write(escape_unprintable(indent_json(data.decode("utf-8", "backslashreplace"))) + "\n")
