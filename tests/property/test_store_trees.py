"""Rendering and removing trees with a crash between any two changes: a tree is whole or it is not there."""

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
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.aci import render  # noqa: F401  (a forked child should not have to import)
from rkt.linux import syscalls  # noqa: F401
from rkt.paths import DataDirectory
from rkt.store.dependencies import MAX_LAYERS, plan_layers
from rkt.store.errors import DependencyError
from rkt.store.image_store import open_image_store
from rkt.store.record import ImageOrigin
from rkt.store.tree_store import TreeStore, open_tree_store

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod", "os.fork", "os.utime"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: a crash of the process loses nothing that is written, so the disk plays no part and need not be waited for
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
FILES = {"rootfs/bin": None, "rootfs/bin/app": b"app" * 1000, "rootfs/etc": None, "rootfs/etc/conf": b"conf"}


def _make_aci() -> bytes:
    text = json.dumps({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/app"}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in {"manifest": text, "rootfs": None, **FILES}.items():
            entry = tarfile.TarInfo(path)
            if content is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            entry.size = len(content or b"")
            archive.addfile(entry, io.BytesIO(content or b""))
    return buffer.getvalue()


def _crash(operation: Callable[[], object], *, before: int) -> bool:
    """Run ``operation`` in a child that dies before its Nth change; whether it got to its end."""
    pid = os.fork()
    if pid == 0:
        status = 1
        remaining = [before]
        me = os.getpid()

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            # the renderer is a child of its own, and dies with its parent
            if os.getpid() != me:
                return
            if event in _CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
                remaining[0] -= 1
                if remaining[0] == 0:
                    os.kill(me, signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            operation()
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(pid, 0)[1]
    assert status == 0 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL), "failed, not killed"
    return status == 0


def _check(trees: TreeStore) -> None:
    for name in trees.list_trees():
        path = trees.layout.tree(name)
        assert sorted(os.listdir(path)) == ["image", "manifest", "rendered", "rootfs", "size"]
        for relative, content in FILES.items():
            if content is not None:
                with open(f"{path}/{relative}", "rb") as file:
                    assert file.read() == content


@pytest.mark.root
@pytest.mark.parametrize("operation", ["ensure", "remove"])
def test_a_crash_before_any_change_leaves_a_whole_tree_or_none(operation: str) -> None:
    for before in range(1, 100):
        directory = tempfile.mkdtemp(prefix="rkt-store-", dir=IN_MEMORY)
        try:
            with open_image_store(DataDirectory(f"{directory}/rkt"), create=True) as store:
                with store.stage(io.BytesIO(_make_aci())) as staged:
                    key = staged.commit(ImageOrigin()).key
                trees = open_tree_store(store)
                if operation == "ensure":
                    finished = _crash(partial(trees.ensure_tree, key), before=before)
                else:
                    with trees.ensure_tree(key) as tree:
                        pass
                    finished = _crash(partial(trees.remove_tree, tree.id), before=before)
                _check(trees)
                trees.collect()
                _check(trees)
                assert [name for name in os.listdir(store.layout.trees) if name.endswith(".tmp")] == []
                trees.ensure_tree(key).close()
                _check(trees)
        finally:
            shutil.rmtree(directory)
        if finished:
            break
    assert before > 4


class RandomGraph:
    """Image n depends on some of those with higher numbers: never a cycle."""

    def __init__(self, edges: dict[int, list[int]]) -> None:
        self.edges = {str(key): tuple(str(key + step) for step in steps) for key, steps in edges.items()}

    def dependencies(self, key: str) -> tuple[str, ...]:
        return self.edges.get(key, ())

    def path_whitelist(self, key: str) -> tuple[str, ...]:
        return (f"/{key}",) if int(key) % 2 else ()


def _layers_by_the_book(key: str, graph: RandomGraph, above: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """The definition, recursively: every dependency's layers in order, then the image itself."""
    lists = (*graph.path_whitelist(key), *above)
    lower = [layer for below in graph.dependencies(key) for layer in _layers_by_the_book(below, graph, lists)]
    return [*lower, (key, lists)]


@pytest.mark.spec("DEP-008", "DEP-009", "DEP-016")
@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(1, 4), max_size=3)))
def test_layers_are_those_of_the_definition(edges: dict[int, list[int]]) -> None:
    graph = RandomGraph(edges)
    expected = _layers_by_the_book("0", graph, ())
    try:
        layers = plan_layers("0", graph)
    except DependencyError:
        assert len(expected) > MAX_LAYERS
        return
    assert [(layer.key, tuple(path for (path,) in layer.path_whitelists)) for layer in layers] == expected
