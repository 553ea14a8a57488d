"""Small images made with tarfile, and a store in a temporary directory."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rkt.paths import DataDirectory
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.record import ImageOrigin, ImageRecord, SignedBy
from rkt.store.tree_store import TreeStore, open_tree_store

AciMaker = Callable[..., bytes]


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory(str(tmp_path / "rkt"))


@pytest.fixture
def store(data: DataDirectory) -> Iterator[ImageStore]:
    with open_image_store(data, create=True) as opened:
        yield opened


@pytest.fixture
def trees(store: ImageStore) -> TreeStore:
    return open_tree_store(store)


def _make_aci(
    name: str = "example.com/app",
    *,
    version: str | None = "1.0.0",
    labels: dict[str, str] | None = None,
    files: dict[str, bytes] | None = None,
    dependencies: list[dict[str, object]] | None = None,
    path_whitelist: list[str] | None = None,
    compress: bool = False,
) -> bytes:
    """A plain or gzip ACI; ``files`` are below rootfs, a name that ends in a slash is a directory."""
    all_labels = {**({"version": version} if version else {}), **(labels or {})}
    manifest: dict[str, object] = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name}
    manifest["labels"] = [{"name": key, "value": value} for key, value in all_labels.items()]
    if dependencies is not None:
        manifest["dependencies"] = dependencies
    if path_whitelist is not None:
        manifest["pathWhitelist"] = path_whitelist
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        text = json.dumps(manifest).encode()
        entry = tarfile.TarInfo("manifest")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
        directory = tarfile.TarInfo("rootfs")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(directory)
        for path, content in (files or {}).items():
            entry = tarfile.TarInfo("rootfs/" + path.rstrip("/"))
            entry.mode = 0o644
            if path.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 1, mtime=0) if compress else buffer.getvalue()


@pytest.fixture
def make_aci() -> AciMaker:
    return _make_aci


@pytest.fixture
def put(store: ImageStore) -> Callable[..., ImageRecord]:
    """``put(aci, latest=False, signed_by=())``: store an image in the way the fetcher does."""

    def put_image(aci: bytes, *, latest: bool = False, signed_by: tuple[SignedBy, ...] = ()) -> ImageRecord:
        with store.stage(io.BytesIO(aci)) as staged:
            return staged.commit(ImageOrigin(latest=latest, signed_by=signed_by))

    return put_image


@pytest.fixture
def make_record() -> Callable[..., ImageRecord]:
    """A record of an image that does not exist, for tests of what only looks at records."""

    def make(number: int, **changes: object) -> ImageRecord:
        fields: dict[str, object] = {
            "image_id": f"sha512-{number:064x}{number:064x}",
            "name": f"example.com/app-{number}",
            "labels": (("version", "1.0.0"), ("os", "linux")),
            "size": 10240,
            "archive_size": 512,
            "import_time_ns": 1_700_000_000_000_000_000 + number,
            "origin": ImageOrigin(),
            "stamp": (1, 2),
        }
        return ImageRecord(**{**fields, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def snapshot() -> Callable[[str], dict[str, bytes | None]]:
    """What lies below a directory: path to content, None for directories. Lock files and their directory apart."""

    def take(root: str) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for path in sorted(Path(root).rglob("*")):
            relative = str(path.relative_to(root))
            if "locks/" not in relative and not relative.endswith("db/lock"):
                found[relative] = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        return found

    return take
