from __future__ import annotations

import pytest

from rkt.fetch.caching import LONGEST_MAX_AGE_SECONDS, is_fresh, parse_etag, parse_max_age
from rkt.store.index import RemoteRecord


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("max-age=60", 60),
        ("public, Max-Age=60, must-revalidate", 60),
        ('max-age="60"', 60),
        ("max-age=60, no-cache", 0),
        ("no-store, max-age=60", 0),
        ("max-age=-1", 0),
        ("max-age=", 0),
        ("max-age=abc", 0),
        ("max-age=²", 0),
        ("s-maxage=60", 0),
        ("max-age=99999999999999999999999999", LONGEST_MAX_AGE_SECONDS),
        ("max-age=" + "9" * 5000, LONGEST_MAX_AGE_SECONDS),
    ],
)
def test_max_age(header: str, seconds: int) -> None:
    assert parse_max_age(header) == seconds


@pytest.mark.parametrize(
    ("etag", "cache_control", "kept"),
    [
        ('"abc"', "", '"abc"'),
        ('W/"abc"', "max-age=1", 'W/"abc"'),
        ('"abc"', "private, No-Store", ""),
        ("x" * 2000, "", ""),
        ('"a\r\nHost: evil"', "", ""),
    ],
)
def test_etags_that_can_be_sent_back_are_kept(etag: str, cache_control: str, kept: str) -> None:
    assert parse_etag(etag, cache_control=cache_control) == kept


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (59, True), (60, False), (-1, False), (-(10**9), False)])
def test_a_download_is_fresh_for_its_max_age_and_never_from_the_future(age: int, fresh: bool) -> None:
    remote = RemoteRecord(url="u", key="k", max_age=60, download_time=1_700_000_000)
    assert is_fresh(remote, now=1_700_000_000 + age) == fresh
