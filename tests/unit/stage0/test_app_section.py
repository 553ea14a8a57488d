"""Isolators asked for replace those of the image of the same kind."""

from __future__ import annotations

import pytest

from rkt.schema.isolator import Isolator
from rkt.stage0.app_section import override_isolators
from rkt.stage0.request import IsolatorOverrides, SeccompOverride

MEMORY = Isolator(name="resource/memory", value={"request": "1G", "limit": "2G"})
RETAIN = Isolator(name="os/linux/capabilities-retain-set", value={"set": ["CAP_KILL"]})
SECCOMP = Isolator(name="os/linux/seccomp-retain-set", value={"set": ["@appc.io/all"]})
UNKNOWN = Isolator(name="example.com/unknown", value=[1])
IMAGE = (MEMORY, RETAIN, SECCOMP, UNKNOWN)


def override(**asked: object) -> list[tuple[str, object]]:
    overridden = override_isolators(IMAGE, IsolatorOverrides().replace(**asked))
    return [(isolator.name, isolator.value) for isolator in overridden if isolator not in IMAGE]


def test_nothing_asked_leaves_the_image_s_isolators() -> None:
    assert override_isolators(IMAGE, IsolatorOverrides()) == IMAGE


@pytest.mark.parametrize(
    ("asked", "added", "gone"),
    [
        ({"memory": "16M"}, [("resource/memory", {"limit": "16M"})], MEMORY),
        ({"cpu": "500m"}, [("resource/cpu", {"limit": "500m"})], None),
        ({"cpu_shares": 512}, [("os/linux/cpu-shares", 512)], None),
        ({"oom_score_adj": -5}, [("os/linux/oom-score-adj", -5)], None),
        ({"caps_retain": ("CAP_CHOWN",)}, [("os/linux/capabilities-retain-set", {"set": ["CAP_CHOWN"]})], RETAIN),
        ({"caps_remove": ("CAP_CHOWN",)}, [("os/linux/capabilities-remove-set", {"set": ["CAP_CHOWN"]})], RETAIN),
        (
            {"seccomp": SeccompOverride(retain=False, names=("mount",), errno="EPERM")},
            [("os/linux/seccomp-remove-set", {"set": ["mount"], "errno": "EPERM"})],
            SECCOMP,
        ),
        (
            {"seccomp": SeccompOverride(retain=True, names=("read",))},
            [("os/linux/seccomp-retain-set", {"set": ["read"]})],
            SECCOMP,
        ),
    ],
)
def test_isolator_asked_for_replaces_its_kind(
    asked: dict[str, object], added: list[tuple[str, object]], gone: Isolator | None
) -> None:
    assert override(**asked) == added
    kept = set(override_isolators(IMAGE, IsolatorOverrides().replace(**asked))) & set(IMAGE)
    assert kept == set(IMAGE) - {gone}


@pytest.mark.spec("TYPE-032")
def test_unknown_isolator_of_the_image_is_kept() -> None:
    assert UNKNOWN in override_isolators(IMAGE, IsolatorOverrides(memory="1G", caps_retain=()))
