"""Writes the large sample image: sample_image.py OUTPUT [FILES]. The same bytes every time.

20,000 files in 1,000 directories, 400 MB as a tar and 160 MB as a gzip, like a distribution's root file system.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import tarfile

MTIME = 1577836800
MANIFEST = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/sample",
    "labels": [{"name": name, "value": value} for name, value in (("os", "linux"), ("arch", "amd64"))],
    "app": {"exec": ["/bin/true"], "user": "0", "group": "0"},
}
TEXT = b"".join(b"line %d of a text that compresses as texts do\n" % number for number in range(2000))


def add(archive: tarfile.TarFile, name: str, content: bytes | None) -> None:
    """Add a file, or a directory when there is no content."""
    entry = tarfile.TarInfo(name)
    entry.mtime = MTIME
    if content is None:
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o755
        archive.addfile(entry)
        return
    entry.size = len(content)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(content))


def write_image(path: str, files: int) -> None:
    """Contents: mostly small files, a few large ones; 37 % of the bytes do not compress."""
    source = random.Random(20)
    with gzip.open(path, "wb", compresslevel=1) as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        add(archive, "manifest", json.dumps(MANIFEST).encode())
        add(archive, "rootfs", None)
        for number in range(files):
            if number % 20 == 0:
                add(archive, f"rootfs/directory-{number // 20:04}", None)
            size = min(int(source.paretovariate(0.85) * 1370), 2_000_000)
            noise = source.randbytes(size * 37 // 100)
            content = noise + (TEXT * (size // len(TEXT) + 1))[: size - len(noise)]
            add(archive, f"rootfs/directory-{number // 20:04}/file-{number:05}", content)


if __name__ == "__main__":
    write_image(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
