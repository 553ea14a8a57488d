from __future__ import annotations

import json

import pytest

from rkt.schema.json_reader import JSONNumber
from rkt.schema.json_writer import json_text, list_text, object_text, string_text, strings_text


def test_strings_have_the_escapes_of_the_original() -> None:
    text = '<a href="x">&\u2028\u2029\n\r\t\b\f\0\\/é\x7f\U0001f600'
    assert string_text(text) == (
        r'"\u003ca href=\"x\"\u003e\u0026\u2028\u2029\n\r\t\u0008\u000c\u0000\\/' + 'é\x7f\U0001f600"'
    )
    assert json.loads(string_text(text)) == text


def test_documents_are_compact_and_keep_their_order() -> None:
    value = json.loads('{"b": [1, true, null, {}], "a": {"c": "d"}}')
    assert json_text(value) == '{"b":[1,true,null,{}],"a":{"c":"d"}}'
    assert json_text([JSONNumber("1.50")]) == "[1.50]"


def test_absent_members_are_left_out_and_unknown_ones_come_last() -> None:
    assert object_text((("a", "1"), ("b", None)), (("<", "[1]"),)) == r'{"a":1,"\u003c":[1]}'
    assert list_text(["1", "2"]) == "[1,2]"
    assert strings_text(["a", "b"]) == '["a","b"]'


def test_floats_have_no_place() -> None:
    with pytest.raises(TypeError):
        json_text(1.5)  # type: ignore[arg-type]
