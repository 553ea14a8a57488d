"""Lookups by name and labels, with the index and without it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.paths import DataDirectory
from rkt.store.errors import StoreVersionError
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.index import build_index, open_index
from rkt.store.record import ImageRecord, encode_record

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]
MakeRecord = Callable[..., ImageRecord]


def _set_version(path: str, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def _drop_tables(path: str) -> None:
    connection = sqlite3.connect(path)
    for table in ("image", "label", "remote"):
        connection.execute(f"DROP TABLE {table}")
    connection.close()


def _replace_by_directory(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)


def _replace_by_dangling_link(path: str) -> None:
    os.unlink(path)
    os.symlink("/nonexistent/index", path)


HARMS: dict[str, Callable[[str], object]] = {
    "intact": lambda path: None,
    "missing": os.unlink,
    "empty": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, 5000),
    "garbage": lambda path: Path(path).write_bytes(os.urandom(9000)),
    "older": lambda path: _set_version(path, 0),
    "no-tables": _drop_tables,
    "directory": _replace_by_directory,
    "dangling": _replace_by_dangling_link,
}


@pytest.mark.parametrize("harm", HARMS)
def test_the_answer_is_the_same_whatever_happened_to_the_index(
    data: DataDirectory, store: ImageStore, make_aci: AciMaker, put: Put, harm: str
) -> None:
    old = put(make_aci(version="1", labels={"os": "linux"}), latest=True)
    new = put(make_aci(version="2", labels={"os": "linux"}))
    plain = put(make_aci(version=None))
    HARMS[harm](store.layout.index)
    for opened in (open_image_store(data), store):
        assert opened.find_image("example.com/app", {}) == old
        assert opened.find_image("example.com/app", {"version": "2"}) == new
        assert opened.find_image("example.com/app", {"version": "2", "os": "linux"}) == new
        assert opened.find_image("example.com/app", {"os": "linux"}) == old
        assert opened.find_image("example.com/app", {"os": "freebsd"}) is None
        assert opened.find_image("example.com/none", {}) is None
    added = put(make_aci(version="3"))
    with open_index(store.layout.index, write=False) as index:
        assert index.list_keys() == {old.key, new.key, plain.key, added.key}
        assert index.is_intact()


def test_an_index_of_a_newer_rkt_is_refused(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    put(make_aci())
    _set_version(store.layout.index, 2)
    with pytest.raises(StoreVersionError, match="version 2, this rkt knows 1") as caught:
        store.find_image("example.com/app", {})
    assert caught.value.hint == "update rkt"


def test_a_row_without_a_record_is_ignored_and_cleaned(
    store: ImageStore, make_record: MakeRecord, make_aci: AciMaker, put: Put
) -> None:
    record = put(make_aci())
    ghost = make_record(3, name="example.com/app", import_time_ns=2**62)
    with open_index(store.layout.index, write=True) as index:
        index.put_image(ghost)
    with open_image_store(DataDirectory(store.layout.cas.removesuffix("/cas"))) as reader:
        assert reader.find_image("example.com/app", {}) == record
    with open_index(store.layout.index, write=False) as index:
        assert ghost.key in index.list_keys()
    assert store.find_image("example.com/app", {}) == record
    with open_index(store.layout.index, write=False) as index:
        assert index.list_keys() == {record.key}


def test_a_row_ahead_of_its_record_does_not_change_the_answer(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    """A crash between the index row and the record leaves such a row."""
    old = put(make_aci(version="1"))
    new = put(make_aci(version="2"))
    ahead = ImageRecord(
        image_id=old.image_id,
        name=old.name,
        labels=old.labels,
        size=old.size,
        import_time_ns=new.import_time_ns + 1,
        origin=old,  # type: ignore[arg-type]
    )
    with open_index(store.layout.index, write=True) as index:
        index.put_image(ahead)
    assert store.find_image("example.com/app", {}) == new


def test_a_path_with_odd_characters_has_an_index_too(
    tmp_path_factory: pytest.TempPathFactory, make_record: MakeRecord
) -> None:
    directory = tmp_path_factory.mktemp("odd ?#%41&=\\ö\udcff,:")
    path = f"{directory}/index.sqlite"
    build_index(path, [make_record(1)])
    assert os.listdir(directory) == ["index.sqlite"]
    with open_index(path, write=True) as index:
        index.put_image(make_record(2))
        assert len(index.list_keys()) == 2
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_commits_survive_a_power_cut_right_after(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    """EXTRA (3) syncs the directory after the journal is deleted; FULL would let the old rows come back."""
    put(make_aci())
    with open_index(store.layout.index, write=True) as index:
        assert index._connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert index._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_ten_thousand_images(store: ImageStore, make_record: MakeRecord, capsys: pytest.CaptureFixture[str]) -> None:
    """Times are printed; what is asserted is that no lookup scans a table, nor reads more than one record."""
    records = [
        make_record(
            number,
            image_id=f"sha512-{number * 7919 % 10007:04x}{number:0124x}",
            name=f"example.com/app-{number % 5000}",
            labels=(("version", str(number)), ("os", "linux"), ("arch", "amd64")),
        )
        for number in range(10_000)
    ]
    for record in records:
        path = store.layout.record(record.key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(encode_record(record))
    times = {}

    def timed(name: str, call: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = call()
        times[name] = (time.perf_counter() - start) * 1000
        return result

    with store.lock_for_writing():
        timed("rebuild", store.rebuild_index)
    wanted = records[7777]
    labels = {"os": "linux", "version": "7777"}
    assert timed("name and labels", lambda: store.find_image(wanted.name, labels)) == wanted
    assert timed("name", lambda: store.find_image(wanted.name, {})) == wanted
    assert timed("no such name", lambda: store.find_image("example.com/none", {})) is None
    assert timed("id", lambda: store.resolve_key(wanted.image_id)) == wanted.key
    assert timed("prefix", lambda: store.resolve_key(wanted.image_id[:11] + wanted.image_id[11:71])) == wanted.key
    assert len(timed("list", store.list_images)) == 10_000  # type: ignore[arg-type]
    with open_index(store.layout.index, write=False) as index:
        for asked in ({}, {"os": "linux"}, labels):
            plan = index.explain(name=wanted.name, labels=asked)
            assert not [step for step in plan if step.startswith("SCAN")], plan
            assert "USING INDEX image_by_name (name=?)" in plan[0].replace("COVERING ", "")
            assert all(
                "USING PRIMARY KEY (key=? AND name=?)" in step for step in plan if "label" in step or " l0" in step
            )
    with capsys.disabled():
        print("\n10,000 images, ms:", ", ".join(f"{name} {ms:.1f}" for name, ms in times.items()))
