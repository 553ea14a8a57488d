"""What whitelists keep, and where content goes whose only listed name is a hard link."""

from __future__ import annotations

import pytest

from rkt.aci.errors import ArchiveError
from rkt.aci.whitelist import Selection, plan_moved_content

Links = list[tuple[bytes, bytes]]


def test_no_whitelist_keeps_everything() -> None:
    for selection in (Selection(), Selection([()]), Selection([(), []])):
        assert selection.everything
        assert selection.keeps(b"a/b", directory=False)
        assert selection.lists(b"a")


@pytest.mark.spec("DEP-012", "DEP-014", "DEP-015")
def test_whitelist_keeps_what_it_lists_and_its_parents() -> None:
    selection = Selection([("/a/b/c", "/d/", "/")])
    assert not selection.everything
    assert selection.keeps(b"", directory=True)
    assert selection.keeps(b"a/b/c", directory=False)
    assert selection.keeps(b"a", directory=True) and not selection.lists(b"a")
    assert selection.keeps(b"a/b", directory=True)
    assert not selection.keeps(b"a/b", directory=False)
    assert selection.keeps(b"d", directory=True) and selection.lists(b"d")
    assert not selection.keeps(b"d/x", directory=False)
    assert not selection.keeps(b"a/b/cc", directory=False)
    assert not selection.keeps(b"x", directory=True)


@pytest.mark.spec("DEP-013")
def test_every_whitelist_on_the_path_filters() -> None:
    selection = Selection([("/a/1", "/a/2", "/d"), ("/a/2", "/a/3", "/d/e"), ()])
    assert [number for number in range(4) if selection.keeps(b"a/%d" % number, directory=False)] == [2]
    assert selection.keeps(b"a", directory=True)
    assert selection.keeps(b"d", directory=True) and not selection.lists(b"d")
    assert not selection.keeps(b"d/e", directory=False)


def test_disjoint_whitelists_keep_nothing() -> None:
    selection = Selection([("/a",), ("/b",), ("/a", "/b")])
    assert not selection.everything
    assert not selection.keeps(b"a", directory=False)
    assert not selection.keeps(b"b", directory=True)


def moved(links: Links, *listed: str) -> dict[bytes, bytes]:
    return plan_moved_content(lambda: links, Selection([listed]))


def test_content_moves_to_the_first_listed_link() -> None:
    assert moved([(b"b", b"a"), (b"c", b"a"), (b"d", b"x")], "/c", "/b") == {b"a": b"b"}
    assert moved([(b"b", b"a")], "/a", "/b") == {}
    assert moved([(b"b", b"a")], "/a") == {}


def test_content_moves_along_chains_of_links() -> None:
    assert moved([(b"b", b"a"), (b"c", b"b")], "/c") == {b"a": b"c", b"b": b"c"}
    assert moved([(b"b", b"a"), (b"c", b"b"), (b"d", b"a")], "/c", "/d") == {b"a": b"d", b"b": b"d"}
    assert moved([(b"b", b"a"), (b"c", b"b")], "/c", "/a") == {b"b": b"a"}


def test_endless_chain_is_an_error() -> None:
    chain = [(b"%d" % (number + 1), b"%d" % number) for number in range(40)]
    with pytest.raises(ArchiveError, match="chain"):
        moved(chain, "/40")
    assert moved(chain[:15], "/15")[b"0"] == b"15"
