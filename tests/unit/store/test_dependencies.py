"""Dependencies: order, whitelists per path, limits, and finding them in the store."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import pytest

from rkt.schema.dependency import Dependency
from rkt.schema.label import Label
from rkt.store.dependencies import (
    MAX_DEPTH,
    MAX_LAYERS,
    ImageLayer,
    find_dependency,
    plan_layers,
    resolve_layers,
    tree_id,
)
from rkt.store.errors import DependencyError
from rkt.store.image_store import ImageStore
from rkt.store.record import ImageRecord

AciMaker = Callable[..., bytes]
Put = Callable[..., ImageRecord]


class Graph:
    """``Graph("A: B C", "C: D", C=("/x",))``: images by one letter, whitelists by keyword."""

    def __init__(self, *edges: str, **whitelists: tuple[str, ...]) -> None:
        self.edges = {edge[0]: tuple(edge[2:].split()) for edge in edges}
        self.whitelists = whitelists

    def dependencies(self, key: str) -> tuple[str, ...]:
        return self.edges.get(key, ())

    def path_whitelist(self, key: str) -> tuple[str, ...]:
        return self.whitelists.get(key, ())


def _order(*edges: str) -> str:
    return "".join(layer.key for layer in plan_layers("A", Graph(*edges)))


@pytest.mark.spec("DEP-008", "DEP-011")
def test_dependencies_come_depth_first_in_listed_order_and_the_image_last() -> None:
    assert _order("A:") == "A"
    assert _order("A: B C", "C: D") == "BDCA"
    assert _order("A: C B", "C: D") == "DCBA"
    assert _order("A: B", "B: C", "C: D") == "DCBA"


@pytest.mark.spec("DEP-009")
def test_a_shared_dependency_is_applied_once_per_path() -> None:
    assert _order("A: B C", "B: D", "C: D") == "DBDCA"


@pytest.mark.spec("DEP-013", "DEP-016", "DEP-017")
def test_whitelists_are_those_of_the_path_its_own_first() -> None:
    """Only images that depend on an image filter it: never a sibling, never an image below it."""
    graph = Graph("A: B C", "B: D", "C: D", C=("/c",), D=("/d",))
    assert plan_layers("A", graph) == (
        ImageLayer("D", (("/d",),)),
        ImageLayer("B"),
        ImageLayer("D", (("/d",), ("/c",))),
        ImageLayer("C", (("/c",),)),
        ImageLayer("A"),
    )
    everywhere = Graph("A: B", "B: C", A=("/a",), B=("/b",), C=("/c",))
    assert plan_layers("A", everywhere)[0] == ImageLayer("C", (("/c",), ("/b",), ("/a",)))


@pytest.mark.spec("DEP-010")
@pytest.mark.parametrize("edges", [("A: A",), ("A: B", "B: A"), ("A: B C", "C: D", "D: C")])
def test_a_cycle_is_refused(edges: tuple[str, ...]) -> None:
    with pytest.raises(DependencyError, match="form a cycle"):
        _order(*edges)


class Chain:
    """Image n depends ``width`` times on image n + 1, down to ``depth``."""

    def __init__(self, *, depth: int, width: int = 1) -> None:
        self.depth = depth
        self.width = width

    def dependencies(self, key: str) -> tuple[str, ...]:
        return (str(int(key) + 1),) * self.width if int(key) < self.depth else ()

    def path_whitelist(self, key: str) -> tuple[str, ...]:
        return ()


def test_the_deepest_allowed_chain_is_allowed() -> None:
    assert len(plan_layers("0", Chain(depth=MAX_DEPTH))) == MAX_DEPTH + 1


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (Chain(depth=MAX_DEPTH + 1), f"more than {MAX_DEPTH} deep"),
        (Chain(depth=1000), f"more than {MAX_DEPTH} deep"),
        (Chain(depth=60, width=2), f"more than {MAX_LAYERS} layers"),
        (Chain(depth=1, width=1_000_000), f"more than {MAX_LAYERS} layers"),
    ],
)
def test_graphs_that_are_made_to_explode_are_refused_at_once(graph: Chain, reason: str) -> None:
    start = time.monotonic()
    with pytest.raises(DependencyError, match=reason):
        plan_layers("0", graph)
    assert time.monotonic() - start < 2


def test_the_tree_is_named_after_the_keys_top_image_first() -> None:
    layers = plan_layers("A", Graph("A: B C", "C: D"))
    assert tree_id(layers) == "deps-sha512-" + hashlib.sha512(b"A,C,D,B").hexdigest()[:64]


def _dependency(name: str, image_id: str | None = None, size: int | None = None, **labels: str) -> Dependency:
    pairs = tuple(Label(name=label, value=value) for label, value in labels.items())
    return Dependency(image_name=name, image_id=image_id, labels=pairs, size=size)


@pytest.mark.spec("DEP-004")
def test_a_dependency_is_found_by_name_and_the_labels_it_lists(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    first = put(make_aci("example.com/lib", version="1", labels={"os": "linux"}))
    second = put(make_aci("example.com/lib", version="2", labels={"os": "linux"}))
    assert find_dependency(store, _dependency("example.com/lib")) == second
    assert find_dependency(store, _dependency("example.com/lib", version="1")) == first
    assert find_dependency(store, _dependency("example.com/lib", version="1", os="linux")) == first
    assert find_dependency(store, _dependency("example.com/lib", version="1", os="freebsd")) is None
    assert find_dependency(store, _dependency("example.com/lib", arch="amd64")) is None
    assert find_dependency(store, _dependency("example.com/none")) is None


@pytest.mark.spec("DEP-002")
def test_an_image_id_must_be_that_of_the_image(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    old = put(make_aci("example.com/lib", version="1"))
    put(make_aci("example.com/lib", version="2"))
    assert find_dependency(store, _dependency("example.com/lib", old.image_id)) == old
    wrong = old.image_id[:-1] + ("0" if old.image_id[-1] != "0" else "1")
    assert find_dependency(store, _dependency("example.com/lib", wrong)) is None
    top = put(make_aci("example.com/top", dependencies=[{"imageName": "example.com/lib", "imageID": wrong}]))
    with pytest.raises(DependencyError, match=r'its dependency "example.com/lib" .* is not in the store'):
        resolve_layers(store, top.key)


@pytest.mark.spec("DEP-003")
def test_the_size_of_a_dependency_is_checked(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    packed = make_aci("example.com/lib", compress=True)
    record = put(packed)
    for size in (None, record.size, len(packed)):
        assert find_dependency(store, _dependency("example.com/lib", size=size)) == record
    with pytest.raises(DependencyError, match=f"{record.size} bytes instead of 5"):
        find_dependency(store, _dependency("example.com/lib", size=5))


def test_layers_of_stored_images(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    deep = put(make_aci("example.com/d", path_whitelist=["/d"]))
    left = put(make_aci("example.com/b"))
    right = put(make_aci("example.com/c", dependencies=[{"imageName": "example.com/d", "imageID": deep.image_id}]))
    needs: list[dict[str, object]] = [
        {"imageName": "example.com/b"},
        {"imageName": "example.com/c", "labels": [{"name": "version", "value": "1.0.0"}]},
    ]
    top = put(make_aci("example.com/a", dependencies=needs, path_whitelist=["/d", "/e"]))
    layers = resolve_layers(store, top.key)
    assert [layer.key for layer in layers] == [left.key, deep.key, right.key, top.key]
    assert layers[1].path_whitelists == (("/d",), ("/d", "/e"))


@pytest.mark.spec("DEP-010")
def test_stored_images_that_depend_on_each_other_are_refused(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    put(make_aci("example.com/b", dependencies=[{"imageName": "example.com/a"}]))
    top = put(make_aci("example.com/a", dependencies=[{"imageName": "example.com/b"}]))
    with pytest.raises(DependencyError, match="cycle"):
        resolve_layers(store, top.key)


def test_a_missing_dependency_is_named_with_its_image(store: ImageStore, make_aci: AciMaker, put: Put) -> None:
    top = put(make_aci("example.com/a", dependencies=[{"imageName": "example.com/b"}]))
    with pytest.raises(DependencyError, match=r'image "example.com/a": its dependency "example.com/b" is not in'):
        resolve_layers(store, top.key)
