"""The trust border: what is JSON to a lenient parser and is refused here (security goals J1 to J5)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rkt.schema.json_reader import DEPTH_LIMIT, SIZE_LIMIT, JSONNumber, decode_json
from rkt.schema.problems import ManifestError


def _message(data: bytes) -> str:
    with pytest.raises(ManifestError) as caught:
        decode_json(data, source="test")
    return str(caught.value)


@pytest.mark.spec("ACI-034", "ACI-035")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "invalid test: line 1, column 1: expecting value"),
        (b"{", "invalid test: line 1, column 2: expecting property name enclosed in double quotes"),
        (b'{"a":1} x', "invalid test: line 1, column 9: extra data"),
        (b'{\n"a":1,\n"b"}', "invalid test: line 3, column 4: expecting ':' delimiter"),
        (b"\xef\xbb\xbf{}", "invalid test: line 1, column 1: starts with a byte order mark"),
        (b'{"a":\n "\xff"}', "invalid test: line 2, column 3: is not UTF-8 text"),
        (b"{}\0", "invalid test: line 1, column 3: extra data"),
    ],
)
def test_bad_syntax_is_located(data: bytes, message: str) -> None:
    assert _message(data).startswith(message)


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_constants_that_json_lacks_are_refused(word: bytes) -> None:
    assert _message(b'{"a":[' + word + b"]}") == f"invalid test: {word.decode()} is not a JSON value"


@pytest.mark.parametrize(
    "data", ["{}".encode("utf-16"), b"\x00", b"nul", b"'a'", b"{a:1}", b"[1,]", b"01", b"+1", b".5"]
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    _message(data)


def test_every_repeated_member_is_reported_with_its_path() -> None:
    message = _message(b'{"a":{"x":1,"x":2,"x":3},"b":[{"y":1,"y":1}],"b":[{"y":1,"y":1}]}')
    assert message == (
        "invalid test: b: is given more than once; a.x: is given more than once; b[0].y: is given more than once"
    )


@pytest.mark.parametrize(
    "data", [rb'{"a":{"b":["\ud800"]}}', rb'{"a":{"b":["\udc00\ud800"]}}', rb'{"a":{"b":["x\uDFFF"]}}']
)
def test_lone_surrogates_are_reported_with_their_path(data: bytes) -> None:
    assert _message(data) == "invalid test: a.b[0]: holds half of a surrogate pair, which is not a character"


def test_a_lone_surrogate_in_a_name_is_refused_and_a_pair_is_not() -> None:
    assert "member's name" in _message(rb'{"\ud800":1}')
    assert decode_json(rb'{"\ud83d\ude00":"\ud83d\ude00"}', source="test") == {"\U0001f600": "\U0001f600"}


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 1, 1000, 100_000, 400_000, 3_000_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused(depth: int, opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    data = opening * depth + b"1" + closing * depth
    assert len(data) > SIZE_LIMIT or _message(data) == "invalid test: is nested deeper than 64 levels"
    assert len(data) <= SIZE_LIMIT or "is larger than 4 MiB" in _message(data)


def test_nesting_up_to_the_limit_is_read() -> None:
    decode_json(b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, source="test")


@pytest.mark.spec("ACI-036")
def test_an_oversized_document_is_refused_before_it_is_parsed() -> None:
    assert _message(b"{" * (SIZE_LIMIT + 1)) == "invalid test: is larger than 4 MiB, the most that rkt reads"


def test_numbers_keep_their_text() -> None:
    digits = "9" * 5000
    assert len(digits) > sys.get_int_max_str_digits() > 0
    value = decode_json(f"[1, -1, 18446744073709551615, {digits}, 80.0, 1e400, -0, 1E2]".encode(), source="test")
    assert value == [1, -1, (1 << 64) - 1, *map(JSONNumber, (digits, "80.0", "1e400", "-0", "1E2"))]


def test_a_number_is_equal_by_text_only() -> None:
    assert JSONNumber("1.0") != JSONNumber("1.00")
    assert hash(JSONNumber("1.0")) == hash(JSONNumber("1.0"))
    assert repr(JSONNumber("1.0")) == "JSONNumber('1.0')"


@pytest.mark.parametrize("data", ["{", "[1", '{"a":1,}', "nul", '["a', "{} x", ""])
def test_bad_syntax_is_located_where_json_was_never_imported(data: str) -> None:
    """A fresh process: in this one pytest has imported everything."""
    program = (
        "import sys\n"
        "from rkt.schema.json_reader import decode_json\n"
        "from rkt.schema.problems import ManifestError\n"
        "try: decode_json(sys.argv[1].encode(), source='test')\n"
        "except ManifestError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-I", "-c", program, data], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("invalid test: line 1, column ")


def test_many_small_members_are_read_in_good_time() -> None:
    data = b"[" + b",".join([b'{"name":"a","value":""}'] * 160_000) + b"]"
    assert len(data) < SIZE_LIMIT
    value = decode_json(data, source="test")
    assert isinstance(value, list)
    assert len(value) == 160_000
