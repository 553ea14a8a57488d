"""Pod manifests of older releases, from the container runtime manifest of 0.1.1 on."""

from __future__ import annotations

import json

import pytest

from rkt.schema.pod import Mount, PodManifest, decode_pod_manifest, encode_pod_manifest
from rkt.schema.problems import ManifestError

FULL_ID = "sha512-" + "ab" * 64


def _decode(version: str, kind: str = "PodManifest", **members: object) -> PodManifest:
    return decode_pod_manifest(json.dumps({"acVersion": version, "acKind": kind, **members}).encode())


def test_the_oldest_pod_is_read_in_todays_form() -> None:
    manifest = _decode(
        "0.1.1",
        "ContainerRuntimeManifest",
        uuid="6733C088-A507-4694-AABF-EDBE4FC5266F",
        apps=[
            {"app": "example.com/worker-1.0.0", "imageID": FULL_ID, "annotations": {"foo": "baz"}},
            {"name": "backup", "imageID": FULL_ID, "isolators": [{"name": "memory/limit", "val": "1G"}]},
            {"imageID": FULL_ID},
        ],
        volumes=[
            {"kind": "host", "source": "/opt/work", "readOnly": True, "fulfills": ["work", "in.put"]},
            {"kind": "empty", "fulfills": ["build"]},
        ],
        isolators=[{"name": "memory/limit", "val": "4G"}],
        annotations={"ip-address": "10.1.2.3"},
    )
    assert [app.name for app in manifest.apps] == ["example-com-worker-1-0-0", "backup", "app-2"]
    assert manifest.apps[0].image.name == "example.com/worker-1.0.0"
    assert [app.image.id for app in manifest.apps] == [FULL_ID] * 3
    assert manifest.apps[0].annotations[0].value == "baz"
    assert [(v.name, v.kind, v.source, v.read_only) for v in manifest.volumes] == [
        ("work", "host", "/opt/work", True),
        ("in-put", "host", "/opt/work", True),
        ("build", "empty", "", None),
    ]
    assert manifest.isolators[0].value == {"limit": "4Gi"}
    assert manifest.annotation("ip-address") == "10.1.2.3"
    assert (manifest.original_version, b"uuid" in encode_pod_manifest(manifest)) == ("0.1.1", False)
    assert decode_pod_manifest(encode_pod_manifest(manifest)) == manifest
    assert manifest.apps[1].unknown == (("isolators", '[{"name":"resource/memory","value":{"limit":"1Gi"}}]'),)


@pytest.mark.spec("TYPE-015")
def test_the_old_kind_belongs_to_the_old_releases() -> None:
    assert _decode("0.4.1", "ContainerRuntimeManifest", apps=[]).apps == ()
    with pytest.raises(ManifestError, match="acKind"):
        _decode("0.5.0", "ContainerRuntimeManifest", apps=[])


def test_a_sha256_digest_is_no_image_id() -> None:
    with pytest.raises(ManifestError, match=r'apps\[0\].image.id: must start with "sha512-"'):
        _decode("0.1.1", "ContainerRuntimeManifest", apps=[{"app": "a", "imageID": "sha256-" + "0" * 64}])


def test_mounts_named_a_mount_point_before_0_7_0() -> None:
    app = {"user": "0", "group": "0", "mountPoints": [{"name": "work", "path": "/mnt/foo"}]}
    entry = {"name": "a", "image": {"id": FULL_ID}, "mounts": [{"volume": "v", "mountPoint": "work"}]}
    volumes = [{"name": "v", "kind": "empty"}]
    manifest = _decode("0.5.1", apps=[{**entry, "app": app}], volumes=volumes)
    assert manifest.apps[0].mounts == (Mount(volume="v", path="/mnt/foo"),)
    own_name = {**entry, "mounts": [{"volume": "work", "mountPoint": "work"}]}
    assert _decode("0.5.1", apps=[own_name]).apps[0].mounts == (), "the volume's name says it"
    with pytest.raises(ManifestError, match=r"apps\[0\].mounts\[0\].path: is required"):
        _decode("0.5.1", apps=[entry], volumes=volumes)


def test_isolators_of_an_entry_move_into_its_app() -> None:
    entry = {"name": "a", "imageID": FULL_ID, "app": {"user": "0", "group": "0"}}
    isolators = [{"name": "memory/limit", "value": "1G"}]
    manifest = _decode("0.3.0", "ContainerRuntimeManifest", apps=[{**entry, "isolators": isolators}])
    app = manifest.apps[0].app
    assert app is not None and app.isolators[0].value == {"limit": "1Gi"}


def test_the_template_of_0_3_0_is_read_as_a_template() -> None:
    apps = [
        {"name": "worker", "image": {"name": "example.com/worker", "id": "sha512-..."}},
        {"name": "backup", "image": {"name": "example.com/backup", "labels": [{"name": "version", "value": "latest"}]}},
    ]
    isolators = [{"name": "resource/memory", "value": {"limit": "4G"}}]
    data = {"acVersion": "0.3.0", "acKind": "PodManifest", "apps": apps, "isolators": isolators}
    manifest = decode_pod_manifest(json.dumps(data).encode(), template=True)
    assert [app.image.id for app in manifest.apps] == ["sha512-...", ""]


@pytest.mark.parametrize("junk", [None, 1, "x", [1, None], {"a": 1}, [{"name": 1}], [{"fulfills": [1, {}]}]])
@pytest.mark.parametrize("member", ["apps", "volumes", "isolators", "annotations", "ports", "uuid"])
def test_malformed_old_pods_are_reported_and_never_crash(member: str, junk: object) -> None:
    inner = [{"app": junk, "image": junk, "mounts": junk, "isolators": junk, "imageID": junk, "volumes": junk}]
    for value in (junk, inner):
        try:
            _decode("0.1.1", "ContainerRuntimeManifest", **{"apps": [], member: value})
        except ManifestError as error:
            assert all(problem.path for problem in error.problems)
