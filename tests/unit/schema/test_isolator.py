from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.image import decode_image_manifest, encode_image_manifest
from rkt.schema.isolator import Isolator, find_isolator
from rkt.schema.json_reader import JSONNumber

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]


@pytest.mark.spec("TYPE-028", "TYPE-029", "TYPE-030", "TYPE-031", "ISO-047")
@pytest.mark.parametrize(
    ("isolator", "problem"),
    [
        ("resource/memory", "app.isolators[0]: must be a JSON object, not a string"),
        ({"value": 1}, "app.isolators[0].name: is required"),
        ({"name": "example.com/x"}, "app.isolators[0].value: is required"),
        ({"name": "resource/memory"}, "app.isolators[0].value: is required"),
        ({"name": "resource/memory", "value": None}, "app.isolators[0].value: is required"),
        ({"name": "Foo", "value": 1}, "app.isolators[0].name: may contain only"),
        ({"name": "os/linux/apparmor-profile", "value": {"profile": ""}}, None),
    ],
)
def test_form(app_image: Build, find_problems: FindProblems, isolator: object, problem: str | None) -> None:
    found = find_problems(app_image(isolators=[isolator]))
    assert (found[0].startswith(problem) and len(found) == 1) if problem else found == []


@pytest.mark.spec("TYPE-032", "TYPE-058", "IMG-040")
@pytest.mark.parametrize(
    "value",
    [
        *("null", "true", "[]", '""', "0", "-0", "1.50", "1e400", "123456789012345678901234567890", '{"b":1,"a":{}}'),
        '{"z":[{"y":1.0},null],"a":"\\u003c"}',
    ],
)
def test_the_value_of_an_unknown_isolator_comes_out_as_it_went_in(app_image: Build, value: str) -> None:
    data = app_image(isolators=["X"]).replace(b'"X"', b'{"name":"example.com/x","value":' + value.encode() + b"}")
    assert f'{{"name":"example.com/x","value":{value}}}'.encode() in encode_image_manifest(decode_image_manifest(data))


@pytest.mark.spec("TYPE-058")
def test_the_value_of_a_known_isolator_is_not_normalised(app_image: Build) -> None:
    value = b'{"limit":"1024Mi","request":1e3,"extra":[1.0]}'
    data = app_image(isolators=["X"]).replace(b'"X"', b'{"name":"resource/memory","value":' + value + b"}")
    assert value in encode_image_manifest(decode_image_manifest(data))


def test_a_value_is_decoded_anew_at_each_access() -> None:
    isolator = Isolator(name="a", value={"b": [JSONNumber("1.0")]})
    first = isolator.value
    assert isinstance(first, dict)
    first.clear()
    assert isolator.value == {"b": [JSONNumber("1.0")]}
    assert isolator.replace(name="c").text == isolator.text
    assert isolator != Isolator(name="a", value={"b": [JSONNumber("1.00")]})


@pytest.mark.spec("IMG-039")
def test_the_last_of_several_counts() -> None:
    isolators = [Isolator(name="a", value=1), Isolator(name="b", value=2), Isolator(name="a", value=3)]
    assert find_isolator(isolators, "a") is isolators[2]
    assert find_isolator(isolators, "c") is None


@pytest.mark.spec("ISO-017", "ISO-037")
def test_exclusive_sets_are_reported_at_the_second(app_image: Build, find_problems: FindProblems) -> None:
    for kind, entry in (("capabilities", "CAP_KILL"), ("seccomp", "reboot")):
        names = [f"os/linux/{kind}-{which}-set" for which in ("retain", "remove")]
        isolators = [{"name": name, "value": {"set": [entry]}} for name in names]
        assert find_problems(app_image(isolators=isolators)) == [
            f"app.isolators[1]: {names[1]} cannot be combined with {names[0]}"
        ]


@pytest.mark.spec("POD-033", "ISO-028", "ISO-067")
def test_pod_isolators(pod: Build, find_problems: FindProblems) -> None:
    selinux = {"name": "os/linux/selinux-context", "value": {"user": "u", "role": "r", "type": "t", "level": "l"}}
    sysctl = {"name": "os/unix/sysctl", "value": {}}
    assert find_problems(pod(isolators=[selinux, sysctl, {"name": "x/y", "value": None}])) == []
    assert find_problems(pod(isolators=[selinux, sysctl, selinux, sysctl])) == [
        "isolators[2]: os/linux/selinux-context is allowed once for each pod",
        "isolators[3]: os/unix/sysctl is allowed once for each pod",
    ]
    assert find_problems(pod(isolators=[{"name": "resource/memory", "value": {"limit": "zz"}}])) != []
