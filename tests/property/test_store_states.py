"""The image store as a state machine against a dictionary, with crashes between any two changes on disk.

A crash is a forked child that kills itself before its Nth call that changes a file or a name: an audit hook counts
them, so the code under test is what users run.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import tarfile
import tempfile
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rkt.paths import DataDirectory
from rkt.store import gc, index, lookup, pipeline, staging  # noqa: F401  (a forked child should not have to import)
from rkt.store.errors import ImageNotFoundError
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.record import ImageOrigin, ImageRecord, SignedBy

_CHANGES = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.utime", "os.chmod",
    "sqlite3.connect",
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: a crash of the process loses nothing that is written, so the disk plays no part and need not be waited for
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ALICE = SignedBy("A" * 40, ("Alice <alice@example.com>",))


def _make_aci(name: str, version: str) -> bytes:
    manifest = {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": name,
        "labels": [{"name": "version", "value": version}],
    }
    text = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("manifest")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
        directory = tarfile.TarInfo("rootfs")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(directory)
    return buffer.getvalue()


IMAGES = [_make_aci(f"example.com/{name}", version) for name in "ab" for version in "12"]


def _die_before(number: int) -> Callable[[str, tuple[object, ...]], None]:
    """An audit hook that kills the process before its Nth change."""
    remaining = [number]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
            remaining[0] -= 1
            if remaining[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _crash(operation: Callable[[], object], *, before: int) -> bool:
    """Run ``operation`` in a child that dies before its Nth change; whether it got to its end."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            sys.addaudithook(_die_before(before))
            operation()
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(pid, 0)[1]
    assert status == 0 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL), "failed, not killed"
    return status == 0


class StoreMachine(RuleBasedStateMachine):
    """``model`` is what the store must hold: key to record."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="rkt-store-", dir=IN_MEMORY)
        self.data = DataDirectory(f"{self.directory}/rkt")
        self.model: dict[str, ImageRecord] = {}
        self.store = open_image_store(self.data, create=True)

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    def put(self, image: int, *, latest: bool, signed: bool) -> ImageRecord:
        with self.store.stage(io.BytesIO(IMAGES[image])) as staged:
            return staged.commit(ImageOrigin(latest=latest, signed_by=(ALICE,) if signed else ()))

    @rule(image=st.integers(0, len(IMAGES) - 1), latest=st.booleans(), signed=st.booleans())
    def put_image(self, image: int, latest: bool, signed: bool) -> None:
        record = self.put(image, latest=latest, signed=signed)
        self.model[record.key] = self.expected(record, latest=latest, signed=signed)

    def expected(self, record: ImageRecord, *, latest: bool, signed: bool) -> ImageRecord:
        previous = self.model.get(record.key)
        assert record.latest == (latest or (previous is not None and previous.latest))
        assert record.verified == (signed or (previous is not None and previous.verified))
        return record

    @rule(image=st.integers(0, len(IMAGES) - 1), latest=st.booleans(), before=st.integers(1, 40))
    def put_image_and_crash(self, image: int, latest: bool, before: int) -> None:
        self.crash(lambda: self.put(image, latest=latest, signed=False), before=before, adds=True)

    @precondition(lambda self: self.model)
    @rule(choice=st.integers(0, 99), before=st.integers(1, 20))
    def remove_image_and_crash(self, choice: int, before: int) -> None:
        key = sorted(self.model)[choice % len(self.model)]
        self.crash(lambda: self.store.remove(key), before=before, removes=key)

    @rule(before=st.integers(1, 20))
    def collect_and_crash(self, before: int) -> None:
        self.crash(lambda: gc.collect(self.store), before=before)

    def crash(
        self, operation: Callable[[], object], *, before: int, adds: bool = False, removes: str | None = None
    ) -> None:
        """After a crash at most the one image differs, and not even that if it came before the commit point."""
        finished = _crash(operation, before=before)
        found = {record.key: record for record in self.store.list_images()}
        changed = {key for key in found.keys() | self.model.keys() if found.get(key) != self.model.get(key)}
        if removes is not None:
            assert changed <= {removes} and found.get(removes) in (None, self.model[removes])
            assert changed or not finished
        else:
            assert len(changed) <= adds and self.model.keys() <= found.keys()
            assert found or not (finished and adds)
        self.model = found

    @precondition(lambda self: self.model)
    @rule(choice=st.integers(0, 99))
    def remove_image(self, choice: int) -> None:
        key = sorted(self.model)[choice % len(self.model)]
        self.store.remove(key)
        del self.model[key]

    @rule(image=st.integers(0, len(IMAGES) - 1))
    def stage_and_drop(self, image: int) -> None:
        with self.store.stage(io.BytesIO(IMAGES[image])):
            pass

    @rule(create=st.booleans())
    def reopen(self, create: bool) -> None:
        self.store = open_image_store(self.data, create=create)

    @rule(harm=st.sampled_from(["remove", "empty", "garbage"]))
    def damage_index(self, harm: str) -> None:
        path = self.store.layout.index
        if not os.path.exists(path):
            return
        if harm == "remove":
            os.unlink(path)
        else:
            with open(path, "wb") as file:
                file.write(b"" if harm == "empty" else b"garbage" * 1000)

    @rule()
    def collect(self) -> None:
        """Afterwards there is nothing but the images, and nothing more to collect."""
        gc.collect(self.store)
        assert gc.collect(self.store) == 0
        layout = self.store.layout
        for directory in (layout.blobs, layout.manifests, layout.records):
            assert {name for _, _, names in os.walk(directory) for name in names} == self.model.keys()
        assert os.listdir(layout.temporary) == []

    @invariant()
    def every_image_is_whole_and_no_other_is_there(self) -> None:
        assert {record.key: record for record in self.store.list_images()} == self.model
        for key, record in self.model.items():
            self.store.verify_blob(key)
            assert record.name.encode() in self.store.load_manifest(key)
            assert self.store.resolve_key(record.image_id) == key

    @invariant()
    def names_lead_to_the_preferred_image(self) -> None:
        for name in ("example.com/a", "example.com/b"):
            mine = [record for record in self.model.values() if record.name == name]
            assert self.store.find_image(name, {}) == max(
                mine, key=lambda record: (record.latest, record.import_time_ns), default=None
            )
            for version in "12":
                asked = self.store.find_image(name, {"version": version})
                assert asked == next((record for record in mine if record.label("version") == version), None)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def _every_crash(operation: Callable[[ImageStore], object], check: Callable[[ImageStore], None], make: object) -> int:
    """Crash ``operation`` before each of its changes in a fresh store; returns how many there were."""
    for before in range(1, 200):
        directory = tempfile.mkdtemp(prefix="rkt-store-", dir=IN_MEMORY)
        try:
            store = open_image_store(DataDirectory(f"{directory}/rkt"), create=True)
            if callable(make):
                make(store)
            finished = _crash(lambda opened=store: operation(opened), before=before)  # type: ignore[misc]
            check(store)
            gc.collect(store)
            check(store)
            assert gc.collect(store) == 0
        finally:
            shutil.rmtree(directory)
        if finished:
            return before
    raise AssertionError("too many changes")


def _put(store: ImageStore, image: int) -> ImageRecord:
    with store.stage(io.BytesIO(IMAGES[image])) as staged:
        return staged.commit(ImageOrigin())


def test_a_put_that_is_killed_before_any_of_its_changes_leaves_the_old_or_the_new_store() -> None:
    def check(store: ImageStore) -> None:
        records = store.list_images()
        assert {record.label("version") for record in records} in ({"1"}, {"1", "2"})
        for record in records:
            store.verify_blob(record.key)
            assert store.find_image(record.name, dict(record.labels)) == record

    assert _every_crash(lambda store: _put(store, 1), check, lambda store: _put(store, 0)) > 10


def test_a_removal_that_is_killed_before_any_of_its_changes_leaves_the_old_or_the_new_store() -> None:
    def check(store: ImageStore) -> None:
        records = store.list_images()
        assert {record.label("version") for record in records} in ({"1"}, {"1", "2"})
        for record in records:
            store.verify_blob(record.key)
        versions = {record.label("version") for record in records}
        assert (store.find_image("example.com/a", {"version": "2"}) is not None) == ("2" in versions)

    def make(store: ImageStore) -> None:
        _put(store, 0)
        _put(store, 1)

    def remove(store: ImageStore) -> None:
        try:
            record = store.find_image("example.com/a", {"version": "2"})
        except ImageNotFoundError:
            raise AssertionError from None
        assert record is not None
        store.remove(record.key)

    assert _every_crash(remove, check, make) > 4
