"""Several processes on one store, and the order in which things reach the disk."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable

import pytest

from rkt.errors import RktError
from rkt.store.errors import DamagedImageError, ImageNotFoundError
from rkt.store.gc import collect
from rkt.store.image_store import ImageStore
from rkt.store.index import open_index
from rkt.store.locks import open_lock
from rkt.store.record import ImageOrigin, ImageRecord

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]


def _run_processes(count: int, work: Callable[[int], object]) -> None:
    """Run ``work(n)`` in that many processes at once; every one must end without an exception."""
    start = time.time() + 0.1
    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                time.sleep(max(0.0, start - time.time()))
                work(number)
                status = 0
            finally:
                os._exit(status)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * count


def _put(store: ImageStore, aci: bytes) -> ImageRecord:
    with store.stage(io.BytesIO(aci)) as staged:
        return staged.commit(ImageOrigin())


def test_eight_writers_of_one_image_end_with_one_blob(store: ImageStore, make_aci: AciMaker) -> None:
    aci = make_aci(files={"a": os.urandom(1 << 20)})
    _run_processes(8, lambda number: _put(store, aci))
    (record,) = store.list_images()
    store.verify_blob(record.key)
    assert store.find_image("example.com/app", {}) == record
    blobs = [name for _, _, names in os.walk(store.layout.blobs) for name in names]
    assert blobs == [record.key]
    assert os.listdir(store.layout.temporary) == []
    assert collect(store) == 0


def test_writers_of_different_images_do_not_lose_each_other(store: ImageStore, make_aci: AciMaker) -> None:
    def work(number: int) -> None:
        for version in range(5):
            _put(store, make_aci(f"example.com/app-{number}", version=str(version)))

    _run_processes(6, work)
    assert len(store.list_images()) == 30
    for number in range(6):
        found = store.find_image(f"example.com/app-{number}", {})
        assert found is not None
        assert found.label("version") == "4"
    with open_index(store.layout.index, write=False) as index:
        assert index.list_keys() == set(store.list_keys())


def test_writers_removers_readers_and_gc_leave_a_consistent_store(store: ImageStore, make_aci: AciMaker) -> None:
    acis = [make_aci(f"example.com/app-{number}", files={"f": bytes([number]) * 9000}) for number in range(3)]
    end = time.monotonic() + 1.0

    def work(number: int) -> None:
        choose = random.Random(number)
        while time.monotonic() < end:
            try:
                _act(store, choose, acis)
            except (ImageNotFoundError, DamagedImageError):
                # it was removed between two steps; the final check finds what was really damaged
                pass

    _run_processes(6, work)
    collect(store)
    for record in store.list_images():
        store.verify_blob(record.key)
        store.load_manifest(record.key)
        assert store.find_image(record.name, {}) == record
    assert collect(store) == 0


def _act(store: ImageStore, choose: random.Random, acis: list[bytes]) -> None:
    action = choose.randrange(6)
    if action < 2:
        _put(store, choose.choice(acis))
    elif action == 2:
        keys = store.list_keys()
        if keys:
            store.remove(choose.choice(keys))
    elif action == 3:
        collect(store)
    elif action == 4:
        store.find_image(f"example.com/app-{choose.randrange(3)}", {})
    else:
        for record in store.list_images():
            store.verify_blob(record.key)


def test_a_writer_does_not_wait_for_ever(store: ImageStore, make_aci: AciMaker) -> None:
    store.lock_wait_seconds = 0.1
    with open_lock(store.layout.write_lock, exclusive=True, wait_seconds=0):
        with pytest.raises(RktError, match=f"held by process {os.getpid()}"):
            _put(store, make_aci())
        assert os.listdir(store.layout.temporary) == []
        assert store.list_images() == []
    _put(store, make_aci())


class DiskOrder:
    """Watches the calls that change names and says which names a power cut could still take back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced_files: set[int] = set()
        self.pending: set[str] = set()
        self.commit_points: list[tuple[str, set[str]]] = []
        self.unsynced_renames: list[str] = []
        for name in ("fsync", "rename", "mkdir", "unlink"):
            monkeypatch.setattr(os, name, getattr(self, name)(getattr(os, name)))

    def fsync(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def watched(fd: int) -> None:
            call(fd)
            directory = os.readlink(f"/proc/self/fd/{fd}")
            self.synced_files.add(os.fstat(fd).st_ino)
            self.pending = {path for path in self.pending if os.path.dirname(path) != directory}

        return watched

    def rename(self, call: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def watched(source: str, target: str) -> None:
            if os.stat(source).st_ino not in self.synced_files:
                self.unsynced_renames.append(target)
            self._note(target)
            call(source, target)

        return watched

    def mkdir(self, call: Callable[..., None]) -> Callable[..., None]:
        def watched(path: str, mode: int = 0o777) -> None:
            call(path, mode)
            self.pending.add(path)

        return watched

    def unlink(self, call: Callable[..., None]) -> Callable[..., None]:
        def watched(path: str, *, dir_fd: int | None = None) -> None:
            if "/cas/tmp/" not in path and ".tmp-" not in path and not path.endswith((".new", "-journal")):
                self._note(path)
            call(path, dir_fd=dir_fd)

        return watched

    def _note(self, path: str) -> None:
        self.commit_points.append((path, set(self.pending)))
        self.pending.add(path)


def test_a_record_appears_after_all_it_needs_is_on_disk(
    store: ImageStore, make_aci: AciMaker, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = DiskOrder(monkeypatch)
    record = put(make_aci())
    renamed = [path for path, _ in order.commit_points]
    layout = store.layout
    blob, manifest = renamed.index(layout.blob(record.key)), renamed.index(layout.manifest(record.key))
    assert blob < manifest < renamed.index(layout.index) < renamed.index(layout.record(record.key))
    assert dict(order.commit_points)[layout.record(record.key)] == set()
    assert order.unsynced_renames == []
    assert order.pending == set()


def test_a_removal_is_on_disk_before_content_goes(
    store: ImageStore, make_aci: AciMaker, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = put(make_aci())
    order = DiskOrder(monkeypatch)
    store.remove(record.key)
    layout = store.layout
    points = dict(order.commit_points)
    assert next(iter(points)) == layout.record(record.key)
    for path in (layout.manifest(record.key), layout.blob(record.key)):
        assert layout.record(record.key) not in points[path]
