"""A pod that cannot be prepared leaves nothing: no pod, no tree, and a line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.archives import entry
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns


def pods(runs: PodRuns) -> list[str]:
    return sorted(path.name for phase in (runs.rkt.data / "pods").iterdir() for path in phase.iterdir())


@pytest.mark.parametrize("verb", ["run", "prepare"])
@pytest.mark.spec("ACE-021", "ACE-024")
def test_source_that_cannot_be_mounted_is_told_before_there_is_a_pod(runs: PodRuns, tmp_path: Path, verb: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for source, why in ((tmp_path / "missing", "does not exist"), (tmp_path / "link", "symbolic link")):
        flags = [f"--volume=v,kind=host,source={source}", "--mount=volume=v,target=/mnt"]
        result = runs.rkt(*runs.argv("exit", "0", flags=flags, verb=verb)).checked(254)
        assert f'volume "v": source "{source}"' in result.stderr and why in result.stderr
    assert pods(runs) == []


def test_image_that_cannot_be_rendered_leaves_no_pod(runs: PodRuns, tmp_path: Path) -> None:
    # a hard link below its own target: nothing can be both a file and a directory
    bad = entry("rootfs/a/b", kind="1", target="rootfs/bin/probe/x")
    path = write_image(tmp_path / "bad.aci", image_manifest(app_section("exit", "0")), bad)
    before = sorted((runs.rkt.data / "cas" / "tree").iterdir())
    result = runs.rkt("run", "--net=none", "--insecure-options=image", path)
    assert result.status == 254
    assert pods(runs) == []
    assert sorted((runs.rkt.data / "cas" / "tree").iterdir()) == before


def test_hostname_that_cannot_be_is_told_before_there_is_a_pod(runs: PodRuns) -> None:
    result = runs.rkt(*runs.argv("exit", "0", flags=["--hostname=a:b"])).checked(254)
    assert 'cannot use the hostname "a:b"' in result.stderr
    assert pods(runs) == []
