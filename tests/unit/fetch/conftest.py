"""A small image, a key that signs it, a store, and a fetcher between them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.http_server import Server
from harness.openpgp_forge import ForgedKey, created, packet

from rkt.fetch.image_fetch import Fetcher
from rkt.fetch.transport import Timeouts
from rkt.keys.trust_store import TrustStore
from rkt.paths import ConfigDirectories, DataDirectory
from rkt.store.image_store import ImageStore, open_image_store


@pytest.fixture(scope="session")
def key() -> ForgedKey:
    return ForgedKey(at=int(time.time()) - 86400 * 30)


@pytest.fixture(scope="session")
def other_key() -> ForgedKey:
    return ForgedKey(at=int(time.time()) - 86400 * 30)


def _make_aci(name: str = "example.com/app", *, content: bytes = b"hello\n", **members: object) -> bytes:
    manifest = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name, **members}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in (("manifest", json.dumps(manifest).encode()), ("rootfs", None), ("rootfs/file", content)):
            entry = tarfile.TarInfo(path)
            if data is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            else:
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data or b""))
    return gzip.compress(buffer.getvalue(), 1, mtime=0)


@pytest.fixture(scope="session")
def make_aci() -> Callable[..., bytes]:
    """``make_aci(name, content=..., dependencies=...)``: a gzip ACI."""
    return _make_aci


@pytest.fixture(scope="session")
def sign(key: ForgedKey) -> Callable[..., bytes]:
    """``sign(data)``: a detached binary signature by ``key``, or by another one."""

    def make(data: bytes, by: ForgedKey | None = None) -> bytes:
        signer = by or key
        return packet(2, signer.sign(0x00, data, hashed=created(signer.at + 5) + signer.issuer))

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    with open_image_store(DataDirectory(str(tmp_path / "data")), create=True) as opened:
        yield opened


@pytest.fixture
def trust_store(tmp_path: Path, key: ForgedKey) -> TrustStore:
    """Trusts ``key`` for ``example.com``."""
    trusted = TrustStore(ConfigDirectories(local=str(tmp_path / "local"), system=str(tmp_path / "system")))
    trusted.add(key.certificate(b"Builder <builder@example.com>"), prefix="example.com")
    return trusted


@pytest.fixture
def fetcher(store: ImageStore, trust_store: TrustStore) -> Callable[..., Fetcher]:
    """``fetcher("http", "image", policy="new")``: a fetcher with those protections off."""

    def make(*insecure: str, policy: str = "update", read_seconds: float = 5.0, wait_seconds: float = 20.0) -> Fetcher:
        timeouts = Timeouts(connect_seconds=5.0, read_seconds=read_seconds)
        return Fetcher(
            store,
            trust_store,
            insecure=frozenset(insecure),
            pull_policy=policy,
            timeouts=timeouts,
            wait_seconds=wait_seconds,
        )

    return make


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def leftovers(store: ImageStore) -> Callable[[], list[str]]:
    """What a failed fetch must not leave: images, blobs, manifests, staged files, locks."""

    def look() -> list[str]:
        below = Path(store.layout.cas)
        directories = ("blob", "image", "imageManifest", "tmp", "downloadlocks")
        return [str(path) for name in directories for path in (below / name).rglob("*") if path.is_file()]

    return look
