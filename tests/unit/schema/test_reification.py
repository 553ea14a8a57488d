from __future__ import annotations

import pytest

from rkt.schema.app import App, MountPoint, Port
from rkt.schema.pod import ExposedPort, Mount, PodManifest, RuntimeApp, RuntimeImage
from rkt.schema.reification import find_reification_problems
from rkt.schema.volume import Volume

FULL_ID = "sha512-" + "ab" * 64
IMAGE = RuntimeImage(id=FULL_ID)
DATA = App(user="0", group="0", mount_points=[MountPoint(name="data", path="/data/")])
VOLUME = Volume(name="v", kind="empty")


def _problems(manifest: PodManifest, **image_apps: App | None) -> list[str]:
    return [str(problem) for problem in find_reification_problems(manifest, image_apps)]


@pytest.mark.spec("POD-048")
def test_every_app_names_its_image_by_a_whole_id() -> None:
    apps = [
        RuntimeApp(name="a", image=RuntimeImage(id=i), app=DATA.replace(mount_points=())) for i in ("", "sha512-ab")
    ]
    assert _problems(PodManifest(apps=apps)) == [
        "apps[0].image.id: is required",
        "apps[1].image.id: must have 128 lower-case hexadecimal digits after the hyphen",
    ]


@pytest.mark.spec("POD-046", "POD-047")
def test_every_mount_point_needs_a_volume() -> None:
    app = RuntimeApp(name="a", image=IMAGE)
    assert _problems(PodManifest(apps=[app]), a=DATA) == ['apps[0].mounts: no volume satisfies the mount point "data"']
    by_name = PodManifest(apps=[app], volumes=[VOLUME.replace(name="data")])
    assert _problems(by_name, a=DATA) == []
    mounted = PodManifest(apps=[app.replace(mounts=[Mount(volume="v", path="/./data")])], volumes=[VOLUME])
    assert _problems(mounted, a=DATA) == []


@pytest.mark.spec("POD-016", "POD-017")
def test_every_mount_needs_a_volume() -> None:
    app = RuntimeApp(name="a", image=IMAGE, app=DATA, mounts=[Mount(volume="v", path="/data")])
    assert _problems(PodManifest(apps=[app])) == ['apps[0].mounts[0].volume: "v" is not a volume']
    own = app.replace(mounts=[Mount(volume="v", path="/data", app_volume=VOLUME)])
    assert _problems(PodManifest(apps=[own])) == []


@pytest.mark.spec("POD-036")
def test_every_published_port_is_a_port_of_an_app() -> None:
    app = RuntimeApp(name="a", image=IMAGE)
    port = Port(name="p", protocol="tcp", port=1)
    manifest = PodManifest(apps=[app], ports=[ExposedPort(name="p", host_port=1)])
    assert _problems(manifest, a=App(user="0", group="0", ports=[port])) == []
    assert _problems(manifest, a=App(user="0", group="0")) == ['ports[0].name: "p" is not a port of any app']
    given = manifest.replace(ports=[ExposedPort(name="p", host_port=1, pod_port=port)])
    assert _problems(given, a=App(user="0", group="0")) == []


@pytest.mark.spec("POD-011")
def test_the_apps_of_images_count_where_the_pod_replaces_none() -> None:
    manifest = PodManifest(apps=[RuntimeApp(name="a", image=IMAGE)])
    assert _problems(manifest, a=None) == ["apps[0].app: is required: the image does not say what to execute"]
    replaced = PodManifest(apps=[RuntimeApp(name="a", image=IMAGE, app=App(user="0", group="0"))])
    assert _problems(replaced, a=DATA) == []
