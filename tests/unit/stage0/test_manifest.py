"""From what was asked for to the pod manifest."""

from __future__ import annotations

import pytest

from rkt.errors import RktError
from rkt.schema.app import App, EnvironmentVariable, MountPoint, Port
from rkt.schema.image import ImageManifest
from rkt.schema.label import Label
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
from rkt.schema.reification import find_reification_problems
from rkt.schema.volume import Volume
from rkt.stage0.manifest import (
    PodPlan,
    RequestError,
    check_platform,
    check_pod_manifest,
    plan_app_name,
    plan_pod_manifest,
)
from rkt.stage0.request import AppRequest, PodRequest

IMAGE_ID = "sha512-" + "ab" * 64
KEY = IMAGE_ID[: 7 + 64]
PLATFORM = (Label(name="os", value="linux"), Label(name="arch", value="amd64"))
APP = App(
    exec=("/bin/db", "--serve"),
    user="100",
    group="101",
    working_directory="/var",
    environment=(EnvironmentVariable(name="FROM", value="image"), EnvironmentVariable(name="PATH", value="/bin")),
    mount_points=(MountPoint(name="database", path="/db"),),
    ports=(Port(name="sql", protocol="tcp", port=5432),),
)


def image(
    name: str = "example.com/db", *, app: App | None = APP, labels: tuple[Label, ...] = PLATFORM
) -> ImageManifest:
    return ImageManifest(name=name, labels=(Label(name="version", value="1.0"), *labels), app=app)


def asked(image_manifest: ImageManifest | None = None, /, **changes: object) -> AppRequest:
    request = AppRequest(key=KEY, image_id=IMAGE_ID, manifest=image_manifest or image())
    return request.replace(**changes)


def plan(*apps: AppRequest, **changes: object) -> PodPlan:
    return plan_pod_manifest(PodRequest(apps=apps or (asked(),)).replace(**changes))


def only_app(planned: PodPlan) -> RuntimeApp:
    (app,) = planned.manifest.apps
    return app


def section(planned: PodPlan) -> App:
    app = only_app(planned).app
    assert app is not None
    return app


# --- the manifest as a whole ---


@pytest.mark.spec("POD-046", "POD-047", "POD-048")
def test_planned_manifest_is_complete_whatever_was_left_out() -> None:
    planned = plan(asked(), asked(image("example.com/web")))
    apps = {app.name: app.app for app in planned.manifest.apps}
    assert find_reification_problems(planned.manifest, apps) == ()
    assert [app.image.id for app in planned.manifest.apps] == [IMAGE_ID, IMAGE_ID]


def test_planned_manifest_survives_its_encoding() -> None:
    planned = plan(
        asked(annotations=(("example.com/a", "1"),), user_labels=(("k", "v"),)),
        volumes=(Volume(name="data", kind="host", source="/srv", read_only=True),),
        user_annotations=(("b", "2"), ("a", "1")),
    )
    assert decode_pod_manifest(encode_pod_manifest(planned.manifest)) == planned.manifest


def test_image_is_named_by_id_name_and_labels() -> None:
    planned = plan()
    assert only_app(planned).image == RuntimeImage(id=IMAGE_ID, name="example.com/db", labels=image().labels)
    assert planned.images == {"db": KEY}


def test_pod_is_marked_as_not_mutable() -> None:
    assert plan().manifest.annotation("coreos.com/rkt/stage1/mutable") == "false"


def test_annotations_and_rootfs_mode_are_the_app_s() -> None:
    planned = plan(asked(annotations=(("a", "1"), ("a", "2"), ("b", "3")), read_only_rootfs=True))
    assert [(a.name, a.value) for a in only_app(planned).annotations] == [("a", "2"), ("b", "3")]
    assert only_app(planned).read_only_root_fs is True


# --- names ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com/db", "db"),
        ("coreos.com/etcd", "etcd"),
        ("a/b.c_d", "b-c-d"),
        ("busybox", "busybox"),
        ("x/1~2", "1-2"),
    ],
)
def test_app_is_named_after_the_last_part_of_its_image(name: str, expected: str) -> None:
    assert plan_app_name(asked(image(name))) == expected


@pytest.mark.spec("POD-006")
def test_name_asked_for_wins_and_lets_one_image_be_used_twice() -> None:
    planned = plan(asked(name="first"), asked(name="second"))
    assert [app.name for app in planned.manifest.apps] == ["first", "second"]


@pytest.mark.spec("POD-005")
def test_two_apps_of_one_name_are_refused() -> None:
    with pytest.raises(RequestError, match="multiple apps with name db") as caught:
        plan(asked(), asked())
    assert caught.value.hint is not None
    assert "--name" in caught.value.hint


# --- platform ---


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((), "missing os label in the image manifest"),
        ((Label(name="os", value="linux"),), "missing arch label in the image manifest"),
        (
            (Label(name="os", value="freebsd"), Label(name="arch", value="amd64")),
            'bad os "freebsd" (must be one of: [linux])',
        ),
        (
            (Label(name="os", value="linux"), Label(name="arch", value="s390x")),
            'bad arch "s390x" for linux (must be one of: [amd64 i386 aarch64 aarch64_be armv6l armv7l armv7b ppc64le])',
        ),
    ],
)
def test_image_for_another_platform_is_refused(labels: tuple[Label, ...], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_platform(image(labels=labels))
    assert caught.value.message == f'image "example.com/db": {message}'


# --- exec, user, directory ---


@pytest.mark.spec("IMG-014")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("/bin/db", "--serve")),
        ({"arguments": ("-v", "")}, ("/bin/db", "--serve", "-v", "")),
        ({"exec": "/bin/a b"}, ("/bin/a b",)),
        ({"exec": "sh", "arguments": ("-c", "x")}, ("sh", "-c", "x")),
    ],
)
def test_exec_replaces_and_arguments_are_appended(changes: dict[str, object], expected: tuple[str, ...]) -> None:
    assert section(plan(asked(**changes))).exec == expected


def test_image_without_app_needs_exec() -> None:
    with pytest.raises(RktError) as caught:
        plan(asked(image(app=None)))
    assert caught.value.message == f"image {IMAGE_ID} has no app section and --exec argument is not provided"


def test_image_without_app_runs_as_the_caller() -> None:
    app = section(plan(asked(image(app=None), exec="/bin/x"), caller=(1000, 100)))
    assert (app.exec, app.user, app.group) == (("/bin/x",), "1000", "100")


def test_app_with_nothing_to_execute_is_refused() -> None:
    with pytest.raises(RktError, match="app has no executable"):
        plan(asked(image(app=APP.replace(exec=()))))


@pytest.mark.spec("IMG-031")
def test_user_groups_and_directory_are_the_image_s_unless_asked_for() -> None:
    app = section(plan())
    assert (app.user, app.group, app.supplementary_gids, app.working_directory) == ("100", "101", (), "/var")
    app = section(plan(asked(user="root", group="/etc/passwd", supplementary_gids=(1, 2), working_directory="/tmp")))
    assert (app.user, app.group, app.supplementary_gids, app.working_directory) == (
        "root",
        "/etc/passwd",
        (1, 2),
        "/tmp",
    )


def test_user_annotations_and_labels_are_merged() -> None:
    manifest = image(app=APP.replace(user_annotations=(("a", "image"), ("b", "image")), user_labels=(("l", "image"),)))
    app = section(plan(asked(manifest, user_annotations=(("b", "asked"), ("0", "asked")))))
    assert app.user_annotations == (("0", "asked"), ("a", "image"), ("b", "asked"))
    assert app.user_labels == (("l", "image"),)


# --- environment ---


def environment(planned: PodPlan) -> dict[str, str]:
    return {variable.name: variable.value for variable in section(planned).environment}


@pytest.mark.spec("IMG-037")
def test_environments_are_merged_from_the_lowest_to_the_highest() -> None:
    planned = plan(
        asked(environment=(("FROM", "app"), ("APP", "app"))),
        inherited_environment=(("FROM", "inherited"), ("APP", "inherited"), ("INHERITED", "inherited"), ("FILE", "x")),
        file_environment=(("FILE", "file"), ("POD", "file")),
        environment=(("POD", "pod"),),
    )
    assert environment(planned) == {
        "FROM": "app",
        "PATH": "/bin",
        "APP": "app",
        "INHERITED": "inherited",
        "FILE": "file",
        "POD": "pod",
    }


def test_file_and_pod_environment_override_the_app_s() -> None:
    planned = plan(
        asked(environment=(("A", "app"), ("B", "app"))), file_environment=(("A", "file"),), environment=(("B", "pod"),)
    )
    assert environment(planned)["A"] == "file"
    assert environment(planned)["B"] == "pod"


@pytest.mark.parametrize(("name", "value"), [("BASH_FUNC_x%%", "() { :; }"), ("A", "\udcff"), ("1", "x")])
def test_inherited_variable_that_a_manifest_cannot_hold_is_left_out_with_a_warning(name: str, value: str) -> None:
    planned = plan(asked(image(app=APP.replace(mount_points=()))), inherited_environment=((name, value),))
    assert name not in environment(planned)
    assert planned.warnings == (f'environment variable "{name}" is not inherited: a manifest cannot hold it',)


# --- volumes and mounts ---

DATABASE = Volume(name="database", kind="host", source="/tmp")


def test_volume_of_its_name_satisfies_a_mount_point() -> None:
    planned = plan(volumes=(DATABASE,))
    assert only_app(planned).mounts == (Mount(volume="database", path="/db"),)
    assert planned.manifest.volumes == (DATABASE,)
    assert planned.warnings == ()


def test_mount_point_without_a_volume_gets_an_empty_one_and_a_warning() -> None:
    planned = plan()
    assert planned.manifest.volumes == (Volume(name="db-database", kind="empty", mode=0o755, uid=0, gid=0),)
    assert only_app(planned).mounts == (Mount(volume="db-database", path="/db"),)
    (warning,) = planned.warnings
    assert 'app "db": no volume for mount point "database"' in warning


def test_implicit_volume_never_takes_the_name_of_another() -> None:
    planned = plan(volumes=(Volume(name="db-database", kind="host", source="/srv"),))
    assert [volume.name for volume in planned.manifest.volumes] == ["db-database", "db-database-2"]
    assert only_app(planned).mounts == (Mount(volume="db-database-2", path="/db"),)


@pytest.mark.parametrize("path", ["/db", "/db/", "//db/.", "db"])
def test_explicit_mount_at_its_path_satisfies_a_mount_point(path: str) -> None:
    planned = plan(
        asked(mounts=(Mount(volume="data", path=path),)), volumes=(DATABASE, Volume(name="data", kind="empty"))
    )
    assert only_app(planned).mounts == (Mount(volume="data", path=path),)
    assert planned.warnings == ()


def test_pod_s_mounts_go_to_every_app_and_an_app_s_win_at_the_same_path() -> None:
    manifest = image(app=APP.replace(mount_points=()))
    volumes = (Volume(name="a", kind="empty"), Volume(name="b", kind="empty"))
    planned = plan(
        asked(manifest, name="one"),
        asked(manifest, name="two", mounts=(Mount(volume="b", path="/x/"),)),
        mounts=(Mount(volume="a", path="/x"), Mount(volume="a", path="/y")),
        volumes=volumes,
    )
    one, two = planned.manifest.apps
    assert set(one.mounts) == {Mount(volume="a", path="/x"), Mount(volume="a", path="/y")}
    assert set(two.mounts) == {Mount(volume="b", path="/x/"), Mount(volume="a", path="/y")}


@pytest.mark.spec("POD-017")
def test_mount_of_a_volume_that_is_not_there_is_refused() -> None:
    with pytest.raises(RequestError, match='dangling mount point "/x": volume "none" not found'):
        plan(mounts=(Mount(volume="none", path="/x"),))


@pytest.mark.spec("POD-022")
def test_two_volumes_of_one_name_are_refused() -> None:
    with pytest.raises(RequestError, match='duplicate volume name "database"'):
        plan(volumes=(DATABASE, DATABASE))


# --- ports ---


def test_port_of_one_app_is_exposed() -> None:
    planned = plan(ports=(ExposedPort(name="sql", host_port=5432),))
    assert planned.manifest.ports == (ExposedPort(name="sql", host_port=5432),)


@pytest.mark.spec("POD-036")
def test_port_that_no_app_has_is_refused() -> None:
    with pytest.raises(RequestError, match='port name "http" could not be found in any apps'):
        plan(ports=(ExposedPort(name="http", host_port=80),))


@pytest.mark.spec("POD-037")
def test_port_that_two_apps_have_is_refused() -> None:
    with pytest.raises(RequestError, match='port name "sql" defined multiple apps'):
        plan(asked(name="a"), asked(name="b"), ports=(ExposedPort(name="sql", host_port=80),))


# --- a supplied manifest ---


def supplied(*apps: RuntimeApp, **changes: object) -> PodManifest:
    default = RuntimeApp(name="db", image=RuntimeImage(id=IMAGE_ID))
    return PodManifest(apps=apps or (default,), volumes=(DATABASE,)).replace(**changes)


def test_supplied_manifest_that_is_complete_passes() -> None:
    check_pod_manifest(supplied(ports=(ExposedPort(name="sql", host_port=1),)), {"db": image()})


def test_supplied_manifest_may_shorten_image_ids_as_rkt_prints_them() -> None:
    check_pod_manifest(supplied(RuntimeApp(name="db", image=RuntimeImage(id=KEY))), {"db": image()})


@pytest.mark.parametrize(
    ("manifest", "images", "message"),
    [
        (PodManifest(apps=()), {}, "pod must contain at least one application"),
        (supplied(RuntimeApp(name="db", image=RuntimeImage())), {"db": image()}, 'no image ID for app "db"'),
        (
            supplied(*(RuntimeApp(name="db", image=RuntimeImage(id=IMAGE_ID)),) * 2),
            {"db": image()},
            "multiple apps with same name db",
        ),
        (supplied(), {"db": image(app=None)}, 'app "db": no app section in the pod manifest or the image manifest'),
        (supplied(), {"db": image(labels=())}, 'image "example.com/db": missing os label in the image manifest'),
        (
            supplied(ports=(ExposedPort(name="http", host_port=1),)),
            {"db": image()},
            'port name "http" could not be found in any apps',
        ),
    ],
)
def test_supplied_manifest_that_cannot_run_is_refused(
    manifest: PodManifest, images: dict[str, ImageManifest], message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        check_pod_manifest(manifest, images)
    assert caught.value.message == message


@pytest.mark.spec("POD-047")
def test_supplied_manifest_with_mounts_and_points_without_volumes_names_them_all() -> None:
    app = RuntimeApp(name="db", image=RuntimeImage(id=IMAGE_ID), mounts=(Mount(volume="none", path="/x"),))
    with pytest.raises(ManifestError) as caught:
        check_pod_manifest(supplied(app, volumes=()), {"db": image()})
    assert [problem.path for problem in caught.value.problems] == ["apps[0].mounts[0].volume", "apps[0].mounts"]


@pytest.mark.spec("POD-011")
def test_app_of_a_supplied_manifest_replaces_the_image_s_wholly() -> None:
    app = RuntimeApp(name="db", image=RuntimeImage(id=IMAGE_ID), app=App(exec=("/x",), user="0", group="0"))
    check_pod_manifest(supplied(app, volumes=()), {"db": image()})
    with pytest.raises(RequestError, match="could not be found"):
        check_pod_manifest(supplied(app, ports=(ExposedPort(name="sql", host_port=1),)), {"db": image()})
