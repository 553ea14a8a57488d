"""Tar archives made byte by byte, so that tests can say things that no archiver would. Shares no code with rkt."""

from __future__ import annotations

from collections.abc import Mapping

BLOCK = 512
FILE, LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = "0", "1", "2", "3", "4", "5", "6"
MANIFEST = b'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/test"}'


def octal(number: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, number)


def base256(number: int, width: int) -> bytes:
    if number < 0:
        return number.to_bytes(width, "big", signed=True)
    return b"\x80" + number.to_bytes(width - 1, "big")


def header(
    name: bytes = b"",
    *,
    kind: str = FILE,
    mode: bytes = b"0000644\0",
    uid: bytes = b"0000000\0",
    gid: bytes = b"0000000\0",
    size: bytes = b"00000000000\0",
    mtime: bytes = b"00000000000\0",
    linkname: bytes = b"",
    magic: bytes = b"ustar\x0000",
    major: bytes = b"0000000\0",
    minor: bytes = b"0000000\0",
    prefix: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One header block with raw fields and, unless given, the right checksum."""
    parts = [
        *(name.ljust(100, b"\0"), mode, uid, gid, size, mtime, b" " * 8, kind.encode("latin-1")),
        *(linkname.ljust(100, b"\0"), magic, bytes(64), major, minor, prefix.ljust(155, b"\0"), bytes(12)),
    ]
    block = b"".join(parts)
    assert len(block) == BLOCK
    stored = b"%06o\0 " % sum(block) if checksum is None else checksum
    return block[:148] + stored + block[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def extension(kind: str, body: bytes) -> bytes:
    """A pax ("x", "g") or GNU ("L", "K") extended header with its body."""
    return header(b"././@Extension", kind=kind, size=octal(len(body), 12)) + padded(body)


def pax(records: Mapping[str, bytes], *, kind: str = "x") -> bytes:
    body = b""
    for key, value in records.items():
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest)
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        body += str(length).encode() + rest
    return extension(kind, body)


def entry(
    name: str | bytes,
    data: bytes = b"",
    *,
    kind: str = FILE,
    mode: int | None = None,
    uid: int = 0,
    gid: int = 0,
    mtime: int = 0,
    target: str | bytes = b"",
    device: tuple[int, int] = (0, 0),
    records: Mapping[str, bytes] | None = None,
) -> bytes:
    """A whole entry: headers and content. Names of more than 100 bytes go into a pax header."""
    permissions = (0o755 if kind == DIRECTORY else 0o644) if mode is None else mode
    raw_name = name.encode() if isinstance(name, str) else name
    raw_target = target.encode() if isinstance(target, str) else target
    extended = dict(records or {})
    if len(raw_name) > 100:
        extended["path"] = raw_name
    if len(raw_target) > 100:
        extended["linkpath"] = raw_target
    block = header(
        raw_name[:100],
        kind=kind,
        mode=octal(permissions, 8),
        uid=octal(uid, 8),
        gid=octal(gid, 8),
        size=octal(len(data), 12),
        mtime=octal(mtime, 12),
        linkname=raw_target[:100],
        major=octal(device[0], 8),
        minor=octal(device[1], 8),
    )
    return (pax(extended) if extended else b"") + block + padded(data)


def directory(name: str | bytes, **options: int) -> bytes:
    return entry(name, kind=DIRECTORY, mode=options.get("mode"), mtime=options.get("mtime", 0))


def symlink(name: str | bytes, target: str | bytes) -> bytes:
    return entry(name, kind=SYMLINK, target=target, mode=0o777)


def hard_link(name: str | bytes, target: str | bytes) -> bytes:
    return entry(name, kind=LINK, target=target)


def archive(*entries: bytes) -> bytes:
    """The entries and the end of the archive."""
    return b"".join(entries) + bytes(2 * BLOCK)


def image(*entries: bytes) -> bytes:
    """An image with a manifest, a rootfs and ``entries``."""
    return archive(entry("manifest", MANIFEST), directory("rootfs"), *entries)
