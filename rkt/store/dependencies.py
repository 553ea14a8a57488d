"""From an image to the list of layers that make its root file system, as the dependencies in its manifest say.

:func:`plan_layers` is pure; :class:`StoredDependencies` answers its questions from the store. Rendering the layers
is :mod:`rkt.aci.render`'s, fetching missing dependencies the fetcher's.
"""

from __future__ import annotations

from rkt.schema.image import decode_image_manifest
from rkt.store.errors import DependencyError, ImageNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from rkt.schema.dependency import Dependency
    from rkt.schema.image import ImageManifest
    from rkt.store.image_store import ImageStore
    from rkt.store.record import ImageRecord

    class DependencyGraph(Protocol):
        """What :func:`plan_layers` asks about an image."""

        def dependencies(self, key: str) -> tuple[str, ...]: ...

        def path_whitelist(self, key: str) -> tuple[str, ...]: ...


#: far beyond any real image; they bound the work for a graph that is made to explode (a chain of diamonds)
MAX_DEPTH = 100
MAX_LAYERS = 500


class ImageLayer:
    """One image in its place: ``path_whitelists`` are the non-empty ones on its path, its own first, the top last.

    A file of the image appears in the result only if every one of them lists it.
    """

    __slots__ = ("key", "path_whitelists")

    def __init__(self, key: str, path_whitelists: tuple[tuple[str, ...], ...] = ()) -> None:
        self.key = key
        self.path_whitelists = path_whitelists

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImageLayer):
            return NotImplemented
        return (self.key, self.path_whitelists) == (other.key, other.path_whitelists)

    def __hash__(self) -> int:
        return hash((self.key, self.path_whitelists))

    def __repr__(self) -> str:
        return f"ImageLayer({self.key!r}, {self.path_whitelists!r})"


def plan_layers(top: str, graph: DependencyGraph) -> tuple[ImageLayer, ...]:
    """The layers of ``top`` in the order in which they are laid over each other, the lowest first.

    Depth first, dependencies in listed order before the image itself; an image that is reached on several paths
    appears once per path, filtered by the whitelists of that path only (appc, ace.md, file system setup). Raises
    DependencyError for a cycle and beyond MAX_DEPTH and MAX_LAYERS.
    """
    layers: list[ImageLayer] = []
    first = _place(top, (), graph)
    path = [(first, iter(graph.dependencies(top)))]
    on_path = {top}
    started = 1
    while path:
        layer, remaining = path[-1]
        key = next(remaining, None)
        if key is None:
            path.pop()
            on_path.discard(layer.key)
            layers.append(layer)
            continue
        started += 1
        _check_limits(top, key, on_path, depth=len(path), layers=started)
        on_path.add(key)
        path.append((_place(key, layer.path_whitelists, graph), iter(graph.dependencies(key))))
    return tuple(layers)


def _place(key: str, above: tuple[tuple[str, ...], ...], graph: DependencyGraph) -> ImageLayer:
    own = graph.path_whitelist(key)
    return ImageLayer(key, (own, *above) if own else above)


def _check_limits(top: str, key: str, on_path: set[str], *, depth: int, layers: int) -> None:
    if key in on_path:
        raise DependencyError(f'image "{top}": its dependencies form a cycle through image "{key}"')
    if depth > MAX_DEPTH:
        raise DependencyError(f'image "{top}": its dependencies are nested more than {MAX_DEPTH} deep')
    if layers > MAX_LAYERS:
        raise DependencyError(f'image "{top}": its dependencies make more than {MAX_LAYERS} layers')


def tree_id(layers: tuple[ImageLayer, ...]) -> str:
    """The name of the tree that these layers make: ``deps-sha512-`` and 64 digits over the keys, top image first."""
    keys = ",".join(layer.key for layer in reversed(layers))
    return "deps-sha512-" + _sha512(keys.encode())[:64]


def _sha512(data: bytes) -> str:
    """The hex digest of a few hundred bytes, without loading OpenSSL for it (3 ms of every ``rkt run``)."""
    try:
        # what hashlib itself falls back to: _sha2 since Python 3.12, _sha512 before
        from _sha2 import sha512  # type: ignore[import-not-found]
    except ImportError:
        try:
            from _sha512 import sha512  # type: ignore[import-not-found]
        except ImportError:
            from hashlib import sha512
    digest: str = sha512(data).hexdigest()
    return digest


def find_dependency(store: ImageStore, dependency: Dependency) -> ImageRecord | None:
    """The stored image that a dependency means, None if it is not stored (fetch it).

    By image ID if it has one (the ID must be equal in full), else by name and labels; labels that it does not list
    match anything. Raises DependencyError if the image does not have the size that the dependency states.
    """
    record = _find_by_id(store, str(dependency.image_id)) if dependency.image_id else _find_by_name(store, dependency)
    # appc does not say whether "size" counts the archive as transferred or the tar: either is the image's size
    if record is not None and dependency.size and dependency.size not in (record.size, record.archive_size):
        raise DependencyError(
            f'dependency "{dependency.image_name}": the image has {record.size} bytes instead of {dependency.size}'
        )
    return record


def _find_by_id(store: ImageStore, image_id: str) -> ImageRecord | None:
    try:
        return store.get_record(store.resolve_key(image_id))
    except ImageNotFoundError:
        return None


def _find_by_name(store: ImageStore, dependency: Dependency) -> ImageRecord | None:
    labels = {str(label.name): str(label.value) for label in dependency.labels}
    return store.find_image(str(dependency.image_name), labels)


class StoredDependencies:
    """The dependency graph of stored images; every manifest is read once."""

    __slots__ = ("_dependencies", "_manifests", "store")

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self._manifests: dict[str, ImageManifest] = {}
        self._dependencies: dict[str, tuple[str, ...]] = {}

    def manifest(self, key: str) -> ImageManifest:
        """The manifest of an image. Raises ImageNotFoundError, DamagedImageError, ManifestError."""
        manifest = self._manifests.get(key)
        if manifest is None:
            data = self.store.load_manifest(key)
            manifest = self._manifests[key] = decode_image_manifest(data, source=f'manifest of image "{key}"')
        return manifest

    def path_whitelist(self, key: str) -> tuple[str, ...]:
        """The whitelist of an image; empty keeps everything."""
        return tuple(self.manifest(key).path_whitelist)

    def dependencies(self, key: str) -> tuple[str, ...]:
        """The keys of the images that an image depends on, in order. Raises DependencyError if one is missing."""
        keys = self._dependencies.get(key)
        if keys is None:
            keys = self._dependencies[key] = tuple(self._key_of(one, key) for one in self.manifest(key).dependencies)
        return keys

    def _key_of(self, dependency: Dependency, key: str) -> str:
        record = find_dependency(self.store, dependency)
        if record is None:
            wanted = f'"{dependency.image_name}"' + (f" ({dependency.image_id})" if dependency.image_id else "")
            name = self.manifest(key).name
            hint = "fetch the image again, or its dependency by itself: rkt fetch"
            raise DependencyError(f'image "{name}": its dependency {wanted} is not in the store', hint)
        return record.key


def resolve_layers(store: ImageStore, key: str) -> tuple[ImageLayer, ...]:
    """The layers of a stored image, lowest first. Raises what :func:`plan_layers` and the graph raise."""
    return plan_layers(key, StoredDependencies(store))
