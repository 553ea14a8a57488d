from __future__ import annotations

import pytest

from rkt.schema.problems import InvalidValueError
from rkt.schema.quantity import Quantity, find_quantity_problem, parse_quantity


@pytest.mark.spec("TYPE-052")
def test_both_spellings_of_kilo_are_read_and_one_is_written() -> None:
    assert parse_quantity("1K") == parse_quantity("1k")
    assert str(parse_quantity("1K")) == "1k"


@pytest.mark.spec("TYPE-054")
def test_small_quantities() -> None:
    assert parse_quantity("0.3").milli == parse_quantity("300m").milli == 300
    assert parse_quantity("300m").base == 1


@pytest.mark.spec("TYPE-055")
def test_one_value_in_three_spellings() -> None:
    assert {parse_quantity(text).base for text in ("128974848", "125952Ki", "123Mi")} == {128974848}


@pytest.mark.spec("TYPE-050")
def test_quantities_are_exact_where_floating_point_is_not() -> None:
    assert parse_quantity("0.1").nano * 3 == parse_quantity("0.3").nano
    assert parse_quantity("9007199254740993").base == 9007199254740993
    assert parse_quantity("1E").base == 10**18
    assert parse_quantity("1e999").base == 10**999


@pytest.mark.spec("TYPE-058")
@pytest.mark.parametrize(
    ("text", "canonical"), [("1.5Gi", "1536Mi"), ("1000Ki", "1000Ki"), ("-1024Mi", "-1Gi"), ("1e0", "1"), ("5.", "5")]
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert str(parse_quantity(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "+", ".", "k", "Ki", "e3", "1 ", " 1", "1k ", "1kk", "1e", "1e+", "1e1.5", "1ki", "1g", "1_000"),
        *("0x10", "٣", "\uff11", "1e1000", "1e-1000", "1e99999999999", "1" * 200, "NaN", "inf", "1.2.3", "--1", "1E3i"),
    ],
)
def test_what_is_not_a_quantity(text: str) -> None:
    assert find_quantity_problem(text) is not None
    with pytest.raises(InvalidValueError):
        parse_quantity(text)


def test_rounding_is_away_from_zero() -> None:
    assert (parse_quantity("1.1").base, parse_quantity("-1.1").base) == (2, -2)
    assert parse_quantity("1e-10") == Quantity(nano=1, family="exponent")
    assert parse_quantity("-1e-999").nano == -1
    assert parse_quantity("-9Ei").base == -((1 << 63) - 1)
