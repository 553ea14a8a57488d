"""Finding and reading images."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

import rkt
from rkt.paths import DataDirectory
from rkt.store.errors import AmbiguousImageError, DamagedImageError, ImageIdError, ImageNotFoundError, StoreError
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.index import RemoteRecord
from rkt.store.record import ImageOrigin, ImageRecord, checksum, encode_record

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]
MakeRecord = Callable[..., ImageRecord]


def _plant(store: ImageStore, record: ImageRecord) -> None:
    """A record without content, as lookups by ID never look further."""
    path = store.layout.record(record.key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(encode_record(record))


def test_an_id_and_every_prefix_of_it_finds_the_image(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    for length in (9, 10, 32, 70, 71, 72, 100, 135):
        assert store.resolve_key(record.image_id[:length]) == record.key


def test_digits_beyond_the_key_must_be_right_too(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    """The key is half of the digest: an image whose other half differs is another image (security, H5)."""
    record = put(make_aci())
    last = "0" if record.image_id[-1] != "0" else "1"
    for other in (record.image_id[:-1] + last, record.key + ("0" if record.image_id[71] != "0" else "1")):
        with pytest.raises(ImageNotFoundError):
            store.resolve_key(other)


def test_a_prefix_of_two_images_is_ambiguous(store: ImageStore, make_record: MakeRecord) -> None:
    one = make_record(0, image_id="sha512-abc0" + "0" * 124)
    other = make_record(0, image_id="sha512-abc1" + "0" * 124)
    _plant(store, one)
    _plant(store, other)
    with pytest.raises(AmbiguousImageError, match='ambiguous image ID: "sha512-abc"'):
        store.resolve_key("sha512-abc")
    assert store.resolve_key("sha512-abc1") == other.key


@pytest.mark.parametrize("text", ["sha512-a", "abc", "sha512-zz"])
def test_a_text_that_is_no_id_is_refused(store: ImageStore, text: str) -> None:
    with pytest.raises(ImageIdError):
        store.resolve_key(text)


def test_leftovers_and_foreign_files_are_no_images(store: ImageStore, make_record: MakeRecord) -> None:
    _plant(store, make_record(1))
    directory = os.path.dirname(store.layout.record(make_record(1).key))
    for name in (".tmp-1-1-" + make_record(1).key, "README", "sha512-00", "sha512-" + "ff" * 32):
        with open(f"{directory}/{name}", "w"):
            pass
    assert store.list_keys() == [make_record(1).key]
    assert store.resolve_key("sha512-00") == make_record(1).key


def test_a_store_that_was_never_written_is_empty(data: DataDirectory) -> None:
    with open_image_store(data) as store:
        assert store.list_images() == []
        assert store.find_image("a", {}) is None
        assert store.find_remote("https://example.com/a.aci") is None
        with pytest.raises(ImageNotFoundError):
            store.resolve_key("sha512-ab")
        with pytest.raises(ImageNotFoundError):
            store.remove("sha512-" + "ab" * 32)
    assert not os.path.exists(data.root)


def test_images_are_listed_in_order_of_import(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    records = [put(make_aci(f"example.com/{name}")) for name in "cab"]
    assert store.list_images() == records


@pytest.mark.spec("ACI-033")
def test_one_altered_byte_is_detected(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci(files={"a": b"a" * 9000}))
    store.verify_blob(record.key)
    for offset in (0, 3000, record.size - 1):
        with open(store.layout.blob(record.key), "r+b") as blob:
            blob.seek(offset)
            original = blob.read(1)
            blob.seek(offset)
            blob.write(bytes([original[0] ^ 1]))
            blob.flush()
            with pytest.raises(DamagedImageError, match="digest"):
                store.verify_blob(record.key)
            blob.seek(offset)
            blob.write(original)
    store.verify_blob(record.key)


def test_a_second_half_of_the_digest_that_differs_is_detected(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    path = store.layout.record(record.key)
    with open(path, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        head = text.replace(record.image_id.encode(), record.key.encode() + b"0" * 64).rpartition(b',"checksum":')[0]
        file.write(head + b',"checksum":%d}' % checksum(head))
    with pytest.raises(DamagedImageError, match="digest"):
        store.verify_blob(record.key)


def test_a_blob_of_the_wrong_size_is_detected_when_it_is_opened(
    store: ImageStore, make_aci: AciMaker, put: Put
) -> None:
    record = put(make_aci())
    os.truncate(store.layout.blob(record.key), 512)
    with pytest.raises(DamagedImageError, match=f"512 bytes instead of {record.size}"):
        store.open_blob(record.key)


@pytest.mark.parametrize("what", ["blob", "manifest", "record"])
@pytest.mark.parametrize("harm", ["missing", "empty", "directory", "dangling", "fifo"])
def test_each_damaged_file_is_one_clear_error_and_no_hang(
    store: ImageStore, make_aci: AciMaker, put: Put, what: str, harm: str
) -> None:
    record = put(make_aci())
    kept = put(make_aci("example.com/kept"))
    path = getattr(store.layout, what)(record.key)
    os.unlink(path)
    if harm == "empty":
        with open(path, "w"):
            pass
    elif harm == "directory":
        os.mkdir(path)
    elif harm == "dangling":
        os.symlink("/nonexistent", path)
    elif harm == "fifo":
        os.mkfifo(path)
    with pytest.raises(StoreError, match=record.key):
        os.close(store.open_blob(record.key))
        store.load_manifest(record.key)
    assert kept in store.list_images()
    assert store.find_image("example.com/kept", {}) == kept
    if what == "record":
        assert store.find_image("example.com/app", {}) is None


def test_the_blob_fd_is_not_inherited(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    fd = store.open_blob(put(make_aci()).key)
    try:
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_last_use_moves_with_touch_and_is_the_import_before(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    os.unlink(store.layout.last_used(record.key))
    assert store.last_used_ns(record) == record.import_time_ns
    store.touch(record.key)
    assert record.import_time_ns <= store.last_used_ns(record) <= time.time_ns()
    os.utime(store.layout.last_used(record.key), (2**32, 2**32))
    assert store.last_used_ns(record) == 2**32 * 10**9


def test_a_download_is_remembered_until_its_image_is_removed(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    url = "https://example.com/app.aci"
    remote = RemoteRecord(
        url=url, key=record.key, sig_url=url + ".asc", etag='"x"', max_age=60, download_time=1_700_000_000
    )
    store.put_remote(remote)
    assert store.find_remote(url) == remote
    newer = RemoteRecord(url=url, key=record.key, etag='"y"')
    store.put_remote(newer)
    assert store.find_remote(url) == newer
    store.remove(record.key)
    assert store.find_remote(url) is None


def test_lookup_by_id_imports_neither_sqlite_nor_threads(
    data: DataDirectory, store: ImageStore, make_aci: AciMaker, put: Put
) -> None:
    record = put(make_aci())
    script = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.dirname(rkt.__file__))!r})
from rkt.paths import DataDirectory
from rkt.store.image_store import open_image_store
from rkt.store.tree_store import open_tree_store
with open_image_store(DataDirectory({data.root!r})) as store:
    key = store.resolve_key({record.image_id[:20]!r})
    store.load_manifest(key)
    assert open_tree_store(store).find_tree(key) is None
    store.touch(key)
banned = {{"sqlite3", "threading", "queue", "tempfile", "typing", "dataclasses", "pathlib", "contextlib"}}
print(sorted(banned & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_records_say_where_an_image_came_from(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci(compress=True), latest=True)
    assert record.latest
    assert record.archive_size == len(make_aci(compress=True))
    assert ImageOrigin().signed_by == ()
