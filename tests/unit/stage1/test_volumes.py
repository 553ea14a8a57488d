"""Which volume goes where in an app, and which pods cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkt.schema.app import App, MountPoint
from rkt.schema.pod import Mount, PodManifest, RuntimeApp, RuntimeImage
from rkt.schema.volume import Volume
from rkt.stage1.volumes import VolumeError, VolumeMount, plan_volume_mounts

POD = "/pod"
HOST = Volume(name="data", kind="host", source="/srv/data")
EMPTY = Volume(name="scratch", kind="empty")


def plan(
    *volumes: Volume, mounts: tuple[Mount, ...] = (), points: tuple[MountPoint, ...] = ()
) -> tuple[VolumeMount, ...]:
    """The mounts of app "web" in a pod with ``volumes``."""
    app = App(exec=("/bin/true",), user="0", group="0", mount_points=points)
    runtime_app = RuntimeApp(name="web", image=RuntimeImage(id="sha512-" + "0" * 128), app=app, mounts=mounts)
    return plan_volume_mounts(PodManifest(apps=(runtime_app,), volumes=volumes), runtime_app, app, pod_path=POD)


def refused(*volumes: Volume, mounts: tuple[Mount, ...] = (), points: tuple[MountPoint, ...] = ()) -> VolumeError:
    with pytest.raises(VolumeError) as caught:
        plan(*volumes, mounts=mounts, points=points)
    return caught.value


def test_app_without_mounts_has_none() -> None:
    assert plan(HOST, EMPTY) == ()


def test_explicit_mount_of_a_host_volume() -> None:
    (mount,) = plan(HOST, mounts=(Mount(volume="data", path="/var/data"),))
    assert (mount.volume, mount.source, mount.path, mount.host) == ("data", "/srv/data", "/var/data", True)
    assert (mount.read_only, mount.recursive) == (False, True)


def test_empty_volume_lies_in_the_pod_directory() -> None:
    (mount,) = plan(EMPTY, mounts=(Mount(volume="scratch", path="/tmp/x"),))
    assert (mount.source, mount.host, mount.recursive) == ("/pod/sharedVolumes/scratch", False, False)


def test_mount_point_takes_the_volume_of_its_name() -> None:
    (mount,) = plan(HOST, points=(MountPoint(name="data", path="/var/data"),))
    assert (mount.volume, mount.path) == ("data", "/var/data")


def test_mount_point_takes_the_volume_of_app_and_name() -> None:
    """What stage0 makes for a mount point that nobody gave a volume."""
    implicit = Volume(name="web-data", kind="empty")
    (mount,) = plan(implicit, points=(MountPoint(name="data", path="/var/data"),))
    assert mount.source == "/pod/sharedVolumes/web-data"
    (mount,) = plan(implicit, HOST, points=(MountPoint(name="data", path="/var/data"),))
    assert mount.volume == "data", "the volume of the name itself comes first"


def test_explicit_mount_takes_the_place_of_a_mount_point() -> None:
    other = Volume(name="other", kind="host", source="/srv/other")
    points = (MountPoint(name="data", path="/var/data/"),)
    (mount,) = plan(HOST, other, mounts=(Mount(volume="other", path="/var/./data"),), points=points)
    assert mount.volume == "other"


def test_mount_may_bring_its_own_volume() -> None:
    own = Volume(name="own", kind="host", source="/srv/own")
    (mount,) = plan(mounts=(Mount(volume="own", path="/x", app_volume=own),))
    assert mount.source == "/srv/own"


@pytest.mark.parametrize(
    ("volume_read_only", "point_read_only", "expected"),
    [(None, False, False), (False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
@pytest.mark.parametrize("explicit", [True, False])
def test_read_only_if_either_says_so(
    volume_read_only: bool | None, point_read_only: bool, expected: bool, explicit: bool
) -> None:
    volume = Volume(name="data", kind="host", source="/srv", read_only=volume_read_only)
    mounts = (Mount(volume="data", path="/x"),) if explicit else ()
    (mount,) = plan(volume, mounts=mounts, points=(MountPoint(name="data", path="/x", read_only=point_read_only),))
    assert mount.read_only is expected
    assert ("(attributes 0x5)" in mount.plan_step("/root").describe()) is expected


@pytest.mark.parametrize(("recursive", "expected"), [(None, True), (True, True), (False, False)])
def test_host_volume_is_recursive_unless_told_otherwise(recursive: bool | None, expected: bool) -> None:
    volume = Volume(name="data", kind="host", source="/srv", recursive=recursive)
    (mount,) = plan(volume, mounts=(Mount(volume="data", path="/x"),))
    assert mount.recursive is expected
    assert mount.plan_step("/root").describe().startswith("bind recursively" if expected else "bind /srv")


def test_step_honours_no_device_and_checks_a_users_source() -> None:
    (host,) = plan(HOST, mounts=(Mount(volume="data", path="/x"),))
    step = host.plan_step("/root")
    assert step.describe() == "bind recursively /srv/data on /x in /root (attributes 0x4)"
    assert step.host_source
    (empty,) = plan(EMPTY, mounts=(Mount(volume="scratch", path="/x"),))
    assert not empty.plan_step("/root").host_source


def test_slash_at_the_end_of_a_source_means_nothing() -> None:
    (mount,) = plan(Volume(name="data", kind="host", source="/srv/"), mounts=(Mount(volume="data", path="/x"),))
    assert mount.source == "/srv"
    (mount,) = plan(Volume(name="data", kind="host", source="/"), mounts=(Mount(volume="data", path="/x"),))
    assert mount.source == "/"


def test_mounts_are_in_the_order_of_their_paths() -> None:
    paths = ("/z", "/a/b", "/a-b", "/m")
    mounts = plan(HOST, mounts=tuple(Mount(volume="data", path=path) for path in paths))
    assert [mount.path for mount in mounts] == ["/a/b", "/a-b", "/m", "/z"]


# --- what is refused -----------------------------------------------------------------------------------------------


def test_mount_of_an_unknown_volume() -> None:
    error = refused(HOST, mounts=(Mount(volume="nothing", path="/x"),))
    assert error.message == 'cannot mount "/x" in app "web": no volume "nothing"'


def test_mount_point_without_a_volume() -> None:
    error = refused(HOST, points=(MountPoint(name="logs", path="/var/log"),))
    assert error.message == 'mount point "logs" (/var/log) of app "web" has no volume'
    assert error.hint is not None and error.hint.startswith("add --volume logs,")


@pytest.mark.spec("ACE-016")
@pytest.mark.parametrize("again", ["/x", "/x/", "//x", "/./x", "/x/."])
def test_two_mounts_on_one_path(again: str) -> None:
    error = refused(HOST, EMPTY, mounts=(Mount(volume="data", path="/x"), Mount(volume="scratch", path=again)))
    assert error.message == 'cannot mount twice on "/x" in app "web"'


@pytest.mark.spec("ACE-016")
def test_two_mount_points_on_one_path() -> None:
    points = (MountPoint(name="data", path="/x"), MountPoint(name="scratch", path="/x/"))
    assert refused(HOST, EMPTY, points=points).message == 'cannot mount twice on "/x" in app "web"'


@pytest.mark.spec("ACE-016")
@pytest.mark.parametrize(("above", "below"), [("/x", "/x/y"), ("/x", "/x/y/z"), ("/x/y", "/x/y/z")])
@pytest.mark.parametrize("turned", [False, True])
def test_mount_inside_another_mount(above: str, below: str, turned: bool) -> None:
    paths = (below, above) if turned else (above, below)
    error = refused(HOST, mounts=tuple(Mount(volume="data", path=path) for path in (*paths, "/x-other")))
    assert error.message == f'mounts of app "web" overlap: "{above}" and "{below}"'


@pytest.mark.spec("ACE-016")
def test_mount_point_inside_an_explicit_mount() -> None:
    points = (MountPoint(name="data", path="/x/y"),)
    error = refused(HOST, EMPTY, mounts=(Mount(volume="scratch", path="/x"),), points=points)
    assert error.message == 'mounts of app "web" overlap: "/x" and "/x/y"'


names = st.sampled_from(("a", "b", "a-b", "a.b", "ab"))
mount_paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(mount_paths, max_size=6))
def test_overlap_is_found_in_any_order(paths: list[str]) -> None:
    """Against the definition: some path is equal to, or below, another."""
    overlapping = any(
        first == second or second.startswith(first + "/")
        for index, first in enumerate(paths)
        for other, second in enumerate(paths)
        if index != other
    )
    try:
        planned = plan(HOST, mounts=tuple(Mount(volume="data", path=path) for path in paths))
    except VolumeError:
        assert overlapping
    else:
        assert not overlapping
        assert sorted(mount.path for mount in planned) == sorted(paths)
