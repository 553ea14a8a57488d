"""Where things lie on disk."""

from __future__ import annotations

from rkt.paths import POD_PHASES, ConfigDirectories, DataDirectory


def test_default_directories_are_the_founding_documents() -> None:
    assert DataDirectory().root == "/var/lib/rkt"
    assert ConfigDirectories().in_order() == ("/usr/lib/rkt", "/etc/rkt")


def test_everything_lies_below_the_data_directory() -> None:
    data = DataDirectory("/d")
    assert (data.cas, data.trees, data.pods) == ("/d/cas", "/d/cas/tree", "/d/pods")
    assert (data.locks, data.temporary, data.seccomp_cache) == ("/d/locks", "/d/tmp", "/d/seccomp")
    assert data.pod_phase("run") == "/d/pods/run"
    assert data.pod("exited-garbage", "u") == "/d/pods/exited-garbage/u"


def test_pod_phases_are_in_the_order_of_a_pods_life() -> None:
    assert POD_PHASES == ("embryo", "prepare", "prepared", "run", "exited-garbage", "garbage")


def test_user_configuration_is_read_last() -> None:
    directories = ConfigDirectories("/local", "/system", "/user")
    assert directories.in_order() == ("/system", "/local", "/user")
