"""From isolators to limits, capabilities and filters; what is not enforced is named."""

from __future__ import annotations

import json

import pytest

from rkt.linux import capabilities
from rkt.schema.pod import decode_pod_manifest
from rkt.stage1.confinement import DEFAULT_PIDS, Confinement, plan_confinement

DEFAULT_MASK = 0xA80425FB


def confinement(*isolators: tuple[str, object]) -> Confinement:
    """Of an app whose manifest has these isolators."""
    app = {
        "exec": ["/x"],
        "user": "0",
        "group": "0",
        "isolators": [{"name": name, "value": value} for name, value in isolators],
    }
    apps = [{"name": "web", "image": {"id": "sha512-" + "0" * 128}, "app": app}]
    document = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": apps}
    manifest = decode_pod_manifest(json.dumps(document).encode())
    decoded = manifest.apps[0].app
    assert decoded is not None
    return plan_confinement(decoded.isolators)


RETAIN, REMOVE = "os/linux/capabilities-retain-set", "os/linux/capabilities-remove-set"


@pytest.mark.spec("ISO-033")
def test_without_isolators_the_default_holds() -> None:
    plain = confinement()
    assert plain.bounding_set == DEFAULT_MASK
    assert (plain.no_new_privileges, plain.oom_score_adj, plain.ignored) == (False, None, [])
    limits = plain.limits()
    assert (limits.memory_bytes, limits.cpu_millicores, limits.cpu_shares) == (None, None, None)
    assert limits.pids == DEFAULT_PIDS


@pytest.mark.spec("ISO-034")
def test_remove_set_takes_from_the_default() -> None:
    found = confinement((REMOVE, {"set": ["CAP_NET_RAW", "CAP_MKNOD"]}))
    gone = capabilities.mask_of(("CAP_NET_RAW", "CAP_MKNOD"))
    assert found.bounding_set == DEFAULT_MASK & ~gone
    assert found.ignored == []


@pytest.mark.spec("ISO-035")
def test_remove_set_of_what_is_not_there_grants_nothing() -> None:
    found = confinement((REMOVE, {"set": ["CAP_SYS_ADMIN"]}))
    assert (found.bounding_set, found.ignored) == (DEFAULT_MASK, [])


@pytest.mark.spec("ISO-036")
def test_retain_set_is_exactly_what_is_listed() -> None:
    found = confinement((RETAIN, {"set": ["CAP_NET_ADMIN", "CAP_KILL"]}))
    assert found.bounding_set == capabilities.mask_of(("CAP_NET_ADMIN", "CAP_KILL"))


@pytest.mark.parametrize(("name", "mask"), [(RETAIN, 1 << 5), (REMOVE, DEFAULT_MASK & ~(1 << 5))])
def test_capability_that_no_kernel_has_is_ignored_and_named(name: str, mask: int) -> None:
    found = confinement((name, {"set": ["CAP_PONIES", "CAP_KILL"]}))
    assert found.bounding_set == mask
    assert found.ignored == ["capability CAP_PONIES"]


def test_resources_become_limits() -> None:
    found = confinement(
        ("resource/memory", {"request": "16Mi", "limit": "32Mi"}),
        ("resource/cpu", {"limit": "500m"}),
        ("os/linux/cpu-shares", 512),
    )
    limits = found.limits()
    assert (limits.memory_bytes, limits.cpu_millicores, limits.cpu_shares) == (32 << 20, 500, 512)
    assert found.ignored == []


@pytest.mark.spec("ISO-065")
def test_resource_without_a_limit_limits_nothing() -> None:
    limits = confinement(("resource/memory", {}), ("resource/cpu", {})).limits()
    assert (limits.memory_bytes, limits.cpu_millicores) == (None, None)


@pytest.mark.spec("ISO-040")
@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges_is_what_it_says(value: bool) -> None:
    assert confinement(("os/linux/no-new-privileges", value)).no_new_privileges is value


@pytest.mark.parametrize("value", [-1000, 0, 1000])
def test_oom_score_is_what_it_says(value: int) -> None:
    assert confinement(("os/linux/oom-score-adj", value)).oom_score_adj == value


def test_last_isolator_of_a_name_counts() -> None:
    found = confinement(("resource/memory", {"limit": "1Mi"}), ("resource/memory", {"limit": "2Mi"}))
    assert found.memory_bytes == 2 << 20


@pytest.mark.spec("ISO-002")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("example.com/unheard-of", {"any": ["thing"]}),
        ("resource/block-bandwidth", {"default": True, "limit": "1M"}),
        ("resource/network-bandwidth", {"default": True, "limit": "1M"}),
        ("os/linux/seccomp-remove-set", {"set": ["reboot"]}),
        ("os/linux/seccomp-retain-set", {"set": ["read"]}),
        ("os/linux/selinux-context", {"user": "u", "role": "r", "type": "t", "level": "l"}),
    ],
)
def test_what_is_not_enforced_is_named_and_the_app_runs(name: str, value: object) -> None:
    found = confinement((name, value), ("resource/memory", {"limit": "1Mi"}))
    assert found.ignored == [name]
    assert found.memory_bytes == 1 << 20
