"""Rendered root file systems, one per list of layers, made once and used as lower directories of overlays.

A tree is complete from the moment it has its name: it is rendered beside it, synced and renamed. Nothing here knows
which trees pods use: the caller says so.
"""

from __future__ import annotations

import os

from rkt.linux import durable
from rkt.store.dependencies import resolve_layers, tree_id
from rkt.store.errors import StorageErrors, StoreError
from rkt.store.locks import FileLock, find_lock, open_lock
from rkt.store.removal import discard_path, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rkt.store.dependencies import ImageLayer
    from rkt.store.image_store import ImageStore

#: how long to wait for another process that renders the same tree
RENDER_WAIT_SECONDS = 600.0
#: an unaltered blob is hashed again before rendering unless its bytes were hashed on their way in so recently
FRESH_SECONDS = 3600
_PARTIAL = ".tmp"


def open_tree_store(images: ImageStore) -> TreeStore:
    """The tree store beside an image store. Costs no system call."""
    return TreeStore(images)


class Tree:
    """A complete tree. It cannot be removed until :meth:`close` (or the end of the ``with`` block): by then whoever
    needs it longer must have recorded its ID where garbage collection looks."""

    __slots__ = ("_lock", "id", "path")

    def __init__(self, tree_id: str, path: str, lock: FileLock) -> None:
        self.id = tree_id
        self.path = path
        self._lock = lock

    @property
    def rootfs(self) -> str:
        """The directory that is the root file system."""
        return f"{self.path}/rootfs"

    def close(self) -> None:
        """Allow removal again. Idempotent."""
        self._lock.close()

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TreeStore:
    """The trees of one store; safe for several processes at once."""

    __slots__ = ("images", "layout", "render_wait_seconds")

    def __init__(self, images: ImageStore) -> None:
        self.images = images
        self.layout = images.layout
        self.render_wait_seconds = RENDER_WAIT_SECONDS

    def ensure_tree(self, key: str) -> Tree:
        """The tree of an image and its dependencies, rendered now if it does not exist; close it.

        The bytes of every image are compared with its ID before they are rendered (DEP-027). Raises DependencyError,
        DamagedImageError, ArchiveError, StoreError; then no tree and no part of one is left.
        """
        layers = resolve_layers(self.images, key)
        name = tree_id(layers)
        while True:
            tree = self._find(name)
            if tree is not None:
                return tree
            self.images.layout.ensure_directories()
            with self._lock(name):
                if not self._is_rendered(name):
                    self._render(name, key, layers)

    def find_tree(self, key: str) -> Tree | None:
        """The tree of an image if it is rendered; close it. Raises what resolving dependencies raises."""
        return self._find(tree_id(resolve_layers(self.images, key)))

    def list_trees(self) -> list[str]:
        """The IDs of all complete trees."""
        return [name for name in self._names() if not name.endswith(_PARTIAL)]

    def sizes_by_image(self) -> dict[str, int]:
        """The bytes in the tree of each image that has one, by the image's key.

        Trees that say nothing about their size (of an older rkt, or damaged) are left out, and so are all of them for
        a user who may not look at trees.
        """
        from rkt.store.tree_size import find_note, parse_size

        sizes: dict[str, int] = {}
        for name in self._readable_trees():
            path = self.layout.tree(name)
            key, size = find_note(path, "image"), parse_size(find_note(path, "size"))
            if key and size is not None:
                text = key.decode("ascii", "replace")
                sizes[text] = sizes.get(text, 0) + size
        return sizes

    def _readable_trees(self) -> list[str]:
        try:
            return self.list_trees()
        except StoreError:
            return []

    def find_unused(self, used_ids: set[str]) -> list[str]:
        """The IDs of trees that are not among ``used_ids``."""
        return [name for name in self.list_trees() if name not in used_ids]

    def remove_tree(self, name: str, *, is_used: Callable[[str], bool] | None = None) -> bool:
        """Remove a tree; False if it is being used or rendered just now, or ``is_used`` says so.

        ``is_used`` is asked once nobody can begin to use the tree any more: an answer from before that moment would
        miss a pod that was prepared in between. Raises StoreError.
        """
        _check_name(name)
        with StorageErrors("remove tree", self.layout.tree(name)):
            lock = find_lock(self.layout.tree_lock(name), exclusive=True)
            if lock is None:
                return False
            with lock:
                if is_used is not None and is_used(name):
                    return False
                self._discard(name)
                durable.remove_if_present(lock.path)
        return True

    def collect(self) -> int:
        """Delete what killed renderers and removers left; returns how many. Raises StoreError."""
        count = 0
        for partial in [name for name in self._names() if name.endswith(_PARTIAL)]:
            name = partial.removesuffix(_PARTIAL)
            lock = find_lock(self.layout.tree_lock(name), exclusive=True)
            if lock is not None:
                with lock, StorageErrors("remove tree", self.layout.tree(partial)):
                    discard_path(self.layout.tree(partial))
                    count += 1
        return count

    def render_into(self, key: str, directory: str) -> None:
        """Render an image and its dependencies into the existing, empty ``directory`` (a pod without overlay)."""
        self._render_layers(resolve_layers(self.images, key), directory)

    # --- steps ---

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self.layout.trees))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f'cannot read trees "{self.layout.trees}": {error.strerror}') from error

    def _find(self, name: str) -> Tree | None:
        """The complete tree under a shared lock. Without one of the two stats there is no lock file to create."""
        if not self._is_rendered(name):
            return None
        lock = open_lock(self.layout.tree_lock(name), exclusive=False, wait_seconds=self.render_wait_seconds)
        if self._is_rendered(name):
            return Tree(name, self.layout.tree(name), lock)
        lock.close()
        return None

    def _is_rendered(self, name: str) -> bool:
        return os.path.exists(f"{self.layout.tree(name)}/rendered")

    def _lock(self, name: str) -> FileLock:
        return open_lock(self.layout.tree_lock(name), exclusive=True, wait_seconds=self.render_wait_seconds)

    def _discard(self, name: str) -> None:
        """Take the name away first: at no moment does a tree lack a part of its files."""
        path, partial = self.layout.tree(name), self.layout.tree(name) + _PARTIAL
        discard_path(partial)
        if os.path.lexists(path):
            durable.rename(path, partial)
            remove_tree(partial)

    def _render(self, name: str, key: str, layers: tuple[ImageLayer, ...]) -> None:
        path, partial = self.layout.tree(name), self.layout.tree(name) + _PARTIAL
        with StorageErrors("render image", path):
            self._discard(name)
            os.mkdir(partial, 0o700)
            try:
                os.mkdir(f"{partial}/rootfs", 0o755)
                self._render_layers(layers, f"{partial}/rootfs")
                self._finish(partial, key)
                durable.rename(partial, path)
            except BaseException:
                _discard_quietly(partial)
                raise

    def _finish(self, partial: str, key: str) -> None:
        from rkt.linux.syscalls import syncfs
        from rkt.store.tree_size import measure_tree

        _write(f"{partial}/manifest", self.images.load_manifest(key))
        _write(f"{partial}/image", key.encode())
        _write(f"{partial}/size", b"%d" % measure_tree(f"{partial}/rootfs"))
        _write(f"{partial}/rendered", b"")
        fd = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syncfs(fd)
        finally:
            os.close(fd)

    def _render_layers(self, layers: tuple[ImageLayer, ...], directory: str) -> None:
        from rkt.aci.render import Layer, render

        fds: dict[str, int] = {}
        try:
            for layer in layers:
                if layer.key not in fds:
                    fds[layer.key] = self._open_verified(layer.key)
            render([Layer(fds[layer.key], layer.path_whitelists) for layer in layers], directory)
        finally:
            for fd in fds.values():
                os.close(fd)

    def _open_verified(self, key: str) -> int:
        fd = self.images.open_blob(key)
        try:
            if not self.images.is_fresh(key, fd=fd, seconds=FRESH_SECONDS):
                self.images.verify_blob(key, fd=fd)
        except BaseException:
            os.close(fd)
            raise
        self.images.touch(key)
        return fd


def _check_name(name: str) -> None:
    if not name or "/" in name or name.startswith("."):
        raise StoreError(f'"{name}" is not the ID of a tree')


def _write(path: str, data: bytes) -> None:
    """A file of an unfinished tree; syncfs makes it durable together with the rest."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)


def _discard_quietly(path: str) -> None:
    try:
        discard_path(path)
    except OSError:
        pass
