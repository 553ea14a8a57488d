from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.image import decode_image_manifest, encode_image_manifest

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]

HANDLER = {"name": "pre-start", "exec": ["/h"]}
PORT = {"name": "p", "protocol": "tcp", "port": 80}


@pytest.mark.spec("IMG-016", "IMG-017", "IMG-082")
def test_user_and_group_are_required(image: Build, find_problems: FindProblems) -> None:
    assert find_problems(image(app={})) == ["app.user: is required", "app.group: is required"]
    assert find_problems(image(app={"user": "", "group": 0})) == [
        "app.user: must not be empty",
        "app.group: must be a string, not a number",
    ]


@pytest.mark.spec("IMG-009", "IMG-010", "IMG-030", "ACI-040")
@pytest.mark.parametrize("absent", [{}, {"exec": None, "workingDirectory": None}, {"exec": [], "workingDirectory": ""}])
def test_optional_members_may_be_absent_null_or_empty(image: Build, absent: dict[str, object]) -> None:
    app = decode_image_manifest(image(app={"user": "0", "group": "0", **absent})).app
    assert app is not None
    assert (app.exec, app.working_directory, app.event_handlers, app.environment) == ((), "", (), ())
    assert decode_image_manifest(image()).app is None


@pytest.mark.spec("IMG-022", "IMG-024", "IMG-041", "IMG-042", "IMG-043", "IMG-044", "IMG-046", "IMG-047", "IMG-048")
@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"exec": "/a"}, "exec: must be a list, not a string"),
        ({"exec": ["/a", None]}, "exec[1]: must be a string, not null"),
        ({"exec": ["a\0b"]}, "exec[0]: must not contain a NUL character"),
        ({"workingDirectory": "a"}, "workingDirectory: must be an absolute path"),
        ({"workingDirectory": "/a\0"}, "workingDirectory: must not contain a NUL character"),
        ({"user": "a\0"}, "user: must not contain a NUL character"),
        ({"supplementaryGIDs": [1, -1]}, "supplementaryGIDs[1]: must be in the range 0 to 4294967294"),
        ({"supplementaryGIDs": [True]}, "supplementaryGIDs[0]: must be an integer, not a boolean"),
        ({"supplementaryGIDs": [1.0]}, "supplementaryGIDs[0]: must be an integer in the range 0 to 4294967294"),
        ({"supplementaryGIDs": [1 << 32]}, "supplementaryGIDs[0]: must be in the range 0 to 4294967294"),
        ({"eventHandlers": {}}, "eventHandlers: must be a list, not an object"),
        ({"eventHandlers": [{}]}, "eventHandlers[0].name: is required"),
        ({"eventHandlers": [{**HANDLER, "exec": "/h"}]}, "eventHandlers[0].exec: must be a list, not a string"),
        ({"eventHandlers": [HANDLER, HANDLER]}, 'eventHandlers[1].name: "pre-start" is given more than once'),
        ({"mountPoints": [{"path": "/a"}]}, "mountPoints[0].name: is required"),
        ({"mountPoints": [{"name": "a"}]}, "mountPoints[0].path: is required"),
        ({"mountPoints": [{"name": "a", "path": ""}]}, "mountPoints[0].path: must not be empty"),
        ({"mountPoints": [{"name": "a.b", "path": "/a"}]}, "mountPoints[0].name: may contain only"),
        ({"mountPoints": [{"name": "a", "path": "/a", "readOnly": "true"}]}, "mountPoints[0].readOnly: must be true"),
        ({"ports": [{**PORT, "name": None}]}, "ports[0].name: is required"),
        ({"ports": [{**PORT, "protocol": None}]}, "ports[0].protocol: is required"),
        ({"ports": [{**PORT, "port": "80"}]}, "ports[0].port: must be an integer, not a string"),
        ({"ports": [{**PORT, "port": None}]}, "ports[0].port: is required"),
        ({"ports": [{**PORT, "port": 80.0}]}, "ports[0].port: must be an integer in the range 1 to 65535"),
        ({"ports": [{**PORT, "port": True}]}, "ports[0].port: must be an integer, not a boolean"),
        ({"ports": [{**PORT, "port": 0}]}, "ports[0].port: must be in the range 1 to 65535"),
        ({"ports": [{**PORT, "count": 0}]}, "ports[0].count: must be in the range 1 to"),
        ({"ports": [{**PORT, "port": 65535, "count": 2}]}, "ports[0].count: makes the range end at 65536"),
        ({"ports": [{**PORT, "socketActivated": 1}]}, "ports[0].socketActivated: must be true or false"),
        ({"environment": {"A": "b"}}, "environment: must be a list, not an object"),
        ({"environment": [{"name": "A", "value": "\0"}]}, "environment[0].value: must not contain a NUL"),
        ({"userAnnotations": {"a": 1}}, "userAnnotations.a: must be a string, not a number"),
        ({"userLabels": []}, "userLabels: must be a JSON object, not a list"),
    ],
)
def test_bad_members(app_image: Build, find_problems: FindProblems, members: dict[str, object], problem: str) -> None:
    (found,) = find_problems(app_image(**members))
    assert found.startswith(f"app.{problem}")


@pytest.mark.spec("IMG-049", "IMG-052", "IMG-053", "IMG-054", "IMG-055")
def test_ports(app_image: Build) -> None:
    ports = [PORT, {**PORT, "name": "q", "protocol": "quic", "port": 65535, "socketActivated": True}]
    app = decode_image_manifest(app_image(ports=ports)).app
    assert app is not None
    first, second = app.ports
    assert (first.port, first.count, first.socket_activated) == (80, 1, False)
    assert (second.protocol, second.port, second.socket_activated) == ("quic", 65535, True)


@pytest.mark.spec("IMG-022", "IMG-081")
def test_member_names_match_whatever_their_case_and_come_out_canonical(app_image: Build) -> None:
    data = app_image(supplementaryGids=[1, 2], MOUNTPOINTS=[{"NAME": "a", "Path": "/a", "readonly": True}])
    manifest = decode_image_manifest(data)
    assert manifest.app is not None
    assert manifest.app.supplementary_gids == (1, 2)
    encoded = encode_image_manifest(manifest)
    assert b'"supplementaryGIDs":[1,2]' in encoded
    assert b'"mountPoints":[{"name":"a","path":"/a","readOnly":true}]' in encoded


def test_two_spellings_of_one_member_are_refused(app_image: Build, find_problems: FindProblems) -> None:
    assert find_problems(app_image(User="1")) == ["app.user: is given more than once, in different case"]
    long_s = {"U\u017fER": "1"}
    assert find_problems(app_image(**long_s)) == [], "only ASCII case is folded"


@pytest.mark.spec("IMG-036")
def test_environment_values_are_verbatim(app_image: Build) -> None:
    values = ["", "$HOME `x` ${a}", " spaces ", "\n\t", "ünïcode"]
    pairs = [{"name": f"V{index}", "value": value} for index, value in enumerate(values)]
    app = decode_image_manifest(app_image(environment=pairs)).app
    assert app is not None
    assert [variable.value for variable in app.environment] == values


@pytest.mark.spec("IMG-035")
def test_environment_names_are_unique_and_case_counts(app_image: Build, find_problems: FindProblems) -> None:
    def named(*names: str) -> bytes:
        return app_image(environment=[{"name": name, "value": ""} for name in names])

    assert find_problems(named("A", "a")) == []
    assert find_problems(named("A", "A", "")) == [
        "app.environment[2].name: must not be empty",
        'app.environment[1].name: "A" is given more than once',
    ]


@pytest.mark.spec("TYPE-062", "TYPE-063", "IMG-061")
def test_user_maps_belong_to_the_app(image: Build, app_image: Build) -> None:
    app = decode_image_manifest(app_image(userAnnotations={"b": "", "A!": "x"}, userLabels={"": "y"})).app
    assert app is not None
    assert (app.user_annotations, app.user_labels) == ((("A!", "x"), ("b", "")), (("", "y"),))
    outside = decode_image_manifest(image(userLabels={"a": 1}))
    assert outside.unknown == (("userLabels", '{"a":1}'),)
