from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rkt.schema.image import ImageManifest, decode_image_manifest, encode_image_manifest
from rkt.schema.problems import ManifestError

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]


@pytest.mark.spec("IMG-001", "IMG-002", "IMG-003", "TYPE-015", "TYPE-020")
@pytest.mark.parametrize(
    ("members", "problems"),
    [
        ({"acKind": None}, ["acKind: is required"]),
        ({"acKind": "imagemanifest"}, ['acKind: must be "ImageManifest", not "imagemanifest"']),
        ({"acKind": ["ImageManifest"]}, ["acKind: must be a string, not a list"]),
        ({"acVersion": None}, ["acVersion: is required"]),
        ({"acVersion": 1}, ["acVersion: must be a string, not a number"]),
        ({"acVersion": "0.0.0"}, ["acVersion: must not be zero"]),
        ({"acVersion": "x", "acKind": "y", "name": "Z"}, ["acVersion: must be", 'acKind: must be "ImageManifest"']),
        ({"name": None}, ["name: is required"]),
        ({"name": ""}, ["name: must not be empty"]),
        ({"name": 1, "labels": 1}, ["name: must be a string, not a number", "labels: must be a list, not a number"]),
        ({"acVersion": "1.0.0"}, ["acVersion: is of another major series than 0.8.11"]),
    ],
)
def test_the_header_is_checked(image: Build, members: dict[str, object], problems: list[str]) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_image_manifest(image(**members), source="manifest of x")
    assert len(caught.value.problems) == len(problems)
    for found, expected in zip(caught.value.problems, problems, strict=True):
        assert str(found).startswith(expected)
    assert str(caught.value).startswith("invalid manifest of x: ")
    assert caught.value.exit_status == 254


@pytest.mark.spec("TYPE-023")
@pytest.mark.parametrize("version", ["0.8.0", "0.8.11-dev+git", "0.8.12", "0.9.0", "0.99.0"])
def test_every_version_of_the_series_is_read_and_kept(image: Build, version: str) -> None:
    manifest = decode_image_manifest(image(acVersion=version))
    assert manifest.ac_version == manifest.original_version == version
    assert f'"acVersion":"{version}"'.encode() in encode_image_manifest(manifest)


@pytest.mark.parametrize(
    ("data", "kind"), [(b"[]", "a list"), (b"null", "null"), (b'""', "a string"), (b"1", "a number")]
)
def test_a_manifest_is_an_object(data: bytes, kind: str) -> None:
    with pytest.raises(ManifestError, match=f"invalid image manifest: must be a JSON object, not {kind}"):
        decode_image_manifest(data)


@pytest.mark.spec("IMG-067", "IMG-068", "IMG-069")
def test_path_whitelist(image: Build, find_problems: FindProblems) -> None:
    assert decode_image_manifest(image(pathWhitelist=["/a", "/b/"])).path_whitelist == ("/a", "/b/")
    assert decode_image_manifest(image(pathWhitelist=[])) == decode_image_manifest(image())
    assert find_problems(image(pathWhitelist=["/a", "b", "", 1, "/\0"])) == [
        "pathWhitelist[1]: must be an absolute path",
        "pathWhitelist[2]: must not be empty",
        "pathWhitelist[3]: must be a string, not a number",
        "pathWhitelist[4]: must not contain a NUL character",
    ]


@pytest.mark.spec("IMG-081")
def test_unknown_members_are_kept_at_every_level(image: Build) -> None:
    data = image(
        zz={"a": [1.50, "<"]},
        labels=[{"name": "a", "value": "b", "x": 1}],
        app={"user": "0", "group": "0", "y": None, "ports": [{"name": "p", "protocol": "t", "port": 1, "z": {}}]},
        dependencies=[{"imageName": "a", "root": "/"}],
    )
    manifest = decode_image_manifest(data)
    encoded = encode_image_manifest(manifest)
    for part in (
        *(b'"zz":{"a":[1.5,"\\u003c"]}}', b'{"name":"a","value":"b","x":1}', b'"group":"0","ports":', b',"y":null}'),
        *(b'"socketActivated":false,"z":{}}', b'{"imageName":"a","root":"/"}'),
    ):
        assert part in encoded
    assert decode_image_manifest(encoded) == manifest


@pytest.mark.spec("IMG-082")
def test_null_is_absent(image: Build) -> None:
    nothing = dict.fromkeys(("labels", "app", "annotations", "dependencies", "pathWhitelist"))
    assert decode_image_manifest(image(**nothing)) == decode_image_manifest(image())


@pytest.mark.spec("IMG-006")
def test_two_images_may_have_one_name(image: Build) -> None:
    one, two = (decode_image_manifest(image(labels=[{"name": "version", "value": v}])) for v in "12")
    assert one.name == two.name
    assert one != two


def test_every_problem_is_reported_at_once(image: Build) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_image_manifest(image(name="A", app={"exec": [1], "mountPoints": [{"name": "a", "path": "/a"}, {}]}))
    assert [problem.path for problem in caught.value.problems] == [
        *("name", "app.exec[0]", "app.user", "app.group", "app.mountPoints[1].name", "app.mountPoints[1].path"),
    ]


def test_a_message_stays_short_whatever_the_manifest_holds(image: Build) -> None:
    labels: list[object] = [{"name": "A" * 10_000, "value": ""}] * 10 + [{"name": {}}] * 300
    with pytest.raises(ManifestError) as caught:
        decode_image_manifest(image(labels=labels, app={"user": "0", "group": "0", "userLabels": {"k" * 10_000: 1}}))
    assert len(caught.value.problems) > 300
    assert len(str(caught.value)) < 4000
    assert str(caught.value).endswith("more problems")


def test_a_hostile_manifest_is_given_up_after_a_thousand_problems(app_image: Build) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_image_manifest(app_image(isolators=[1] * 400_000))
    assert len(caught.value.problems) == 1000


def test_the_lenient_switch_accepts_what_the_original_accepts(image: Build, find_problems: FindProblems) -> None:
    data = image(name="example.com/a--b", labels=[{"name": "x..y", "value": ""}])
    assert len(find_problems(data)) == 2
    assert decode_image_manifest(data, lenient=True).name == "example.com/a--b"
    for name in ("A", "", "a/../b", "a/./b", ".."):
        with pytest.raises(ManifestError):
            decode_image_manifest(image(name=name), lenient=True)


def test_canonical_bytes_have_the_order_and_form_of_the_original(image: Build) -> None:
    app = {
        "userLabels": {"b": "1", "a": "2"},
        "userAnnotations": {"x": "<"},
        "isolators": [{"value": {"limit": "1G"}, "name": "resource/memory"}],
        "ports": [{"port": 80, "protocol": "tcp", "name": "p"}],
        "mountPoints": [{"readOnly": False, "path": "/m", "name": "m"}],
        "environment": [{"value": "&", "name": "E"}],
        "workingDirectory": "/w",
        "supplementaryGIDs": [5, 4],
        "group": "g",
        "user": "u",
        "eventHandlers": [{"name": "post-stop"}, {"exec": ["/h"], "name": "pre-start"}],
        "exec": ["/e", "é"],
    }
    data = image(
        pathWhitelist=["/"],
        dependencies=[{"size": 1, "labels": [{"value": "v", "name": "l"}], "imageName": "d"}],
        annotations=[{"value": "v", "name": "a"}],
        app=app,
        labels=[{"value": "linux", "name": "os"}],
    )
    assert encode_image_manifest(decode_image_manifest(data)).decode() == (
        '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/app",'
        '"labels":[{"name":"os","value":"linux"}],'
        '"app":{"exec":["/e","é"],'
        '"eventHandlers":[{"name":"post-stop","exec":null},{"name":"pre-start","exec":["/h"]}],'
        '"user":"u","group":"g","supplementaryGIDs":[5,4],"workingDirectory":"/w",'
        '"environment":[{"name":"E","value":"\\u0026"}],"mountPoints":[{"name":"m","path":"/m"}],'
        '"ports":[{"name":"p","protocol":"tcp","port":80,"count":1,"socketActivated":false}],'
        '"isolators":[{"name":"resource/memory","value":{"limit":"1G"}}],'
        '"userAnnotations":{"x":"\\u003c"},"userLabels":{"a":"2","b":"1"}},'
        '"annotations":[{"name":"a","value":"v"}],'
        '"dependencies":[{"imageName":"d","labels":[{"name":"l","value":"v"}],"size":1}],"pathWhitelist":["/"]}'
    )


def test_a_manifest_can_be_made_from_values() -> None:
    manifest = ImageManifest(name="example.com/app")
    assert json.loads(encode_image_manifest(manifest)) == {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/app",
    }
    assert decode_image_manifest(encode_image_manifest(manifest)) == manifest


def test_text_that_is_not_unicode_cannot_be_written() -> None:
    with pytest.raises(ManifestError, match="holds text that is not Unicode"):
        encode_image_manifest(ImageManifest(name="a\udcff"))
