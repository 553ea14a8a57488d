from __future__ import annotations

import pytest

from rkt.schema.problems import InvalidValueError
from rkt.schema.text_form import parse_app_reference, parse_mount_point, parse_volume, volume_text
from rkt.schema.volume import Volume


def test_values_of_a_volume_are_literal() -> None:
    volume = parse_volume("v,kind=host,source=/a b%20+=x")
    assert volume == Volume(name="v", kind="host", source="/a b%20+=x")
    assert volume_text(volume) == "v,kind=host,source=/a b%20+=x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'the name "" must not be empty'),
        ("v", "kind is required"),
        ("V,kind=empty", 'the name "V" may contain only'),
        ("v,", '"" must have the form KEY=VALUE'),
        ("v,kind", '"kind" must have the form KEY=VALUE'),
        ("v,=x", '"=x" must have the form KEY=VALUE'),
        ("v,kind=empty,kind=host", '"kind" is given more than once'),
        ("v,kind=empty,name=w", 'unknown parameter "name"'),
        ("v,kind=empty,uid=-1", '"uid" must be a number'),
        ("v,kind=empty,uid=٣", '"uid" must be a number'),
        ("v,kind=empty,uid=4294967295", "uid must be in the range"),
        ("v,kind=empty,mode=9", "mode must be an octal number"),
        ("v,kind=host,source=x", "source must be an absolute path"),
        ("v,kind=empty,readOnly=TRUE", '"readOnly" must be true or false'),
    ],
)
def test_bad_volumes(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_volume(text)
    assert str(caught.value).startswith(f'bad volume "{text}": {message}')


def test_bad_mount_points_say_what_is_missing() -> None:
    with pytest.raises(InvalidValueError, match='bad mount point "a": "path" is required'):
        parse_mount_point("a")
    with pytest.raises(InvalidValueError, match="unknown parameter") as caught:
        parse_mount_point("a,target=/x")
    assert caught.value.hint == "known are: path, readOnly"


@pytest.mark.spec("DISC-034")
def test_app_references() -> None:
    assert parse_app_reference("a:") == ("a", {"version": ""})
    assert parse_app_reference("a,b=c=d") == ("a", {"b": "c=d"})
    for text in ("", ":1", "a,b", "a,B=c", "a:1:2", "a,b=1:2", "a:1,version=2", "a,b=1,b=2", "a,=b", "A"):
        with pytest.raises(InvalidValueError):
            parse_app_reference(text)
