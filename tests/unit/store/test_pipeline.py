"""One pass over an image: digest, sizes, memory, and errors on either side of the queue."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.aci.errors import ArchiveError
from rkt.store.errors import StoreError
from rkt.store.pipeline import import_image

AciMaker = Callable[..., bytes]


@pytest.mark.spec("ACI-031", "ACI-032")
def test_the_id_is_that_of_the_uncompressed_tar_however_it_is_compressed(make_aci: AciMaker, tmp_path: Path) -> None:
    aci = make_aci(files={"a": os.urandom(3 << 20), "b": b"b"})
    expected = "sha512-" + hashlib.sha512(aci).hexdigest()
    for number, packed in enumerate([aci, gzip.compress(aci), bz2.compress(aci), lzma.compress(aci)]):
        with open(tmp_path / str(number), "w+b") as target:
            imported = import_image(io.BytesIO(packed), fd=target.fileno(), path=target.name)
            assert imported.image_id == expected
            assert (imported.size, imported.archive_size) == (len(aci), len(packed))
            target.seek(0)
            assert target.read() == aci


def test_the_manifest_is_byte_for_byte_that_of_the_archive(make_aci: AciMaker, tmp_path: Path) -> None:
    aci = make_aci()
    with open(tmp_path / "blob", "w+b") as target:
        manifest = import_image(io.BytesIO(aci), fd=target.fileno(), path="blob").manifest_bytes
    assert manifest in aci
    assert manifest.startswith(b'{"acKind"')


class FailingSource:
    """Yields the first bytes of an image, then fails as a network does."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self.parts = [data]
        self.error = error

    def read(self, size: int, /) -> bytes:
        if not self.parts:
            raise self.error
        part = self.parts[0][:size]
        self.parts = [self.parts[0][size:]] if len(self.parts[0]) > size else []
        return part


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), KeyboardInterrupt()])
def test_an_error_of_the_source_passes_through_and_ends_the_worker(
    make_aci: AciMaker, tmp_path: Path, error: BaseException
) -> None:
    before = threading.active_count()
    source = FailingSource(make_aci(files={"a": bytes(2 << 20)}, compress=True)[:1500], error)
    with open(tmp_path / "blob", "w+b") as target, pytest.raises(type(error)):
        import_image(source, fd=target.fileno(), path="blob")
    assert threading.active_count() == before


def test_a_write_error_stops_the_reader_early(make_aci: AciMaker) -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            Counting.taken += len(data)
            return data

    aci = make_aci(files={"big": bytes(64 << 20)})
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(StoreError, match='cannot write image "blob": no space left on device') as caught:
            import_image(Counting(aci), fd=fd, path="blob")
    finally:
        os.close(fd)
    assert caught.value.hint is not None
    assert Counting.taken < 32 << 20


@pytest.mark.parametrize("cut", [1, 100, 600, 5000])
def test_a_truncated_image_is_an_error(make_aci: AciMaker, tmp_path: Path, cut: int) -> None:
    for packed in (make_aci(files={"a": os.urandom(8000)}), make_aci(files={"a": os.urandom(8000)}, compress=True)):
        with open(tmp_path / "blob", "w+b") as target, pytest.raises(ArchiveError):
            import_image(io.BytesIO(packed[:cut]), fd=target.fileno(), path="blob")


def test_the_size_limit_holds(make_aci: AciMaker, tmp_path: Path) -> None:
    packed = make_aci(files={"zeros": bytes(8 << 20)}, compress=True)
    with open(tmp_path / "blob", "w+b") as target:
        with pytest.raises(ArchiveError, match="larger than"):
            import_image(io.BytesIO(packed), fd=target.fileno(), path="blob", size_limit=1 << 20)
        assert os.fstat(target.fileno()).st_size <= 2 << 20


def test_memory_stays_small_whatever_the_image(make_aci: AciMaker, tmp_path: Path) -> None:
    """A child process is measured, as the test's own process holds the image."""
    packed = tmp_path / "big.aci"
    packed.write_bytes(make_aci(files={"big": os.urandom(48 << 20), "zeros": bytes(64 << 20)}, compress=True))
    script = f"""
import os
from rkt.store.pipeline import import_image
target = os.open({str(tmp_path / "blob")!r}, os.O_RDWR | os.O_CREAT)
with open({str(packed)!r}, "rb") as source:
    import_image(source, fd=target, path="blob")
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 64 << 10
