"""Manifests made at random: what was written is read back equal, and written again with the same bytes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.schema.image import decode_image_manifest, encode_image_manifest
from rkt.schema.label import SUPPORTED_OS_ARCH
from rkt.schema.pod import decode_pod_manifest, encode_pod_manifest
from rkt.schema.version import RELEASES

Object = dict[str, Any]
Text = st.SearchStrategy[str]

word = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=4)
ac_name = st.lists(word, min_size=1, max_size=3).map("-".join)
identifier = st.lists(word, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([*"-._~/", "/~"]).map(lambda separator: separator.join(words))
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
argument = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
full_argument = argument.filter(bool)
path = argument.map(lambda rest: f"/{rest}")
image_id = st.binary(min_size=64, max_size=64).map(lambda digest: f"sha512-{digest.hex()}")
json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
unknown = st.dictionaries(st.sampled_from(["x-unknown", "ñ", "Zz"]), json_value, max_size=2)


def record(required: Object, optional: Object | None = None) -> st.SearchStrategy[Object]:
    """An object of these members, perhaps with some that nobody knows."""
    known: st.SearchStrategy[Object] = st.fixed_dictionaries(required, optional=optional or {})
    return st.builds(lambda members, extra: {**members, **extra}, known, unknown)


def named(names: Text, values: Text = text) -> st.SearchStrategy[list[Object]]:
    """A list of ``{name, value}`` with unique names."""
    return st.lists(record({"name": names, "value": values}), max_size=3, unique_by=lambda item: item["name"])


def platform(labels: list[Object], os: str, arch: str) -> list[Object]:
    rest = [label for label in labels if label["name"] not in ("os", "arch", "name")]
    return [{"name": "arch", "value": arch}, *rest, {"name": "os", "value": os}]


platforms = st.sampled_from([(os, arch) for os, arches in SUPPORTED_OS_ARCH.items() for arch in arches])
labels = st.builds(lambda items, which: platform(items, *which), named(identifier), platforms)
private_annotations: st.SearchStrategy[list[Object]] = named(
    identifier.filter(lambda name: name not in ("created", "homepage", "documentation"))
)
environment = named(st.from_regex(r"[A-Za-z_][A-Za-z_0-9.-]{0,5}", fullmatch=True), argument)
quantity = st.sampled_from(["1", "1G", "2Gi", "250m", " 1e3 ", "0.5", ".5k", "10E"]) | st.integers(0, 1 << 80)
isolator = st.one_of(
    record({"name": identifier, "value": json_value}),
    record({"name": st.sampled_from(["resource/cpu", "resource/memory"]), "value": record({}, {"limit": quantity})}),
    record({"name": st.just("os/linux/no-new-privileges"), "value": st.booleans()}),
    record(
        {
            "name": st.just("os/linux/capabilities-retain-set"),
            "value": st.fixed_dictionaries({"set": st.lists(text, min_size=1, max_size=2)}),
        }
    ),
)
port = st.integers(1, 65535).flatmap(
    lambda number: record(
        {"name": ac_name, "protocol": full_argument, "port": st.just(number)},
        {"count": st.integers(1, 65536 - number), "socketActivated": st.booleans()},
    )
)
single_port = port.map(lambda given: {**given, "count": 1})
app = record(
    {"user": full_argument, "group": full_argument},
    {
        "exec": st.none() | st.lists(argument, max_size=3),
        "eventHandlers": st.lists(
            record({"name": st.sampled_from(["pre-start", "post-stop"])}, {"exec": st.lists(argument, max_size=2)}),
            unique_by=lambda item: item["name"],
            max_size=2,
        ),
        "supplementaryGIDs": st.lists(st.integers(0, (1 << 32) - 2), max_size=3),
        "workingDirectory": st.just("") | path,
        "environment": environment,
        "mountPoints": st.lists(record({"name": ac_name, "path": path}, {"readOnly": st.booleans()}), max_size=2),
        "ports": st.lists(port, max_size=2),
        "isolators": st.lists(isolator, max_size=3),
        "userAnnotations": st.dictionaries(text, text, max_size=2),
        "userLabels": st.dictionaries(text, text, max_size=2),
    },
)
version = st.sampled_from(sorted(release for release in RELEASES if release >= "0.7.1")) | st.just("0.9.7")
image = record(
    {"acKind": st.just("ImageManifest"), "acVersion": version, "name": identifier},
    {
        "labels": labels,
        "app": app,
        "annotations": private_annotations,
        "dependencies": st.lists(
            record({"imageName": identifier}, {"imageID": image_id, "labels": labels, "size": st.integers(0, 1 << 63)}),
            max_size=2,
        ),
        "pathWhitelist": st.lists(path, max_size=3),
    },
)
volume = st.one_of(
    record(
        {"name": ac_name, "kind": st.just("empty")},
        {
            "mode": st.integers(0, 0o7777).map("{:o}".format),
            "uid": st.integers(0, 1 << 31),
            "gid": st.integers(0, 1 << 31),
            "readOnly": st.booleans(),
        },
    ),
    record(
        {"name": ac_name, "kind": st.just("host"), "source": path},
        {"readOnly": st.booleans(), "recursive": st.booleans()},
    ),
)
runtime_app = record(
    {"name": ac_name, "image": record({"id": image_id}, {"name": identifier, "labels": labels})},
    {
        "app": app,
        "readOnlyRootFS": st.booleans(),
        "mounts": st.lists(record({"volume": ac_name, "path": path}, {"appVolume": volume}), max_size=2),
        "annotations": private_annotations,
    },
)
pod = record(
    {
        "acVersion": version,
        "acKind": st.just("PodManifest"),
        "apps": st.lists(runtime_app, max_size=2, unique_by=lambda item: item["name"]),
    },
    {
        "volumes": st.lists(volume, max_size=2, unique_by=lambda item: item["name"]),
        "isolators": st.lists(isolator, max_size=2),
        "annotations": private_annotations,
        "ports": st.lists(
            record({"name": ac_name, "hostPort": st.integers(1, 65535), "podPort": single_port}), max_size=2
        ),
        "userAnnotations": st.dictionaries(text, text, max_size=2),
        "userLabels": st.dictionaries(text, text, max_size=2),
    },
)


@settings(max_examples=150, deadline=None)
@given(image)
def test_an_image_manifest_comes_back_equal(document: Object) -> None:
    manifest = decode_image_manifest(json.dumps(document).encode())
    encoded = encode_image_manifest(manifest)
    again = decode_image_manifest(encoded)
    assert again == manifest
    assert hash(again) == hash(manifest)
    assert encode_image_manifest(again) == encoded
    json.loads(encoded)


@settings(max_examples=150, deadline=None)
@given(pod)
def test_a_pod_manifest_comes_back_equal(document: Object) -> None:
    manifest = decode_pod_manifest(json.dumps(document).encode())
    encoded = encode_pod_manifest(manifest)
    assert decode_pod_manifest(encoded) == manifest
    assert encode_pod_manifest(decode_pod_manifest(encoded)) == encoded


@settings(max_examples=60, deadline=None)
@given(image)
def test_the_order_and_case_of_members_do_not_matter(document: Object) -> None:
    turned = dict(reversed([(name.upper() if name.isascii() else name, value) for name, value in document.items()]))
    turned = {name: value for name, value in turned.items() if name not in ("X-UNKNOWN", "ZZ", "ñ")}
    plain = {name: value for name, value in document.items() if name not in ("x-unknown", "Zz", "ñ")}
    assert decode_image_manifest(json.dumps(turned).encode()) == decode_image_manifest(json.dumps(plain).encode())


@settings(max_examples=60, deadline=None)
@given(image, st.integers(0, 3))
def test_blanks_between_tokens_do_not_matter(document: Object, indent: int) -> None:
    spread = json.dumps(document, indent=indent).encode()
    assert decode_image_manifest(spread) == decode_image_manifest(json.dumps(document).encode())
