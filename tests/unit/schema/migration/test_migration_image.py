"""Images of older releases: every change of the form, each read by the rules of its release."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rkt.schema.app import EnvironmentVariable
from rkt.schema.image import ImageManifest, decode_image_manifest, encode_image_manifest
from rkt.schema.isolator_value import decode_isolator_value
from rkt.schema.problems import ManifestError
from rkt.schema.version import RELEASES

#: the forms that 0.1.1 had and 0.8.11 has not, all in one image
OLDEST: dict[str, Any] = {
    "acKind": "ImageManifest",
    "acVersion": "0.1.1",
    "name": "example.com/reduce-worker",
    "labels": [{"name": "version", "val": "1.0.0"}, {"name": "os", "val": "linux"}, {"name": "arch", "val": "amd64"}],
    "app": {
        "exec": ["/usr/bin/reduce-worker"],
        "user": "100",
        "group": "300",
        "environment": {"REDUCE_WORKER_DEBUG": "true", "0ODD": ""},
        "isolators": [
            {"name": "private-network", "val": "true"},
            {"name": "cpu/shares", "val": "20"},
            {"name": "memory/limit", "val": "1G"},
            {"name": "capabilities/bounding-set", "val": "CAP_NET_BIND_SERVICECAP_SYS_ADMIN"},
        ],
        "mountPoints": [{"name": "example.com/data.base", "path": "/var/lib/db", "readOnly": False}],
        "ports": [{"name": "health", "port": 4000, "protocol": "tcp", "socketActivated": True}],
    },
    "dependencies": [
        {
            "name": "example.com/reduce-worker-base",
            "hash": "sha256-277205b3ae3eb3a8e042a62ae46934b470e431ac",
            "labels": [{"name": "os", "val": "linux"}],
            "root": "/",
        }
    ],
    "pathWhitelist": ["/etc/systemd/system/"],
    "annotations": {"authors": "A <a@example.com>", "created": "2014-10-27T19:32:27.67021798Z", "ipAddress": "x"},
}


def _decode(**members: object) -> ImageManifest:
    start = {"acKind": "ImageManifest", "acVersion": "0.1.1", "name": "a"}
    return decode_image_manifest(json.dumps({**start, **members}).encode())


def _isolators(version: str, *isolators: object) -> list[tuple[str, object]]:
    manifest = _decode(acVersion=version, app={"user": "0", "group": "0", "isolators": isolators})
    assert manifest.app is not None
    return [(isolator.name, isolator.value) for isolator in manifest.app.isolators]


def test_the_oldest_image_is_read_in_todays_form() -> None:
    manifest = decode_image_manifest(json.dumps(OLDEST).encode())
    app = manifest.app
    assert app is not None
    assert (manifest.ac_version, manifest.original_version) == ("0.8.11", "0.1.1")
    assert [manifest.label(name) for name in ("version", "os", "arch")] == ["1.0.0", "linux", "amd64"]
    assert manifest.annotation("ipAddress") == "x"
    assert app.environment == (
        EnvironmentVariable(name="REDUCE_WORKER_DEBUG", value="true"),
        EnvironmentVariable(name="0ODD", value=""),
    )
    assert (app.user, app.working_directory, app.mount_points[0].name) == ("100", "", "example-com-data-base")
    assert [(isolator.name, isolator.value) for isolator in app.isolators] == [
        ("private-network", "true"),
        ("os/linux/cpu-shares", 20),
        ("resource/memory", {"limit": "1Gi"}),
        ("os/linux/capabilities-retain-set", {"set": ["CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"]}),
    ]


def test_an_old_digest_is_kept_but_is_no_image_id() -> None:
    (dependency,) = decode_image_manifest(json.dumps(OLDEST).encode()).dependencies
    assert (dependency.image_name, dependency.image_id) == ("example.com/reduce-worker-base", None)
    assert dependency.unknown == (("hash", '"sha256-277205b3ae3eb3a8e042a62ae46934b470e431ac"'), ("root", '"/"'))
    assert dependency.labels[0].value == "linux"


def test_a_migrated_image_comes_back_equal_after_it_was_written() -> None:
    manifest = decode_image_manifest(json.dumps({**OLDEST, "name": "a..b-"}).encode())
    encoded = encode_image_manifest(manifest)
    assert b'"acVersion":"0.8.11"' in encoded
    assert encoded.endswith(b'"migratedFrom":"0.1.1"}')
    assert decode_image_manifest(encoded) == manifest
    assert encode_image_manifest(decode_image_manifest(encoded)) == encoded


@pytest.mark.parametrize("version", ["x", 1])
def test_a_bad_origin_is_reported(version: object) -> None:
    with pytest.raises(ManifestError, match="migratedFrom"):
        _decode(acVersion="0.8.11", migratedFrom=version)


@pytest.mark.spec("TYPE-023")
@pytest.mark.parametrize("version", sorted(RELEASES))
def test_a_plain_image_of_every_release_is_read(version: str) -> None:
    app = {"exec": ["/a"], "user": "0", "group": "0", "mountPoints": [{"name": "data", "path": "/d"}]}
    manifest = _decode(acVersion=version, name="coreos.com/ace-validator-main", app=app)
    assert (manifest.name, manifest.original_version) == ("coreos.com/ace-validator-main", version)
    assert decode_image_manifest(encode_image_manifest(manifest)) == manifest


@pytest.mark.parametrize("name", ["a..b", "-a", "a/", "/a", "a--b", ".", "a/../b", "..", "A", "a_b", ""])
def test_names_are_read_by_the_rules_of_the_release(name: str) -> None:
    """Before 0.4.0 separators could stand anywhere; paths that lead up are refused in every release."""
    readable = name not in (".", "..", "a/../b", "A", "")
    today = name == "a_b"
    for version, expected in (("0.1.1", readable), ("0.3.0", readable), ("0.4.0", today), ("0.8.11", today)):
        try:
            _decode(acVersion=version, name=name)
        except ManifestError:
            assert not expected, version
        else:
            assert expected, version


def test_before_0_2_0_user_group_and_label_rules_were_not_enforced() -> None:
    manifest = _decode(app={"exec": ["/a"], "user": ""}, labels=[{"name": "os", "val": "plan9"}])
    assert manifest.app is not None
    assert (manifest.app.user, manifest.app.group, manifest.label("os")) == ("0", "0", "plan9")
    with pytest.raises(ManifestError, match=r"labels\[0\].value.*app.user: is required"):
        _decode(acVersion="0.2.0", app={"exec": ["/a"]}, labels=[{"name": "os", "value": "plan9"}])


def test_environment_was_a_map_of_any_text_before_0_3_0() -> None:
    app = {"user": "0", "group": "0", "environment": {"a b": "x"}}
    manifest = _decode(acVersion="0.2.0", app=app)
    assert manifest.app is not None and manifest.app.environment[0].name == "a b"
    for bad in ("", "a=b", "a\0"):
        with pytest.raises(ManifestError, match=r"app.environment\[0\].name"):
            _decode(acVersion="0.2.0", app={**app, "environment": {bad: "x"}})
    with pytest.raises(ManifestError, match=r"app\.environment: must be a list"):
        _decode(acVersion="0.3.0", app=app)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("cpu/shares/", "4096"), ("os/linux/cpu-shares", 4096)),
        (("cpu/shares", "0"), ("os/linux/cpu-shares", 2)),
        (("cpu/shares", "999999999"), ("os/linux/cpu-shares", 262144)),
        (("cpu/shares", "many"), ("cpu/shares", "many")),
        (("memory/limit", "4K"), ("resource/memory", {"limit": "4Ki"})),
        (("memory/limit", "4096"), ("resource/memory", {"limit": "4096"})),
        (("memory/limit", "all"), ("memory/limit", "all")),
        (("capabilities/boundingSet", "CAP_A CAP_B"), ("os/linux/capabilities-retain-set", ["CAP_A", "CAP_B"])),
        (("blockIO/readBandwidth", "/tmp 1K"), ("block-io/read-bandwidth", "/tmp 1K")),
        (("networkIO/writeBandwidth", "eth0 1M"), ("network-io/write-bandwidth", "eth0 1M")),
        (("privateNetwork", "true"), ("private-network", "true")),
        (("cpu/mask", "0-3"), ("cpu/mask", "0-3")),
    ],
)
def test_isolators_before_0_4_0(old: tuple[str, str], new: tuple[str, object]) -> None:
    expected = {"set": new[1]} if isinstance(new[1], list) else new[1]
    assert _isolators("0.1.1", {"name": old[0], "val": old[1]}) == [(new[0], expected)]
    if old[0].islower() and not old[0].endswith("/"):
        assert _isolators("0.3.0", {"name": old[0], "value": old[1]}) == [(new[0], expected)]
        assert _isolators("0.4.0", {"name": old[0], "value": old[1]}) == [old]


def test_an_empty_bounding_set_still_leaves_no_capability() -> None:
    ((name, value),) = _isolators("0.1.1", {"name": "capabilities/bounding-set", "val": ""})
    assert name == "os/linux/capabilities-remove-set"
    assert isinstance(value, dict) and len(value["set"]) == 14


def test_an_old_memory_limit_counts_in_powers_of_1024() -> None:
    manifest = _decode(app={"isolators": [{"name": "memory/limit", "val": "1G"}]})
    assert manifest.app is not None
    assert decode_isolator_value(manifest.app.isolators[0]).limit_bytes == 1 << 30  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        ("0.5.1", "os/linux/capabilities-revoke-set", "os/linux/capabilities-remove-set"),
        ("0.4.0", "linux/capabilities-remove-set", "os/linux/capabilities-remove-set"),
        ("0.4.0", "linux/capabilities-retain-set", "os/linux/capabilities-retain-set"),
        ("0.5.2", "os/linux/capabilities-revoke-set", "os/linux/capabilities-revoke-set"),
    ],
)
def test_names_of_capability_sets(version: str, old: str, new: str) -> None:
    assert _isolators(version, {"name": old, "value": {"set": ["CAP_KILL"]}}) == [(new, {"set": ["CAP_KILL"]})]


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        ("0.6.1", {"request": "250", "limit": 500}, {"request": "250m", "limit": "500m"}),
        ("0.6.1", {"request": "300m", "limit": "1k"}, {"request": "300m", "limit": "1k"}),
        ("0.7.0", {"limit": "1"}, {"limit": "1"}),
    ],
)
def test_cpu_was_counted_in_thousandths_before_0_7_0(version: str, value: object, expected: object) -> None:
    assert _isolators(version, {"name": "resource/cpu", "value": value}) == [("resource/cpu", expected)]


@pytest.mark.parametrize(
    ("version", "member"), [("0.1.1", "name"), ("0.2.0", "app"), ("0.5.2", "app"), ("0.6.0", "imageName")]
)
def test_names_of_dependencies(version: str, member: str) -> None:
    manifest = _decode(acVersion=version, dependencies=[{member: "example.com/base"}])
    assert manifest.dependencies[0].image_name == "example.com/base"


def test_a_whole_sha512_hash_is_an_image_id() -> None:
    manifest = _decode(dependencies=[{"name": "b", "hash": "sha512-" + "0" * 128}])
    assert manifest.dependencies[0].image_id == "sha512-" + "0" * 128


def test_supplementary_groups_before_0_7_1() -> None:
    app = {"user": "0", "group": "0", "supplementaryGroups": [1, 2]}
    manifest = _decode(acVersion="0.7.0", app=app)
    assert manifest.app is not None and manifest.app.supplementary_gids == (1, 2)
    manifest = _decode(acVersion="0.7.1", app=app)
    assert manifest.app is not None and manifest.app.supplementary_gids == ()


def test_local_names_before_0_6_0_become_ac_names() -> None:
    names = ["a.b/c", "-x-", "..", "ok"]
    app = {"user": "0", "group": "0", "mountPoints": [{"name": name, "path": "/p"} for name in names]}
    manifest = _decode(acVersion="0.3.0", app=app)
    assert manifest.app is not None
    assert [each.name for each in manifest.app.mount_points] == ["a-b-c", "x", "mountpoint-2", "ok"]
    with pytest.raises(ManifestError):
        _decode(acVersion="0.3.0", app={**app, "mountPoints": [{"name": "A B", "path": "/p"}]})


def test_todays_form_under_an_old_label_is_left_alone() -> None:
    modern = {
        "labels": [{"name": "a", "value": "b"}],
        "annotations": [{"name": "c", "value": "d"}],
        "app": {"user": "1", "group": "2", "environment": [{"name": "E", "value": "f"}], "supplementaryGIDs": [3]},
        "dependencies": [{"imageName": "g", "imageID": "sha512-" + "0" * 128}],
    }
    old, new = _decode(acVersion="0.1.1", **modern), _decode(acVersion="0.8.11", **modern)
    assert old.replace(original_version="0.8.11") == new


def test_old_member_names_match_whatever_their_case() -> None:
    app = {"Isolators": [{"NAME": "x", "Val": "y"}]}
    manifest = _decode(LABELS=[{"Name": "a", "VAL": "b"}], Annotations={"c": "d"}, App=app)
    assert (manifest.label("a"), manifest.annotation("c")) == ("b", "d")
    assert manifest.app is not None and manifest.app.isolators[0].value == "y"


@pytest.mark.parametrize("junk", [None, 1, "x", [], [1, None], {"a": 1}, {"a": {"b": []}}, [{"name": 1, "val": {}}]])
@pytest.mark.parametrize("member", ["labels", "annotations", "app", "dependencies", "pathWhitelist"])
def test_malformed_old_images_are_reported_and_never_crash(member: str, junk: object) -> None:
    for value in (junk, {"isolators": junk, "environment": junk, "mountPoints": junk, "ports": junk, "user": junk}):
        try:
            _decode(**{member: value})
        except ManifestError as error:
            assert all(problem.path for problem in error.problems)
