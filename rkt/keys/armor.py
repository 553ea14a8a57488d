"""ASCII armor (RFC 4880, section 6) around signatures and public keys, read strictly.

A lenient reader searches for the first block and skips what is around it, which lets a file show one thing to a human
and another to a program. Here a file is one block and white space, or it is refused. Cleartext signatures and every
other kind of block are refused too; nothing is interpreted beyond the armor.
"""

from __future__ import annotations

import base64
import binascii

SIGNATURE = "SIGNATURE"
PUBLIC_KEY = "PUBLIC KEY BLOCK"

#: characters per line of the base64 text that is written
LINE_LENGTH = 64


class ArmorError(ValueError):
    """The text is not exactly one armored block of the kind asked for."""


def is_armored(data: bytes) -> bool:
    """Whether ``data`` claims to be text with a PGP block; binary packets always begin with a byte above 0x7f."""
    return data.lstrip()[:10] == b"-----BEGIN"


def parse_armor(data: bytes, *, kind: str) -> bytes:
    """The bytes inside one armored block of ``kind``. Raises ArmorError; a wrong or half checksum is an error too."""
    lines = [line.rstrip(b" \t\r") for line in data.strip().split(b"\n")]
    if lines[0] == b"-----BEGIN PGP SIGNED MESSAGE-----":
        raise ArmorError("it is a cleartext signature, not a detached one")
    if lines[0] != f"-----BEGIN PGP {kind}-----".encode():
        raise ArmorError(f"it does not begin with a PGP {kind} line")
    if lines[-1] != f"-----END PGP {kind}-----".encode():
        raise ArmorError(f"it does not end with a PGP {kind} line")
    body = lines[_end_of_headers(lines) : -1]
    checksum = body.pop() if body and body[-1].startswith(b"=") else None
    content = _decode_base64(b"".join(body))
    if checksum is not None and _decode_base64(checksum[1:]) != _checksum(content):
        raise ArmorError("the armor's checksum is wrong")
    return content


def format_armor(content: bytes, *, kind: str) -> bytes:
    """``content`` as one armored block of ``kind``, with checksum."""
    text = base64.b64encode(content)
    lines = [text[start : start + LINE_LENGTH] for start in range(0, len(text), LINE_LENGTH)]
    lines.append(b"=" + base64.b64encode(_checksum(content)))
    begin, end = f"-----BEGIN PGP {kind}-----\n\n".encode(), f"\n-----END PGP {kind}-----\n".encode()
    return begin + b"\n".join(lines) + end


def _end_of_headers(lines: list[bytes]) -> int:
    """The index of the first line after the armor headers (``Version: ...``) and the empty line that ends them."""
    for number, line in enumerate(lines[1:-1], start=1):
        if not line:
            return number + 1
        if b": " not in line:
            break
    raise ArmorError("no empty line ends the armor's headers")


def _decode_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ArmorError("the armor is not valid base64") from None


def _checksum(content: bytes) -> bytes:
    """CRC-24 of RFC 4880, section 6.1."""
    value = 0xB704CE
    for byte in content:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value.to_bytes(3, "big")
