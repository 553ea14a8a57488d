"""Random trees of directories, files and symlinks: openat2 and its replacement agree, and neither leaves the root."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.forked_child import run_in_child
from harness.hidden_calls import OPENAT2, hide_system_call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkt.linux.safe_path import ensure_in_root, open_in_root

NAMES = ("a", "b", "c")
components = st.sampled_from((*NAMES, *NAMES, "..", ".", ""))
paths = st.builds(
    lambda absolute, parts: ("/" if absolute else "") + "/".join(parts),
    st.booleans(),
    st.lists(components, min_size=1, max_size=5),
)
#: (where, what): a directory, a file, or the text of a symlink
entries = st.tuples(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    st.one_of(st.just("directory"), st.just("file"), paths.map(lambda path: f"-> {path}")),
)
trees = st.lists(entries, max_size=12)


def build(root: Path, tree: list[tuple[list[str], str]]) -> None:
    """Make what can be made; an entry whose parent is a file or a link is left out."""
    root.mkdir(parents=True)
    for parts, what in tree:
        parent = root
        for part in parts[:-1]:
            parent = parent / part
            if parent.is_symlink() or parent.is_file():
                break
            parent.mkdir(exist_ok=True)
        else:
            make(parent / parts[-1], what)


def make(path: Path, what: str) -> None:
    if os.path.lexists(path):
        return
    if what == "directory":
        path.mkdir()
    elif what == "file":
        path.write_text(path.name)
    else:
        path.symlink_to(what.removeprefix("-> ") or ".")


def resolve(root: str, path: str) -> str:
    """Where ``path`` leads, relative to ``root``, or the name of the error."""
    try:
        fd = open_in_root(root, path)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    try:
        return os.readlink(f"/proc/self/fd/{fd}").removeprefix(root)
    finally:
        os.close(fd)


def ensure(root: str, path: str, *, directory: bool) -> str:
    try:
        fd = ensure_in_root(root, path, directory=directory)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    try:
        return os.readlink(f"/proc/self/fd/{fd}").removeprefix(root)
    finally:
        os.close(fd)


def listing(directory: Path) -> list[tuple[str, int, str]]:
    """Every entry below ``directory``: its path, its mode, its symlink's text."""
    found = []
    for path, directories, files in os.walk(directory):
        for name in directories + files:
            entry = Path(path, name)
            text = os.readlink(entry) if entry.is_symlink() else ""
            found.append((str(entry.relative_to(directory)), entry.lstat().st_mode, text))
    return sorted(found)


@pytest.fixture
def place() -> Iterator[Path]:
    """A short directory, so that the paths of the trees are not too long."""
    directory = Path(tempfile.mkdtemp(prefix="rkt-safe-path-")).resolve()
    yield directory
    shutil.rmtree(directory)


Case = tuple[list[tuple[list[str], str]], list[str]]
cases = st.lists(st.tuples(trees, st.lists(paths, min_size=1, max_size=6)), min_size=1, max_size=8)
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@relaxed
@given(batch=cases)
def test_both_ways_lead_to_the_same_place_inside(place: Path, batch: list[Case]) -> None:
    shutil.rmtree(place)
    (place / "a").mkdir(parents=True)
    (place / "a/a").write_text("outside")
    for number, (tree, _) in enumerate(batch):
        build(place / f"root{number}", tree)

    def answers() -> list[list[str]]:
        return [[resolve(f"{place}/root{number}", path) for path in asked] for number, (_, asked) in enumerate(batch)]

    def fallback_answers() -> list[list[str]]:
        hide_system_call(OPENAT2)
        return answers()

    expected = answers()
    assert run_in_child(fallback_answers) == expected
    for answer in (answer for answered in expected for answer in answered):
        # what is outside has the name of the place in front of it
        assert not answer.startswith(str(place)), answer


@relaxed
@given(batch=cases, directory=st.booleans())
def test_both_ways_create_the_same_inside_and_nothing_outside(place: Path, batch: list[Case], directory: bool) -> None:
    shutil.rmtree(place)
    for way in ("openat2", "fallback"):
        (place / way / "a").mkdir(parents=True)
        for number, (tree, _) in enumerate(batch):
            build(place / way / f"root{number}", tree)

    def create(way: str) -> list[list[str]]:
        return [
            [ensure(f"{place}/{way}/root{number}", path, directory=directory) for path in asked]
            for number, (_, asked) in enumerate(batch)
        ]

    def create_without() -> list[list[str]]:
        hide_system_call(OPENAT2)
        return create("fallback")

    assert create("openat2") == run_in_child(create_without)
    for number in range(len(batch)):
        assert listing(place / "openat2" / f"root{number}") == listing(place / "fallback" / f"root{number}")
    roots = {f"root{number}" for number in range(len(batch))}
    for way in ("openat2", "fallback"):
        assert {entry.name for entry in (place / way).iterdir()} == {"a"} | roots
        assert not any((place / way / "a").iterdir())
