"""Manifests and JSON documents on stdout: nothing is lost, and nothing steers the terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkt.cli.json_text import escape_unprintable, indent_json
from rkt.cli.manifest_output import write_manifest
from rkt.cli.output import write_json

HOSTILE = "a\u009b31m\u202e\x7f\u2066\ue000\U000e0041b\u00a0é😀"
VISIBLE = '"a\\u009b31m\\u202e\\u007f\\u2066\\ue000\\udb40\\udc41b\\u00a0é😀"'


def test_a_pretty_manifest_holds_no_byte_that_steers_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    write_manifest(json.dumps({"x": HOSTILE}, ensure_ascii=False).encode(), pretty=True)
    assert capfd.readouterr().out == f'{{\n\t"x": {VISIBLE}\n}}\n'


@pytest.mark.parametrize("pretty", [True, False])
def test_a_json_document_holds_no_byte_that_steers_a_terminal(capfd: pytest.CaptureFixture[str], pretty: bool) -> None:
    write_json([HOSTILE], pretty=pretty)
    output = capfd.readouterr().out
    assert VISIBLE in output
    assert json.loads(output) == [HOSTILE]


def test_numbers_are_printed_as_they_were_written(capfd: pytest.CaptureFixture[str]) -> None:
    numbers = ["1e400", "1.10", "-0", "1" * 5000, "0.1E+5"]
    write_manifest(("[" + ",".join(numbers) + "]").encode(), pretty=True)
    assert capfd.readouterr().out.split() == ["[", *(f"{number}," for number in numbers[:-1]), numbers[-1], "]"]


def test_a_plain_manifest_is_printed_byte_for_byte(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_manifest(b'{ "x" :"\xc2\x9b", "y":1e400}', pretty=False)
    assert capfdbinary.readouterr().out == b'{ "x" :"\xc2\x9b", "y":1e400}\n'


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON_VALUES, st.sampled_from([None, 0, 3, "\t", "\r\n "]), st.booleans())
def test_indenting_is_what_json_makes_whatever_the_input_looks_like(
    value: object, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert indent_json(text) == json.dumps(value, indent="\t", ensure_ascii=ascii_only)


@given(st.text())
def test_escaped_text_is_printable_and_means_the_same(text: str) -> None:
    document = json.dumps(text, ensure_ascii=False)
    escaped = escape_unprintable(document)
    assert json.loads(escaped) == text
    assert all(unicodedata.category(character)[0] not in "CZ" or character == " " for character in escaped)
