"""Wrong values put anywhere into a manifest: an error that names the place, or nothing; never another exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.schema.image import decode_image_manifest, encode_image_manifest
from rkt.schema.kind import decode_kind
from rkt.schema.pod import decode_pod_manifest, encode_pod_manifest
from rkt.schema.problems import ManifestError
from rkt.schema.version import RELEASES

FULL_ID = "sha512-" + "ab" * 64
APP: dict[str, Any] = {
    "exec": ["/a", "b"],
    "eventHandlers": [{"name": "pre-start", "exec": ["/h"]}],
    "user": "0",
    "group": "0",
    "supplementaryGIDs": [1],
    "workingDirectory": "/w",
    "environment": [{"name": "E", "value": "v"}],
    "mountPoints": [{"name": "m", "path": "/m", "readOnly": True}],
    "ports": [{"name": "p", "protocol": "tcp", "port": 80, "count": 2, "socketActivated": True}],
    "isolators": [
        {"name": "resource/memory", "value": {"request": "1G", "limit": "2G"}},
        {"name": "resource/block-iops", "value": {"default": True, "limit": "1"}},
        {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}},
        {"name": "os/linux/seccomp-remove-set", "value": {"set": ["reboot"], "errno": "EPERM"}},
        {"name": "os/linux/no-new-privileges", "value": True},
        {"name": "os/linux/oom-score-adj", "value": 1},
        {"name": "os/linux/cpu-shares", "value": 100},
        {"name": "os/linux/selinux-context", "value": {"user": "u", "role": "r", "type": "t", "level": "l"}},
        {"name": "os/unix/sysctl", "value": {"net.x": "1"}},
    ],
    "userAnnotations": {"a": "b"},
    "userLabels": {"a": "b"},
}
IMAGE: dict[str, Any] = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/app",
    "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}],
    "app": APP,
    "annotations": [{"name": "created", "value": "2014-10-27T19:32:27Z"}, {"name": "homepage", "value": "http://a"}],
    "dependencies": [{"imageName": "a", "imageID": FULL_ID, "labels": [{"name": "os", "value": "linux"}], "size": 1}],
    "pathWhitelist": ["/a"],
}
POD: dict[str, Any] = {
    "acVersion": "0.8.11",
    "acKind": "PodManifest",
    "apps": [
        {
            "name": "a",
            "image": {"name": "example.com/app", "id": FULL_ID, "labels": [{"name": "x", "value": "y"}]},
            "app": APP,
            "readOnlyRootFS": True,
            "mounts": [{"volume": "v", "path": "/m", "appVolume": {"name": "w", "kind": "empty", "mode": "0700"}}],
            "annotations": [{"name": "a", "value": "b"}],
        }
    ],
    "volumes": [
        {"name": "v", "kind": "host", "source": "/s", "readOnly": True, "recursive": True},
        {"name": "e", "kind": "empty", "mode": "0755", "uid": 1, "gid": 2},
    ],
    "isolators": [{"name": "resource/memory", "value": {"limit": "1G"}}],
    "annotations": [{"name": "a", "value": "b"}],
    "ports": [
        {"name": "p", "hostPort": 80, "hostIP": "1.2.3.4", "podPort": {"name": "p", "protocol": "tcp", "port": 1}}
    ],
    "userAnnotations": {"a": "b"},
    "userLabels": {"a": "b"},
}

#: values of a wrong type for at least most places
WRONG: list[object] = [
    *(None, True, False, 0, 1, -1, 2, 65535, 65536, 1 << 31, 1 << 32, 1 << 63, 1 << 64, 10**30, 1.0, 0.5, 1e300),
    *("", " ", "a", "A", "a--b", "..", "/", "a/../b", "0", "-1", "1E", "1e999", "٣", "true", "null", "sha512-", "é"),
    *("\0", "\n", "\x1b[2J", "\u202e", "x" * 5000, [], [None], [[]], ["a", "a"], [{}], {}, {"": None}, {"name": 1}),
    *({"a": {"b": {}}}, [1, "a", None, {}]),
]


def _places(value: object, path: str = "") -> Iterator[tuple[str, list[str | int]]]:
    """Every place below the root: its path in messages and the keys that lead there."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        here = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else str(key)
        yield here, [key]
        for deeper, keys in _places(child, here):
            yield deeper, [key, *keys]


def _put(document: dict[str, Any], keys: list[str | int], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return changed


def _type_of(value: object) -> type:
    return type(None) if value is None else type(value)


Decode = Callable[[bytes], object]


@pytest.mark.spec("TYPE-007", "TYPE-012", "TYPE-062", "TYPE-063", "IMG-082")
@pytest.mark.parametrize(("document", "decode"), [(IMAGE, decode_image_manifest), (POD, decode_pod_manifest)])
def test_every_place_with_every_wrong_value_is_named(document: dict[str, Any], decode: Decode) -> None:
    """A value of another type than the place's is always an error, and one of the paths is that place or below."""
    decode(json.dumps(document).encode())
    for path, keys in _places(document):
        right: Any = document
        for key in keys:
            right = right[key]
        for wrong in WRONG:
            try:
                decode(json.dumps(_put(document, keys, wrong)).encode())
            except ManifestError as error:
                found = [problem.path for problem in error.problems]
                owner = path.rpartition("[" if path.endswith("]") else ".")[0]
                assert any(each.startswith((path, owner)) for each in found), (path, wrong, found)
                if wrong is not None and _type_of(wrong) is not _type_of(right):
                    assert any(each.startswith(path) for each in found), (path, wrong, found)
            else:
                number_or_text = path.endswith(("limit", "request"))
                assert wrong is None or number_or_text or _type_of(wrong) is _type_of(right), (path, wrong)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
places = [(document, keys) for document in (IMAGE, POD) for _, keys in _places(document)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(places), json_value, st.sampled_from(sorted(RELEASES)))
def test_any_value_anywhere_in_any_release_is_read_or_refused(
    place: tuple[dict[str, Any], list[str | int]], value: object, version: str
) -> None:
    changed = _put(place[0], place[1], value)
    changed["acVersion"] = version
    data = json.dumps(changed).encode()
    try:
        if place[0] is IMAGE:
            image = decode_image_manifest(data)
            assert decode_image_manifest(encode_image_manifest(image)) == image
        else:
            pod = decode_pod_manifest(data)
            assert decode_pod_manifest(encode_pod_manifest(pod)) == pod
    except ManifestError as error:
        assert error.problems


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 2000), st.integers(0, 10))
def test_damaged_bytes_are_read_or_refused(junk: bytes, start: int, length: int) -> None:
    data = json.dumps(IMAGE).encode()
    damaged = data[:start] + junk + data[start + length :]
    for decode in (decode_image_manifest, decode_pod_manifest, decode_kind):
        try:
            decode(damaged)
        except ManifestError as error:
            assert error.problems
            assert str(error)
