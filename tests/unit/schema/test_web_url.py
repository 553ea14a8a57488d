from __future__ import annotations

import pytest

from rkt.schema.web_url import find_url_problem


@pytest.mark.spec("TYPE-037")
@pytest.mark.parametrize(
    "text",
    [
        *("HTTP://a", "https://a:80/b?c#d", "http://user:pw@a/", "http://[::1]:80/", "http://[::1]"),
        *("http://ä.example/ü", "http://a/%20", "http://a?b=://"),
    ],
)
def test_web_urls(text: str) -> None:
    assert find_url_problem(text) is None


@pytest.mark.spec("TYPE-037")
@pytest.mark.parametrize(
    "text",
    [
        *("", "http", "http:", "http:a", "http:/a", "http://", "http:///a", "://a", "//a", "a.com", "mailto:a@b"),
        *("http://a b", "http://a\n", "http://a:b", "http://[::1", "http://[::1]x", "http://a/%2", "http://a/%zz"),
        *("http://<a>", "javascript:alert(1)", "http://a\x7f"),
    ],
)
def test_other_urls(text: str) -> None:
    assert find_url_problem(text) is not None
