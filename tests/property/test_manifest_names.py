"""Names, quantities, versions, timestamps against the specification's expressions and exact arithmetic as oracles."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rkt.schema.migration.rules import find_old_identifier_problem
from rkt.schema.names import (
    find_environment_name_problem,
    find_identifier_problem,
    find_name_problem,
    sanitize_ac_identifier,
    sanitize_ac_name,
)
from rkt.schema.pod_uuid import parse_uuid
from rkt.schema.problems import InvalidValueError
from rkt.schema.quantity import find_quantity_problem, parse_quantity
from rkt.schema.timestamp import find_timestamp_problem
from rkt.schema.version import find_version_problem

name_text = st.text("ab0-._~/A #\né", max_size=8)


@pytest.mark.spec("TYPE-004")
@given(name_text)
@example("a\n")
def test_identifiers_are_what_the_expression_says(text: str) -> None:
    """Apart from ``/~``, which the specification's own example has."""
    expected = re.fullmatch(r"[a-z0-9]+([-._~/][a-z0-9]+)*", text.replace("/~", "/")) is not None
    assert (find_identifier_problem(text) is None) == expected


@pytest.mark.spec("TYPE-011")
@given(name_text)
def test_names_are_what_the_expression_says(text: str) -> None:
    assert (find_name_problem(text) is None) == (re.fullmatch(r"[a-z0-9]+([-][a-z0-9]+)*", text) is not None)


@pytest.mark.spec("IMG-034")
@given(st.text("aZ_0.-= \nü", max_size=5))
def test_environment_names_are_what_the_expression_says(text: str) -> None:
    expected = re.fullmatch(r"[A-Za-z_][A-Za-z_0-9.-]*", text) is not None
    assert (find_environment_name_problem(text) is None) == expected


@given(st.text(max_size=12))
def test_what_was_sanitized_is_a_name_and_stays_itself(text: str) -> None:
    for sanitize, find in ((sanitize_ac_identifier, find_identifier_problem), (sanitize_ac_name, find_name_problem)):
        try:
            clean = sanitize(text)
        except InvalidValueError:
            assert not re.search(r"[a-z0-9]", text.lower())
        else:
            assert find(clean) is None
            assert sanitize(clean) == clean


@given(name_text)
def test_every_identifier_of_today_was_one_before(text: str) -> None:
    if find_identifier_problem(text) is None:
        assert find_old_identifier_problem(text) is None


@pytest.mark.spec("TYPE-018")
@given(st.text("01.-+av", max_size=10) | st.from_regex(r"[0-9]\.[0-9]{1,2}\.[0-9](-[a-z.0]{1,3})?(\+[.a0]{1,3})?"))
def test_versions_are_what_semver_says(text: str) -> None:
    number = r"(0|[1-9]\d*)"
    part = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
    pattern = rf"{number}\.{number}\.{number}(-{part}(\.{part})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
    expected = re.fullmatch(pattern, text, re.ASCII) is not None and text != "0.0.0"
    assert (find_version_problem(text) is None) == expected


SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
    **{f"e{power}": Fraction(10) ** power for power in (-12, -9, -3, 0, 1, 5, 18)},
}


@pytest.mark.spec("TYPE-050", "TYPE-057", "TYPE-058")
@given(
    st.from_regex(r"[+-]?([0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,12})", fullmatch=True).filter(str.isascii),
    st.sampled_from(sorted(SUFFIXES)),
)
def test_quantities_are_exact(number: str, suffix: str) -> None:
    whole, _, fraction = number.lstrip("+-").partition(".")
    exact = Fraction(int(whole + fraction or "0"), 10 ** len(fraction)) * SUFFIXES[suffix] * 10**9
    expected = -(-exact.numerator // exact.denominator)
    if suffix.endswith("i"):
        expected = min(expected, ((1 << 63) - 1) * 10**9)
    quantity = parse_quantity(number + suffix)
    assert quantity.nano == (-expected if number.startswith("-") else expected)
    if not suffix.endswith("i"):
        assert parse_quantity(str(quantity)).nano == quantity.nano
    assert str(parse_quantity(str(quantity))) == str(quantity)


@given(st.text("0123456789+-.eEkKmMGiu ٣", max_size=10))
def test_any_text_is_a_quantity_or_explained(text: str) -> None:
    why = find_quantity_problem(text)
    if why is None:
        assert parse_quantity(text).nano == parse_quantity(text).nano
    else:
        with pytest.raises(InvalidValueError, match=re.escape(why)):
            parse_quantity(text)


@pytest.mark.spec("TYPE-033")
@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_what_python_writes_is_a_timestamp(moment: datetime) -> None:
    written = moment.isoformat()
    if re.fullmatch(r".*[+-]\d\d:\d\d", written):
        assert find_timestamp_problem(written) is None


@pytest.mark.spec("TYPE-033", "TYPE-035")
@given(st.from_regex(r"20[0-2][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9]Z", fullmatch=True))
def test_the_calendar_is_pythons(text: str) -> None:
    if text.isascii():
        try:
            datetime.fromisoformat(text)
        except ValueError:
            assert find_timestamp_problem(text) is not None
        else:
            assert find_timestamp_problem(text) is None


@pytest.mark.spec("TYPE-038")
@given(st.uuids().filter(lambda uuid: uuid.int != 0), st.booleans())
def test_uuids_in_any_case(uuid: object, upper: bool) -> None:
    text = str(uuid).upper() if upper else str(uuid)
    assert parse_uuid(text) == parse_uuid(text.replace("-", "")) == str(uuid)
