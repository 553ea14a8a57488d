"""Collecting what no image needs."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

from rkt.paths import DataDirectory
from rkt.store.gc import collect
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.index import open_index
from rkt.store.record import ImageOrigin, ImageRecord

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]


def test_a_clean_store_stays_as_it_is(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    records = [put(make_aci(f"example.com/{name}")) for name in "ab"]
    assert collect(store) == 0
    assert store.list_images() == records
    for record in records:
        store.verify_blob(record.key)


def test_content_without_a_record_goes(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    kept, lost = put(make_aci("example.com/kept")), put(make_aci("example.com/lost"))
    os.unlink(store.layout.record(lost.key))
    directory = os.path.dirname(store.layout.record(kept.key))
    with open(f"{directory}/.tmp-1-1-{kept.key[:64]}", "w"):
        pass
    assert collect(store) == 2
    assert not os.path.exists(store.layout.blob(lost.key))
    assert not os.path.exists(store.layout.manifest(lost.key))
    assert store.list_images() == [kept]
    with open_index(store.layout.index, write=False) as index:
        assert index.list_keys() == {kept.key}
    assert collect(store) == 0


def test_a_damaged_image_is_not_taken_for_garbage(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    os.truncate(store.layout.record(record.key), 0)
    assert collect(store) == 0
    assert os.path.exists(store.layout.blob(record.key))


def test_an_index_that_lost_images_is_rebuilt(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    with open_index(store.layout.index, write=True) as index:
        index.remove_images([record.key])
    assert store.find_image("example.com/app", {}) is None
    assert collect(store) == 0
    assert store.find_image("example.com/app", {}) == record


def test_a_damaged_page_of_the_index_is_found(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    record = put(make_aci())
    with open(store.layout.index, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(os.stat(store.layout.index).st_size - 4096))
    collect(store)
    with open_index(store.layout.index, write=False) as index:
        assert index.is_intact()
        assert index.list_keys() == {record.key}


def test_an_image_that_is_being_staged_survives(store: ImageStore, make_aci: AciMaker) -> None:
    with store.stage(io.BytesIO(make_aci())) as staged:
        os.utime(staged._temporary.path, (0, 0))
        assert collect(store) == 0
        record = staged.commit(ImageOrigin())
    store.verify_blob(record.key)


def test_a_store_that_does_not_exist_needs_no_collecting(data: DataDirectory) -> None:
    with open_image_store(data) as store:
        assert collect(store) == 0
    assert not os.path.exists(data.root)
