from __future__ import annotations

import pytest

from rkt.schema.problems import InvalidValueError
from rkt.schema.version import RELEASES, find_version_problem, parse_ac_version


@pytest.mark.spec("TYPE-018")
@pytest.mark.parametrize("text", ["0.8.11", "0.8.11+git", "1.0.0-alpha.1+b.01", "1.0.0--", "0.0.1", "0.0.0-a"])
def test_semantic_versions(text: str) -> None:
    assert find_version_problem(text) is None
    assert str(parse_ac_version(text)) == text


@pytest.mark.spec("TYPE-017", "TYPE-018", "TYPE-021")
@pytest.mark.parametrize(
    "text",
    [
        *("", "0.0.0", "1", "1.2", "1.2.3.4", "v1.2.3", " 1.2.3", "1.2.3 ", "1.2.3\n", "01.2.3", "1.02.3", "1.2.03"),
        *("1.2.-3", "1.2.3-", "1.2.3-a..b", "1.2.3-01", "1.2.3-a_b", "1.2.3+", "1.2.3+a_b", "1.2.3+a+b", "1.2.x"),
        *("٣.0.0", "+1.0.0", "1.0.0-ä", "9" * 5000 + ".0.0"),
    ],
)
def test_other_texts(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_ac_version(text)


def test_releases_are_compared_by_number() -> None:
    assert parse_ac_version("0.8.11-dev+x").release == (0, 8, 11)
    assert parse_ac_version("0.8.9").release < parse_ac_version("0.8.11").release
    assert len(RELEASES) == 27
