from __future__ import annotations

import pytest

from rkt.errors import UsageError
from rkt.keys.prefix import parse_prefix, prefixes_of


def test_prefixes_are_whole_segments() -> None:
    assert prefixes_of("example.com/app/worker") == ("example.com", "example.com/app", "example.com/app/worker")
    assert prefixes_of("example.com") == ("example.com",)


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "..", "a/../b", "../a", "A/b", "a/./b", "a/.b", "a\n", "a\0b", "é"]
)
def test_what_is_no_image_name_has_no_prefixes(name: str) -> None:
    assert prefixes_of(name) == ()


@pytest.mark.parametrize("text", ["example.com/app", "example.com/app/*"])
def test_a_star_at_the_end_changes_nothing(text: str) -> None:
    assert parse_prefix(text) == "example.com/app"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://example.com", "must not contain a URL scheme, omit https://"),
        ("..", "invalid --prefix"),
        ("example.com/../../etc", "invalid --prefix"),
        ("/etc", "invalid --prefix"),
        ("*", "invalid --prefix"),
        ("x" * 300, "too long"),
        ("x/" * 600 + "x", "too long"),
    ],
)
def test_a_bad_prefix_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_prefix(text)
