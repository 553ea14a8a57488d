from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.advice import find_warnings
from rkt.schema.image import decode_image_manifest
from rkt.schema.pod import decode_pod_manifest

Build = Callable[..., bytes]


def _warnings(data: bytes) -> list[str]:
    return [str(problem) for problem in find_warnings(decode_image_manifest(data))]


def test_a_good_manifest_has_no_warnings(image: Build) -> None:
    annotations = [{"name": "created", "value": "2014-10-27T19:32:27Z"}, {"name": "example.com/x", "value": ""}]
    app = {
        "user": "0",
        "group": "0",
        "ports": [{"name": "p", "protocol": "tcp", "port": 1}],
        "mountPoints": [{"name": "m", "path": "/m"}],
        "isolators": [
            {"name": "os/linux/seccomp-remove-set", "value": {"set": ["reboot"], "errno": "EPERM"}},
            {"name": "resource/memory", "value": {"request": "1M", "limit": "1M"}},
        ],
    }
    dependencies = [{"imageName": "a", "imageID": "sha512-" + "0" * 128}]
    assert _warnings(image(annotations=annotations, app=app, dependencies=dependencies)) == []


@pytest.mark.spec("TYPE-019", "IMG-004", "IMG-045", "IMG-050", "IMG-076", "IMG-080")
def test_doubtful_images(image: Build) -> None:
    port = {"name": "p", "protocol": "quic", "port": 1}
    mount_point = {"name": "m", "path": "m"}
    data = image(
        acVersion="0.8.12",
        name="app",
        app={"user": "0", "group": "0", "ports": [port, port], "mountPoints": [mount_point, mount_point]},
        annotations=[
            {"name": "appc.io/executor/supports-systemd-notify", "value": "yes"},
            {"name": "mine", "value": ""},
        ],
        dependencies=[{"imageName": "a", "imageID": "sha512-..."}],
    )
    assert [warning.partition(": ")[0] for warning in _warnings(data)] == [
        *("acVersion", "name", "app.mountPoints[1].name", "app.mountPoints[0].path", "app.mountPoints[1].path"),
        *("app.ports[1].name", "app.ports[0].protocol", "app.ports[1].protocol"),
        *("annotations[0].value", "annotations[1].name", "dependencies[0].imageID"),
    ]


@pytest.mark.spec("TYPE-061", "IMG-040", "ISO-010")
def test_doubtful_isolators(app_image: Build) -> None:
    isolators = [
        {"name": "resource/memory", "value": {"request": "2G", "limit": "1G"}},
        {"name": "resource/memory", "value": {"limit": "1G"}},
        {"name": "resource/cpu", "value": {"request": "345", "limit": "6"}},
        {"name": "os/unix/sysctl", "value": {}},
        {"name": "example.com/x", "value": 1},
        {"name": "os/linux/seccomp-retain-set", "value": {"set": ["a"], "errno": "EACCESS"}},
    ]
    assert _warnings(app_image(isolators=isolators)) == [
        "app.isolators[0]: a later resource/memory replaces it",
        "app.isolators[0].value: asks for more than its own limit",
        "app.isolators[2].value: asks for more than its own limit",
        'app.isolators[4].name: "example.com/x" is not known and ignored',
        'app.isolators[5].value.errno: "EACCESS" is not an error of this system',
        "app.isolators[3]: os/unix/sysctl is for whole pods",
    ]


@pytest.mark.spec("ISO-039", "TYPE-027", "TYPE-020")
def test_doubtful_pods(pod: Build) -> None:
    data = pod(
        acVersion="1.30.0",
        apps=[{"name": "a", "image": {"id": "sha512-ab"}, "app": {"user": "0", "group": "0"}}],
        isolators=[{"name": "os/linux/no-new-privileges", "value": True}],
    )
    manifest = decode_pod_manifest(data)
    assert [problem.path for problem in find_warnings(manifest)] == ["acVersion", "apps[0].image.id", "isolators[0]"]
    assert [problem.path for problem in find_warnings(manifest, template=True)] == ["acVersion", "isolators[0]"]
