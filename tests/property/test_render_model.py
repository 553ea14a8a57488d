"""The renderer against a model of a dozen lines a rule: layers that flip types, whitelists, links, on a real disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness.archives import DIRECTORY, FIFO, FILE, LINK, SYMLINK, directory, entry, hard_link, image, symlink
from harness.forked_child import run_in_child
from harness.trees import snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.aci.render import Layer, render

pytestmark = pytest.mark.root

# few names, so that layers meet
names = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
whitelists = st.lists(names.map("/".__add__), max_size=6)


class Item:
    """One entry of a layer."""

    def __init__(self, path: str, kind: str, mode: int, mtime: int, value: str) -> None:
        self.path, self.kind, self.mode, self.mtime, self.value = path, kind, mode, mtime, value

    def __repr__(self) -> str:
        return f"{self.kind} {self.path} {self.mode:o} {self.mtime} {self.value!r}"

    def blocks(self) -> bytes:
        name = f"rootfs/{self.path}"
        if self.kind == DIRECTORY:
            return directory(name, mode=self.mode, mtime=self.mtime)
        if self.kind == SYMLINK:
            return symlink(name, self.value)
        if self.kind == LINK:
            return hard_link(name, f"rootfs/{self.value}")
        return entry(
            name, self.value.encode() if self.kind == FILE else b"", kind=self.kind, mode=self.mode, mtime=self.mtime
        )


@st.composite
def layers(draw: st.DrawFn) -> list[Item]:
    """A sound image: no name twice, hard links to files that come earlier and are still there."""
    items: list[Item] = []
    for path in draw(st.lists(names, unique=True, max_size=10)):
        files = [item.path for item in items if item.kind == FILE and not _is_covered(item.path, items)]
        kinds = [FILE, DIRECTORY, DIRECTORY, SYMLINK, FIFO, *([LINK] if files else [])]
        kind = draw(st.sampled_from(kinds))
        value = draw(st.sampled_from(["x", "y", "/a", "../b"]))
        if kind == LINK:
            value = draw(st.sampled_from(files))
            if value.startswith(f"{path}/") or path.startswith(f"{value}/"):
                continue
        items.append(
            Item(path, kind, draw(st.sampled_from([0o755, 0o700, 0o1777, 0o4755])), draw(st.integers(0, 99)), value)
        )
    # a symlink in the way of a later entry of the same image has a test of its own
    plain = [item for item in items if not _is_below_symlink(item, items)]
    paths = {item.path for item in plain}
    return [item for item in plain if item.kind != LINK or item.value in paths]


def _is_covered(path: str, items: list[Item]) -> bool:
    """Whether a later entry has replaced what ``path`` was, or a directory above it."""
    place = next(number for number, item in enumerate(items) if item.path == path)
    return any(_meet(path, item) for item in items[place + 1 :])


def _meet(path: str, later: Item) -> bool:
    if path.startswith(f"{later.path}/"):
        return later.kind != DIRECTORY
    return later.path.startswith(f"{path}/")


def _is_below_symlink(item: Item, items: list[Item]) -> bool:
    return any(other.kind in (SYMLINK, LINK) and item.path.startswith(f"{other.path}/") for other in items)


class Model:
    """path -> (kind, mode, mtime, value, identity); a dict and sequential application, nothing else."""

    def __init__(self) -> None:
        self.nodes: dict[str, tuple[str, int, int, str, object]] = {}
        self.provisional: set[str] = set()

    def apply(self, items: list[Item], lists: Sequence[Sequence[str]]) -> None:
        wanted = [{path.strip("/") for path in paths} for paths in lists if paths]
        kept = {item.path for item in items if all(item.path in paths for paths in wanted)}
        content: dict[str, str] = {}
        for item in items:
            if item.kind == LINK and item.path in kept and item.value not in kept:
                content.setdefault(item.value, item.path)
        for item in items:
            if item.kind == DIRECTORY:
                needed = all(any(f"{path}/".startswith(f"{item.path}/") for path in paths) for paths in wanted)
                if item.path in kept or needed:
                    self.put_directory(item, listed=item.path in kept)
            elif item.kind == LINK:
                source = content.get(item.value, item.value)
                if item.path in kept and source != item.path:
                    self.put(item.path, self.nodes[source])
            elif item.path in kept or item.path in content:
                value = item.value if item.kind in (FILE, SYMLINK) else ""
                mode, mtime = (0o777, 0) if item.kind == SYMLINK else (item.mode, item.mtime)
                self.put(content.get(item.path, item.path), (item.kind, mode, mtime, value, object()))

    def put(self, path: str, node: tuple[str, int, int, str, object]) -> None:
        self.make_parents(path)
        self.remove(path)
        self.nodes[path] = node

    def put_directory(self, item: Item, *, listed: bool) -> None:
        self.make_parents(item.path)
        exists = self.nodes.get(item.path, ("",))[0] == DIRECTORY
        if not exists:
            self.remove(item.path)
        self.nodes[item.path] = (DIRECTORY, item.mode, item.mtime, "", object())
        if listed:
            self.provisional.discard(item.path)
        elif not exists:
            self.provisional.add(item.path)

    def make_parents(self, path: str) -> None:
        parts = path.split("/")[:-1]
        for length in range(1, len(parts) + 1):
            parent = "/".join(parts[:length])
            if self.nodes.get(parent, ("",))[0] != DIRECTORY:
                self.remove(parent)
                self.nodes[parent] = (DIRECTORY, 0o755, 0, "", object())

    def remove(self, path: str) -> None:
        for name in [name for name in self.nodes if name == path or name.startswith(f"{path}/")]:
            del self.nodes[name]

    def finish(self) -> None:
        for path in sorted(self.provisional, key=len, reverse=True):
            below = any(name.startswith(f"{path}/") for name in self.nodes)
            if not below and self.nodes.get(path, ("",))[0] == DIRECTORY:
                del self.nodes[path]

    def result(self) -> dict[str, tuple[str, int, int, str, str]]:
        first: dict[object, str] = {}
        return {
            path: (kind, mode, mtime, value, first.setdefault(identity, path))
            for path, (kind, mode, mtime, value, identity) in sorted(
                self.nodes.items(), key=lambda pair: pair[0].split("/")
            )
        }


KINDS = {"file": FILE, "directory": DIRECTORY, "symlink": SYMLINK, "fifo": FIFO}


def found(tree: Path) -> dict[str, tuple[str, int, int, str, str]]:
    return {
        path.decode(): (KINDS[kind], mode, mtime // 10**9, content.decode(), first.decode())
        for path, (kind, mode, _, _, mtime, _, content, _, first) in snapshot(tree).items()
        if path
    }


def rendered(stack: list[tuple[list[Item], list[list[str]]]]) -> dict[str, tuple[str, int, int, str, str]]:
    work = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    fds: list[int] = []
    try:
        (work / "tree").mkdir()
        for number, (items, _) in enumerate(stack):
            (work / str(number)).write_bytes(image(*(item.blocks() for item in items)))
            fds.append(os.open(work / str(number), os.O_RDONLY))
        planned = [Layer(fd, lists) for fd, (_, lists) in zip(fds, stack, strict=True)]
        run_in_child(lambda: render(planned, str(work / "tree")))
        return found(work / "tree")
    finally:
        for fd in fds:
            os.close(fd)
        shutil.rmtree(work)


@pytest.mark.spec("DEP-007", "DEP-011", "DEP-012", "DEP-013", "DEP-015", "DEP-018", "DEP-020", "DEP-021", "DEP-022")
@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(layers(), st.lists(whitelists, max_size=2)), min_size=1, max_size=4))
def test_tree_equals_the_model(stack: list[tuple[list[Item], list[list[str]]]]) -> None:
    model = Model()
    for items, lists in stack:
        model.apply(items, lists)
    model.finish()
    assert rendered(stack) == model.result()
