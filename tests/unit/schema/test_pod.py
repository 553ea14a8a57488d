from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.image import decode_image_manifest
from rkt.schema.pod import (
    ExposedPort,
    Mount,
    PodManifest,
    RuntimeApp,
    RuntimeImage,
    decode_pod_manifest,
    encode_pod_manifest,
)
from rkt.schema.problems import ManifestError

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]

FULL_ID = "sha512-" + "ab" * 64
APP = {"name": "a", "image": {"id": FULL_ID}}
PORT = {"name": "p", "protocol": "tcp", "port": 80}


@pytest.mark.spec("POD-001", "POD-002", "POD-003")
def test_the_header_is_checked(pod: Build, find_problems: FindProblems) -> None:
    assert find_problems(pod(acVersion=None)) == ["acVersion: is required"]
    assert find_problems(pod(apps=None)) == ["apps: is required"]
    assert find_problems(pod(apps={})) == ["apps: must be a list, not an object"]
    assert find_problems(pod(apps=[])) == []
    for kind in (None, "ImageManifest", "podmanifest"):
        with pytest.raises(ManifestError, match="acKind"):
            decode_pod_manifest(pod(acKind=kind))


def test_the_originals_own_version_is_read(pod: Build) -> None:
    """rkt 1.30 wrote its own version into pod manifests; such pods must still be listed and removed."""
    assert decode_pod_manifest(pod(acVersion="1.30.0")).ac_version == "1.30.0"


@pytest.mark.spec("POD-004", "POD-007", "POD-008", "POD-009", "POD-010", "POD-012", "POD-013", "POD-014", "POD-015")
@pytest.mark.spec("POD-016", "POD-018")
@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"name": None}, "name: is required"),
        ({"name": "a.b"}, "name: may contain only"),
        ({"name": ".."}, "name: may contain only"),
        ({"image": None}, "image: is required"),
        ({"image": "x"}, "image: must be a JSON object, not a string"),
        ({"image": {}}, "image.id: is required"),
        ({"image": {"id": ""}}, "image.id: must have the form"),
        ({"image": {"id": "sha512-xyz"}}, "image.id: must have 128"),
        ({"image": {"id": FULL_ID, "name": "A"}}, "image.name: may contain only"),
        ({"image": {"id": FULL_ID, "name": ""}}, "image.name: must not be empty"),
        ({"image": {"id": FULL_ID, "labels": [{"name": "name", "value": ""}]}}, "image.labels[0].name: must not be"),
        ({"app": {"user": "0"}}, "app.group: is required"),
        ({"readOnlyRootFS": "true"}, "readOnlyRootFS: must be true or false"),
        ({"mounts": [{"path": "/a"}]}, "mounts[0].volume: is required"),
        ({"mounts": [{"volume": "v"}]}, "mounts[0].path: is required"),
        ({"mounts": [{"volume": "v", "path": ""}]}, "mounts[0].path: must not be empty"),
        ({"mounts": [{"volume": "V", "path": "/a"}]}, "mounts[0].volume: may contain only"),
        (
            {"mounts": [{"volume": "v", "path": "/a", "appVolume": {"name": "x"}}]},
            "mounts[0].appVolume.kind: is required",
        ),
        ({"annotations": [{"name": "a", "value": "1"}] * 2}, 'annotations[1].name: "a" is given more than once'),
    ],
)
def test_bad_apps(pod: Build, find_problems: FindProblems, members: dict[str, object], problem: str) -> None:
    (found,) = find_problems(pod(apps=[{**APP, **members}]))
    assert found.startswith(f"apps[0].{problem}")


@pytest.mark.spec("POD-004", "POD-005", "POD-006", "POD-018", "POD-034")
def test_app_names_are_unique_and_unlike_image_names(pod: Build, find_problems: FindProblems) -> None:
    assert find_problems(pod(apps=[APP, {**APP, "name": "b"}])) == [], "two apps may use one image"
    assert find_problems(pod(apps=[APP, APP])) == ['apps[1].name: "a" is given more than once']
    annotations = [{"name": "example.com/x", "value": "1"}]
    assert find_problems(pod(apps=[{**APP, "annotations": annotations}], annotations=annotations)) == []
    assert find_problems(pod(annotations=annotations * 2)) == [
        'annotations[1].name: "example.com/x" is given more than once'
    ]


@pytest.mark.spec("POD-011", "POD-012", "POD-013", "POD-016")
def test_a_full_app(pod: Build) -> None:
    entry = {
        **APP,
        "app": {"user": "1", "group": "2"},
        "readOnlyRootFS": True,
        "mounts": [{"volume": "v", "path": "p", "appVolume": {"name": "w", "kind": "empty"}}],
    }
    manifest = decode_pod_manifest(pod(apps=[entry]))
    app = manifest.find_app("a")
    assert app is not None and app.app is not None
    assert (app.app.user, app.app.exec, app.read_only_root_fs) == ("1", (), True)
    assert app.mounts[0].app_volume is not None and app.mounts[0].app_volume.mode == 0o755
    assert manifest.find_app("b") is None
    assert decode_pod_manifest(encode_pod_manifest(manifest)) == manifest


@pytest.mark.spec("POD-036", "POD-038", "POD-039", "POD-040", "POD-041")
@pytest.mark.parametrize(
    ("port", "problem"),
    [
        ({"hostPort": 1}, "ports[0].name: is required"),
        ({"name": "p"}, "ports[0].hostPort: is required"),
        ({"name": "p.q", "hostPort": 1}, "ports[0].name: may contain only"),
        ({"name": "p", "hostPort": 0}, "ports[0].hostPort: must be in the range 1 to 65535"),
        ({"name": "p", "hostPort": 70000}, "ports[0].hostPort: must be in the range 1 to 65535"),
        ({"name": "p", "hostPort": "1"}, "ports[0].hostPort: must be an integer, not a string"),
        ({"name": "p", "hostPort": 1, "hostIP": "::1"}, "ports[0].hostIP: must be an IPv4 address"),
        ({"name": "p", "hostPort": 1, "hostIP": "1.2.3"}, "ports[0].hostIP: must be an IPv4 address"),
        ({"name": "p", "hostPort": 1, "hostIP": "1.2.3.256"}, "ports[0].hostIP: must be an IPv4 address"),
        ({"name": "p", "hostPort": 1, "hostIP": "1.2.3.04"}, "ports[0].hostIP: must be an IPv4 address"),
        ({"name": "p", "hostPort": 1, "podPort": {**PORT, "port": 0}}, "ports[0].podPort.port: must be in the range"),
        ({"name": "p", "hostPort": 65535, "podPort": {**PORT, "count": 2}}, "ports[0].hostPort: makes the range"),
    ],
)
def test_bad_exposed_ports(pod: Build, find_problems: FindProblems, port: object, problem: str) -> None:
    (found,) = find_problems(pod(ports=[port]))
    assert found.startswith(problem)


@pytest.mark.spec("POD-039", "POD-040")
def test_good_exposed_ports(pod: Build) -> None:
    ports = [
        {"name": "p", "hostPort": 65535, "hostIP": "255.0.0.1"},
        {"name": "q", "hostPort": 1, "hostIP": "", "podPort": PORT},
    ]
    first, second = decode_pod_manifest(pod(ports=ports)).ports
    assert first == ExposedPort(name="p", host_port=65535, host_ip="255.0.0.1")
    assert (second.host_ip, second.pod_port and second.pod_port.port) == ("", 80)


@pytest.mark.spec("POD-037")
def test_a_published_port_is_the_port_of_one_app_only(pod: Build, find_problems: FindProblems) -> None:
    override = {"user": "0", "group": "0", "ports": [PORT]}
    apps = [{**APP, "app": override}, {**APP, "name": "b", "app": override}]
    assert find_problems(pod(apps=apps)) == [], "nothing looks the name up"
    assert find_problems(pod(apps=apps, ports=[{"name": "p", "hostPort": 1}])) == [
        'ports[0].name: "p" is a port of a and of b'
    ]
    assert find_problems(pod(apps=apps, ports=[{"name": "p", "hostPort": 1, "podPort": PORT}])) == []


@pytest.mark.spec("POD-042", "POD-044", "TYPE-062", "TYPE-063")
def test_user_maps(pod: Build, find_problems: FindProblems) -> None:
    manifest = decode_pod_manifest(pod(userAnnotations={"b!": "1", "a": "2"}, userLabels={"c": ""}))
    assert (manifest.user_annotations, manifest.user_labels) == ((("a", "2"), ("b!", "1")), (("c", ""),))
    assert find_problems(pod(userAnnotations={"a": 1}, userLabels={"b": None})) == [
        "userAnnotations.a: must be a string, not a number",
        "userLabels.b: must be a string, not null",
    ]


@pytest.mark.spec("POD-056", "POD-008")
def test_a_template_may_lack_image_ids(pod: Build, find_problems: FindProblems) -> None:
    latest = {"name": "example.com/a", "labels": [{"name": "version", "value": "latest"}]}
    data = pod(apps=[{"name": "a", "image": latest}])
    assert find_problems(data) == ["apps[0].image.id: is required"]
    manifest = decode_pod_manifest(data, template=True)
    assert manifest.apps[0].image.id == ""
    assert decode_pod_manifest(encode_pod_manifest(manifest), template=True) == manifest


@pytest.mark.spec("POD-057")
def test_canonical_bytes_of_a_small_pod() -> None:
    entry = RuntimeApp(name="a", image=RuntimeImage(id=FULL_ID), mounts=[Mount(volume="v", path="/p")])
    manifest = PodManifest(apps=[entry], user_labels=(("k", "v"),))
    assert encode_pod_manifest(manifest).decode() == (
        '{"acVersion":"0.8.11","acKind":"PodManifest",'
        f'"apps":[{{"name":"a","image":{{"id":"{FULL_ID}"}},"mounts":[{{"volume":"v","path":"/p"}}]}}],'
        '"volumes":null,"isolators":null,"annotations":null,"ports":null,"userLabels":{"k":"v"}}'
    )
    assert decode_pod_manifest(encode_pod_manifest(manifest)) == manifest


@pytest.mark.spec("POD-033", "POD-055")
def test_isolators_of_the_pod_are_kept(pod: Build) -> None:
    isolators = [{"name": "resource/memory", "value": {"limit": "4G"}}, {"name": "example.com/x", "value": 1}]
    manifest = decode_pod_manifest(pod(isolators=isolators))
    assert [isolator.name for isolator in manifest.isolators] == ["resource/memory", "example.com/x"]
    assert decode_pod_manifest(encode_pod_manifest(manifest)) == manifest


def test_text_that_is_not_unicode_cannot_be_written() -> None:
    with pytest.raises(ManifestError, match="holds text that is not Unicode"):
        encode_pod_manifest(PodManifest(apps=[], user_labels=(("a", "\udcff"),)))


def test_an_image_is_not_a_pod(image: Build, pod: Build) -> None:
    with pytest.raises(ManifestError):
        decode_pod_manifest(image())
    with pytest.raises(ManifestError):
        decode_image_manifest(pod())
