"""Names of entries: the clean form, and the compact set of those that were seen."""

from __future__ import annotations

import random
import sys

import pytest

from rkt.aci.errors import ArchiveError, ArchiveLimitError
from rkt.aci.names import NameSet, clean_name, clean_whitelist_path, path_in_rootfs


@pytest.mark.spec("ACI-012")
@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (b"manifest", b"manifest"),
        (b"./manifest", b"manifest"),
        (b"rootfs/", b"rootfs"),
        (b"./rootfs//a/./b/", b"rootfs/a/b"),
        (b"rootfs/.hidden", b"rootfs/.hidden"),
        (b".hidden", b".hidden"),
        (b"rootfs/...", b"rootfs/..."),
        (b"rootfs/a\\..\\b", b"rootfs/a\\..\\b"),
        (b"rootfs/\xff\n", b"rootfs/\xff\n"),
        (b".", b""),
        (b"././", b""),
    ],
)
def test_names_are_cleaned(name: bytes, clean: bytes) -> None:
    assert clean_name(name) == clean


@pytest.mark.spec("ACI-009")
@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"/rootfs/a",
        b"/",
        b"//",
        b"..",
        b"../a",
        b"rootfs/..",
        b"rootfs/../a",
        b"rootfs/a/../b",
        b"a\0b",
        b"a/..//b",
    ],
)
def test_names_that_could_lead_out_are_refused(name: bytes) -> None:
    with pytest.raises(ArchiveError):
        clean_name(name)


def test_names_that_linux_cannot_hold_are_over_a_limit() -> None:
    assert clean_name(b"rootfs/" + b"a" * 255) == b"rootfs/" + b"a" * 255
    with pytest.raises(ArchiveLimitError, match="component"):
        clean_name(b"rootfs/" + b"a" * 256)
    deep = b"rootfs" + b"/d" * 2044
    assert len(clean_name(deep)) == 4094
    with pytest.raises(ArchiveLimitError, match="4095"):
        clean_name(deep + b"/d")


@pytest.mark.spec("ACI-008")
def test_rootfs_is_compared_as_a_component() -> None:
    assert path_in_rootfs(b"rootfs") == b""
    assert path_in_rootfs(b"rootfs/a/b") == b"a/b"
    assert path_in_rootfs(b"rootfsx") is None
    assert path_in_rootfs(b"manifest") is None


@pytest.mark.spec("DEP-014")
@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/d/", b"d"),
        ("/d", b"d"),
        ("/", b""),
        ("//a//b/.", b"a/b"),
        ("/a/../b", b"b"),
        ("/../../x", b"x"),
        ("r/s", b"r/s"),
    ],
)
def test_whitelist_paths_are_cleaned_as_text(path: str, clean: bytes) -> None:
    assert clean_whitelist_path(path) == clean


def test_name_set_is_a_set() -> None:
    numbers = random.Random(1)
    names, model = NameSet(), set()
    for _ in range(20_000):
        name = b"%d" % numbers.randrange(10_000)
        assert (name in names) == (name in model)
        assert names.add(name) == (name not in model)
        model.add(name)
    assert len(names) == len(model)


def test_name_set_stays_small() -> None:
    names = NameSet()
    for number in range(100_000):
        names.add(b"rootfs/%d" % number)
    assert sys.getsizeof(names._slots) <= 100_000 * 22
