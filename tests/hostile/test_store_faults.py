"""The store on a disk that is full, read-only or failing, in a process that runs out of things: F5, F6, F7, F25, F28.

Whatever happens the error is one clear line, earlier images are intact and nothing half-made is left.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import sys
import tarfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rkt.errors import RktError
from rkt.linux import syscalls
from rkt.paths import DataDirectory
from rkt.store import gc
from rkt.store.dependencies import MAX_DEPTH
from rkt.store.errors import DamagedImageError, DependencyError, StoreError
from rkt.store.image_store import ImageStore, open_image_store
from rkt.store.record import ImageOrigin, ImageRecord
from rkt.store.tree_store import open_tree_store


def make_aci(name: str, content: bytes = b"", *, dependencies: list[dict[str, object]] | None = None) -> bytes:
    manifest: dict[str, object] = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name}
    manifest["labels"] = [{"name": "version", "value": "1.0.0"}]
    if dependencies:
        manifest["dependencies"] = dependencies
    text = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in (("manifest", text), ("rootfs", None), ("rootfs/file", content)):
            entry = tarfile.TarInfo(path)
            if data is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            entry.size = len(data or b"")
            archive.addfile(entry, io.BytesIO(data or b""))
    return buffer.getvalue()


SMALL = make_aci("example.com/small", b"small")
OTHER = make_aci("example.com/other", b"other" * 20_000)


def put(store: ImageStore, aci: bytes) -> ImageRecord:
    with store.stage(io.BytesIO(aci)) as staged:
        return staged.commit(ImageOrigin())


def check_store(store: ImageStore, *, has: set[str], may_have: set[str]) -> None:
    """``has`` is there and whole, besides at most ``may_have``; nothing unfinished lies around."""
    records = store.list_images()
    names = {record.name for record in records}
    assert has <= names <= has | may_have, names
    for record in records:
        store.verify_blob(record.key)
        store.load_manifest(record.key)
        assert store.find_image(record.name, {}) == record
    assert os.listdir(store.layout.temporary) == []
    for directory in (store.layout.blobs, store.layout.manifests):
        assert {name for _, _, files in os.walk(directory) for name in files} == {record.key for record in records}


def in_child(work: Callable[[], None]) -> None:
    """Run ``work`` in a child, whose mounts and limits end with it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def mount_small(path: Path, options: str) -> None:
    path.mkdir(exist_ok=True)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", str(path), "tmpfs", 0, options)


def attempt(work: Callable[[], object], *words: str) -> bool:
    """Whether ``work`` succeeds; if not, its error is ours, one line, and has one of the words."""
    try:
        work()
    except RktError as error:
        assert "\n" not in error.message
        assert any(word in error.message for word in words), error.message
        return False
    return True


@pytest.mark.root
@pytest.mark.parametrize("options", ["size=2m", "size=8m,nr_inodes=90"])
def test_a_disk_that_is_full_at_any_moment_of_a_put(tmp_path: Path, options: str) -> None:
    """The space that is left goes from nothing to enough, in the smallest steps that the file system has."""

    def work() -> None:
        mount_small(tmp_path / "disk", options)
        outcomes = []
        for number in range(400):
            with open_image_store(DataDirectory(f"{tmp_path}/disk/rkt"), create=True) as store:
                put(store, SMALL)
                release = fill(tmp_path / "disk", number, inodes="inodes" in options)
                outcomes.append(attempt(lambda s=store: put(s, OTHER), "no space left", "full"))  # type: ignore[misc]
                check_store(store, has={"example.com/small"}, may_have={"example.com/other"} if outcomes[-1] else set())
                store.remove(store.resolve_key(store.list_keys()[0]))
                release()
                put(store, OTHER)
                put(store, SMALL)
                for key in store.list_keys():
                    store.remove(key)
                gc.collect(store)
            if outcomes[-1]:
                break
        assert outcomes[-1] and not outcomes[0], outcomes

    in_child(work)


def fill(disk: Path, left: int, *, inodes: bool) -> Callable[[], None]:
    """Use the disk up but for ``left`` pages or inodes; returns what takes that back."""
    if not inodes:
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail - left
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free) * os.statvfs(disk).f_frsize)
        return filler.unlink
    directory = disk / "fillers"
    directory.mkdir()
    while os.statvfs(disk).f_favail > left:
        (directory / str(os.statvfs(disk).f_favail)).touch()

    def release() -> None:
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()

    return release


@pytest.mark.root
def test_a_disk_that_is_full_while_an_image_is_rendered(tmp_path: Path) -> None:
    def work() -> None:
        mount_small(tmp_path / "disk", "size=4m")
        with open_image_store(DataDirectory(f"{tmp_path}/disk/rkt"), create=True) as store:
            record = put(store, OTHER)
            trees = open_tree_store(store)
            for left in range(60):
                release = fill(tmp_path / "disk", left, inodes=False)
                done = attempt(lambda: trees.ensure_tree(record.key).close(), "no space left")
                assert os.listdir(store.layout.trees) == trees.list_trees()
                release()
                if done:
                    break
            assert left > 10
            trees.ensure_tree(record.key).close()

    in_child(work)


@pytest.mark.root
def test_a_read_only_store_can_be_read_and_says_why_it_cannot_be_written(tmp_path: Path) -> None:
    def work() -> None:
        mount_small(tmp_path / "disk", "size=8m")
        data = DataDirectory(f"{tmp_path}/disk/rkt")
        with open_image_store(data, create=True) as store:
            record, other = put(store, SMALL), put(store, OTHER)
            rendered = open_tree_store(store).ensure_tree(record.key)
            rendered.close()
        flags = syscalls.MS_REMOUNT | syscalls.MS_RDONLY
        syscalls.mount(None, str(tmp_path / "disk"), None, flags)
        for create in (False, True):
            with open_image_store(data, create=create) as store:
                check_store(store, has={record.name, other.name}, may_have=set())
                store.touch(record.key)
                with open_tree_store(store).ensure_tree(record.key) as tree:
                    assert tree.id == rendered.id
                trees = open_tree_store(store)
                for write in (
                    lambda s=store: put(s, SMALL),
                    lambda s=store: s.remove(record.key),
                    lambda t=trees: t.ensure_tree(other.key),
                    lambda t=trees: t.remove_tree(rendered.id),
                    lambda s=store: gc.collect(s),
                ):
                    assert not attempt(write, "read-only file system")
                check_store(store, has={record.name, other.name}, may_have=set())

    in_child(work)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ImageStore]:
    with open_image_store(DataDirectory(str(tmp_path / "rkt")), create=True) as opened:
        yield opened


def test_a_write_error_at_any_offset_of_the_image(store: ImageStore) -> None:
    """A limit of the file size stands for a write that fails: each of blob, manifest, index and record meets it."""
    put(store, SMALL)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for limit in (0, 1, 100, 300, 600, 4096, 8192, 20_000, 90_000, len(OTHER) - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            assert not attempt(lambda: put(store, OTHER), "file too large", "disk I/O error", "full"), limit
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            check_store(store, has={"example.com/small"}, may_have=set())
        put(store, OTHER)

    in_child(work)


def test_a_process_that_runs_out_of_descriptors(store: ImageStore) -> None:
    put(store, SMALL)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
        taken: list[int] = []
        outcomes = []
        while len(taken) < 200:
            try:
                taken.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                break
        for _ in range(20):
            words = ("too many open files", "unable to open database", "disk I/O error")
            outcomes.append(attempt(lambda: put(store, OTHER), *words))
            if outcomes[-1]:
                break
            os.close(taken.pop())
        while taken:
            os.close(taken.pop())
        check_store(store, has={"example.com/small", "example.com/other"}, may_have=set())
        assert len(outcomes) > 3, outcomes

    in_child(work)


def test_a_file_that_cannot_be_changed_is_named(store: ImageStore) -> None:
    """A directory in place of the index's journal stands for an immutable one: SQLite cannot write."""
    put(store, SMALL)
    os.mkdir(f"{store.layout.index}-journal")
    with pytest.raises(StoreError, match=r"index\.sqlite"):
        put(store, OTHER)
    check_store(store, has={"example.com/small"}, may_have=set())
    os.rmdir(f"{store.layout.index}-journal")
    put(store, OTHER)


@pytest.mark.spec("ACI-033")
@pytest.mark.parametrize("what", ["blob", "manifest", "record"])
def test_a_flipped_bit_anywhere_is_detected_and_other_images_are_unaffected(store: ImageStore, what: str) -> None:
    record, other = put(store, SMALL), put(store, OTHER)
    path = getattr(store.layout, what)(record.key)
    original = Path(path).read_bytes()
    choose = random.Random(what)
    for _ in range(150):
        bit = choose.randrange(8 * (len(original) - (what == "record")))
        with open(path, "r+b") as file:
            file.seek(bit // 8)
            file.write(bytes([original[bit // 8] ^ 1 << bit % 8]))
        with pytest.raises(StoreError, match=record.key):
            store.verify_blob(record.key)
            store.load_manifest(record.key)
        store.verify_blob(other.key)
        assert store.find_image("example.com/other", {}) == other
        Path(path).write_bytes(original)
    store.verify_blob(record.key)
    store.load_manifest(record.key)


def test_a_damaged_image_is_repaired_by_storing_it_again_and_its_tree_never_sees_the_damage(store: ImageStore) -> None:
    record = put(store, OTHER)
    with open(store.layout.blob(record.key), "r+b") as file:
        file.seek(3000)
        file.write(b"!")
    trees = open_tree_store(store)
    with pytest.raises(DamagedImageError):
        trees.ensure_tree(record.key)
    put(store, OTHER)
    with trees.ensure_tree(record.key) as tree:
        assert Path(tree.rootfs, "file").read_bytes() == b"other" * 20_000


def test_images_that_depend_on_each_other_in_a_long_chain_end_in_one_error(store: ImageStore) -> None:
    last = MAX_DEPTH + 5
    for number in range(last + 1):
        needs: list[dict[str, object]] = [{"imageName": f"example.com/link-{number + 1}"}]
        put(store, make_aci(f"example.com/link-{number}", dependencies=needs if number < last else None))
    first = store.find_image("example.com/link-0", {})
    middle = store.find_image(f"example.com/link-{last - 50}", {})
    assert first is not None and middle is not None
    trees = open_tree_store(store)
    with pytest.raises(DependencyError, match="nested more than"):
        trees.find_tree(first.key)
    assert trees.find_tree(middle.key) is None


@pytest.mark.parametrize("text", ["sha512-../../../../etc/passwd", "sha512-..", "sha512-aa/../bb", "sha512-\x00\x00"])
def test_an_image_id_never_leads_out_of_the_store(store: ImageStore, text: str) -> None:
    with pytest.raises(StoreError):
        store.resolve_key(text)


@pytest.mark.root
def test_an_ordinary_user_can_neither_read_images_nor_block_root(store: ImageStore, tmp_path: Path) -> None:
    for directory in [tmp_path, *tmp_path.parents]:
        if str(directory).startswith("/tmp/"):
            os.chmod(directory, 0o755)
    os.chmod(tmp_path / "rkt", 0o755)
    record = put(store, SMALL)
    open_tree_store(store).ensure_tree(record.key).close()

    def work() -> None:
        os.setgroups([])
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        assert os.listdir(tmp_path / "rkt") == ["cas"]
        for path in (store.layout.blob(record.key), store.layout.write_lock, store.layout.last_used(record.key)):
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_PATH):
                with pytest.raises(PermissionError):
                    os.open(path, flags)
        for read in (store.list_images, lambda: store.resolve_key(record.image_id), lambda: put(store, SMALL)):
            assert not attempt(read, "permission denied")
        with pytest.raises(StoreError, match="permission denied") as caught:
            store.find_image("example.com/small", {})
        assert caught.value.hint is not None and "root" in caught.value.hint

    in_child(work)
