"""Commit and removal: what is visible when, written once, merged knowledge, failures that leave the store alone."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable

import pytest

from rkt.aci.errors import ArchiveError
from rkt.errors import RktError
from rkt.store.errors import ImageNotFoundError, StoreError, StoreVersionError
from rkt.store.image_store import ImageStore
from rkt.store.record import ImageOrigin, ImageRecord, SignedBy

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]
Snapshot = Callable[[str], dict[str, bytes | None]]
ALICE, BOB = SignedBy("A" * 40, ("Alice",)), SignedBy("B" * 40)


def test_nothing_is_visible_before_the_commit_and_everything_after(store: ImageStore, make_aci: AciMaker) -> None:
    aci = make_aci()
    with store.stage(io.BytesIO(aci)) as staged:
        assert (staged.name, dict(staged.labels), staged.size) == ("example.com/app", {"version": "1.0.0"}, len(aci))
        assert store.list_keys() == []
        assert store.find_image("example.com/app", {}) is None
        with pytest.raises(ImageNotFoundError):
            store.resolve_key(staged.image_id)
        record = staged.commit(ImageOrigin(signed_by=(ALICE,)))
    assert store.get_record(record.key) == record == store.find_image("example.com/app", {"version": "1.0.0"})
    assert record.signed_by == (ALICE,)
    assert store.load_manifest(record.key) == staged.manifest_bytes
    with open(store.layout.blob(record.key), "rb") as blob:
        assert blob.read() == aci
    assert os.listdir(store.layout.temporary) == []


def test_an_image_that_is_not_committed_leaves_nothing(
    store: ImageStore, make_aci: AciMaker, put: Put, snapshot: Snapshot
) -> None:
    put(make_aci("example.com/other"))
    before = snapshot(store.layout.cas)
    with store.stage(io.BytesIO(make_aci())):
        pass
    store.stage(io.BytesIO(make_aci())).discard()
    assert snapshot(store.layout.cas) == before


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x1f\x8b garbage", bytes(10240)])
def test_a_bad_archive_leaves_nothing(store: ImageStore, snapshot: Snapshot, content: bytes) -> None:
    before = snapshot(store.layout.cas)
    with pytest.raises(RktError):
        store.stage(io.BytesIO(content))
    assert snapshot(store.layout.cas) == before


def test_a_truncated_archive_leaves_nothing(store: ImageStore, make_aci: AciMaker, snapshot: Snapshot) -> None:
    before = snapshot(store.layout.cas)
    with pytest.raises(ArchiveError):
        store.stage(io.BytesIO(make_aci(files={"a": b"x" * 5000}, compress=True)[:-4]))
    assert snapshot(store.layout.cas) == before


def test_a_blob_is_written_once(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    aci = make_aci(files={"a": b"a"})
    first = put(aci)
    before = os.stat(store.layout.blob(first.key))
    manifest = os.stat(store.layout.manifest(first.key))
    second = put(aci)
    after = os.stat(store.layout.blob(first.key))
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    assert os.stat(store.layout.manifest(first.key)).st_ino == manifest.st_ino
    assert second.import_time_ns > first.import_time_ns
    assert len(store.list_images()) == 1


def test_storing_again_never_forgets_a_signature(make_aci: AciMaker, put: Put) -> None:
    assert put(make_aci(), signed_by=(ALICE,)).verified
    assert put(make_aci()).signed_by == (ALICE,)
    assert put(make_aci(), signed_by=(BOB,)).signed_by == (BOB,)


def test_an_unsigned_image_becomes_verified_by_storing_it_with_a_signature(
    store: ImageStore, make_aci: AciMaker, put: Put
) -> None:
    assert not put(make_aci()).verified
    put(make_aci(), signed_by=(ALICE,))
    assert store.list_images()[0].verified


def test_an_old_latest_does_not_overtake_a_newer_one(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    old = put(make_aci(version="1"), latest=True)
    new = put(make_aci(version="2"), latest=True)
    again = put(make_aci(version="1"))
    assert (again.latest, again.import_time_ns) == (True, old.import_time_ns)
    assert store.find_image("example.com/app", {}) == new


@pytest.mark.parametrize("harm", ["truncate", "flip", "delete", "directory", "link", "fifo", "manifest", "record"])
def test_storing_again_repairs_a_damaged_image(store: ImageStore, make_aci: AciMaker, put: Put, harm: str) -> None:
    aci = make_aci(files={"a": b"a" * 4096})
    record = put(aci)
    blob = store.layout.blob(record.key)
    if harm == "truncate":
        os.truncate(blob, 100)
    elif harm == "flip":
        with open(blob, "r+b") as file:
            file.seek(2000)
            file.write(b"!")
    elif harm == "manifest":
        os.unlink(store.layout.manifest(record.key))
    elif harm == "record":
        os.truncate(store.layout.record(record.key), 10)
    else:
        os.unlink(blob)
    if harm == "directory":
        os.makedirs(f"{blob}/sub")
    elif harm == "link":
        os.symlink("/etc/passwd", blob)
    elif harm == "fifo":
        os.mkfifo(blob)
    again = put(aci)
    store.verify_blob(again.key)
    assert store.list_images() == [again]
    assert store.load_manifest(again.key) in aci


def test_remove_takes_everything_but_other_images(
    store: ImageStore, make_aci: AciMaker, put: Put, snapshot: Snapshot
) -> None:
    kept, gone = put(make_aci("example.com/kept")), put(make_aci("example.com/gone"))
    store.remove(gone.key)
    assert store.list_images() == [kept]
    assert store.find_image("example.com/gone", {}) is None
    assert not any(gone.key in name for name in snapshot(store.layout.cas))
    assert not os.path.exists(store.layout.last_used(gone.key))
    with pytest.raises(ImageNotFoundError):
        store.remove(gone.key)
    store.verify_blob(kept.key)


def test_a_blob_that_is_open_can_be_read_after_its_removal(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    aci = make_aci()
    record = put(aci)
    fd = store.open_blob(record.key)
    try:
        store.remove(record.key)
        assert os.pread(fd, len(aci) + 1, 0) == aci
    finally:
        os.close(fd)


def test_a_damaged_image_can_be_removed(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    os.unlink(store.layout.blob(record.key))
    os.unlink(store.layout.record(record.key))
    os.mkdir(store.layout.record(record.key))
    assert store.list_keys() == [record.key]
    store.remove(record.key)
    assert store.list_keys() == []


def test_an_unusable_directory_is_named_and_nothing_changes(
    store: ImageStore, make_aci: AciMaker, put: Put, snapshot: Snapshot
) -> None:
    """The record's directory is a file: the commit fails at its very last step."""
    kept = put(make_aci("example.com/kept"))
    with store.stage(io.BytesIO(make_aci())) as staged:
        shutil.rmtree(os.path.dirname(store.layout.record(staged.key)), ignore_errors=True)
        with open(os.path.dirname(store.layout.record(staged.key)), "w"):
            pass
        with pytest.raises(StoreError, match="cannot store image"):
            staged.commit(ImageOrigin())
        left = [name for name in snapshot(store.layout.cas) if staged.key in name]
    assert left == []
    assert os.listdir(store.layout.temporary) == []
    assert store.find_image("example.com/app", {}) is None
    assert store.find_image("example.com/kept", {}) == kept


def test_an_index_of_a_newer_rkt_stops_every_writer_before_it_changes_anything(
    store: ImageStore, make_aci: AciMaker, put: Put, snapshot: Snapshot
) -> None:
    import sqlite3

    record = put(make_aci())
    connection = sqlite3.connect(store.layout.index)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = snapshot(store.layout.cas)
    with pytest.raises(StoreVersionError, match="version 2"):
        put(make_aci("example.com/new"))
    with pytest.raises(StoreVersionError):
        store.remove(record.key)
    with pytest.raises(StoreVersionError):
        store.find_image("example.com/app", {})
    assert {name: data for name, data in snapshot(store.layout.cas).items() if data is not None} == {
        name: data for name, data in before.items() if data is not None
    }
    assert store.resolve_key(record.image_id) == record.key
