"""Fetching an image takes little memory, however large the image is."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.http_server import Reply, Server

from rkt.keys.trust_store import TrustStore

CONTENT_BYTES = 160 << 20
LIMIT_BYTES = 64 << 20

FETCH = """
import sys
from rkt.fetch.image_fetch import Fetcher
from rkt.keys.trust_store import TrustStore
from rkt.paths import ConfigDirectories, DataDirectory
from rkt.store.image_store import open_image_store

root, url = sys.argv[1:]
trusted = TrustStore(ConfigDirectories(local=root + "/local", system=root + "/system"))
with open_image_store(DataDirectory(root + "/data"), create=True) as store:
    record = Fetcher(store, trusted, insecure=frozenset({"http"}), pull_policy="update").fetch(url)
assert record.verified
# not getrusage: its ru_maxrss counts what the parent had before the exec
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(record.size, int(peak) * 1024)
"""


def large_aci() -> bytes:
    """An image of random content, which no compression makes smaller."""
    manifest = json.dumps({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/large"}).encode()
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=0) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        entry = tarfile.TarInfo("manifest")
        entry.size = len(manifest)
        tar.addfile(entry, io.BytesIO(manifest))
        entry = tarfile.TarInfo("rootfs")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
        for number in range(CONTENT_BYTES >> 24):
            entry = tarfile.TarInfo(f"rootfs/{number}")
            entry.size = 1 << 24
            tar.addfile(entry, io.BytesIO(os.urandom(1 << 24)))
    return buffer.getvalue()


@pytest.mark.slow
def test_a_large_image_is_fetched_in_little_memory(
    server: Server, sign: Callable[..., bytes], tmp_path: Path, trust_store: TrustStore
) -> None:
    aci = large_aci()
    server.answers = {"/large.aci": Reply(aci), "/large.aci.asc": Reply(sign(aci))}
    command = [sys.executable, "-W", "error", "-c", FETCH, str(tmp_path), server.url("/large.aci")]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "NO_PROXY": "*"}, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    size, peak_bytes = map(int, done.stdout.split())
    assert size > CONTENT_BYTES
    assert peak_bytes < LIMIT_BYTES
