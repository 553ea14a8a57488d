"""Images of earlier releases of the specification run as they were meant."""

from __future__ import annotations

import pytest
from harness.stocked_store import PodRuns


@pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
@pytest.mark.parametrize("version", ["0.1.1", "0.5.1", "0.7.4"])
def test_image_of_that_release_runs_with_its_environment(runs: PodRuns, version: str, store: tuple[str, ...]) -> None:
    result = runs.rkt("run", "--net=none", *store, runs.ids[f"old-{version}"]).checked()
    assert result.stdout.startswith(f"made for {version}\n")
    assert "GREETING=hello" in result.facts["env"]


def test_isolators_and_groups_of_old_images_take_effect(runs: PodRuns) -> None:
    words = ["--exec=/bin/probe", "--", "caps", "+", "ids"]
    old = runs.rkt("run", "--net=none", runs.ids["old-0.7.4"], *words).checked().facts
    assert int(old["caps"]["CapBnd"], 16) & 1 << 13 == 0, "CAP_NET_RAW is in its remove set"
    assert old["ids"]["groups"] == [29, 50]


def test_mount_point_of_an_old_image_takes_a_volume(runs: PodRuns) -> None:
    flags = ["--net=none", "--volume=database,kind=empty"]
    words = ["--exec=/bin/probe", "--", "write", "/db/x", "written", "+", "cat", "/db/x"]
    assert runs.rkt("run", *flags, runs.ids["old-0.1.1"], *words).checked().stdout == "written"
