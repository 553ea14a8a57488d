from __future__ import annotations

import pytest

from rkt.schema.names import (
    find_environment_name_problem,
    find_identifier_problem,
    find_name_problem,
    parse_ac_identifier,
    parse_ac_kind,
    parse_ac_name,
)
from rkt.schema.problems import InvalidValueError


@pytest.mark.spec("TYPE-006")
@pytest.mark.parametrize(
    "text", ["a B", "a\n", "a b", "ä", "a#b", "a+b", "a:b", "a@b", "a%b", "a\u0660", "a\uff21", "a\0"]
)
def test_foreign_characters_are_refused(text: str) -> None:
    assert find_identifier_problem(text) == 'may contain only lower-case letters, digits and "-._~/"'
    assert find_name_problem(text) == 'may contain only lower-case letters, digits and "-"'


@pytest.mark.spec("TYPE-004")
def test_the_specifications_own_example_with_a_tilde_is_an_identifier() -> None:
    assert find_identifier_problem("example.com/~user/app_v1") is None
    for text in ("a/~", "~a", "a/~~b", "a~/b", "a/~/b", "a//~b", "a-~b"):
        assert find_identifier_problem(text) is not None, text


@pytest.mark.spec("TYPE-011")
@pytest.mark.parametrize("text", ["a--b", "a---b"])
def test_hyphens_in_a_row_are_refused(text: str) -> None:
    assert find_name_problem(text) == 'must not have two of "-" in a row'


@pytest.mark.spec("IMG-034")
def test_environment_names() -> None:
    for text in ("A", "_", "a.b-c", "_0"):
        assert find_environment_name_problem(text) is None
    for text in ("", "0a", ".a", "-a", "a b", "a=b", "ä", "a\n", "a\0"):
        assert find_environment_name_problem(text) is not None, text


def test_parsers_return_what_is_right_and_name_what_is_wrong() -> None:
    assert parse_ac_identifier("a/b") == "a/b"
    assert parse_ac_name("a-b") == "a-b"
    assert parse_ac_kind("PodManifest") == "PodManifest"
    with pytest.raises(InvalidValueError) as caught:
        parse_ac_name("A" * 500)
    assert caught.value.code == "invalid-value"
    assert str(caught.value).startswith('bad AC name "AAA')
    assert len(str(caught.value)) < 200
