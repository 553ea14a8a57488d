"""rkt as a user without any right: every verb works or says in one line why not, and nothing of the store is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.archives import entry
from harness.images import app_section, image_manifest, write_image
from harness.private_machine import run_as_user, run_command
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns, StockedStore

UUID = "00000000-0000-4000-8000-000000000000"
pytestmark = pytest.mark.needs("setpriv", "mount", "namespaces")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can reach, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="rkt-user-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def shared(place: Path, stocked_store: StockedStore, leak_check: None) -> PodRuns:
    """A stocked data directory of root's below the reachable directory."""
    command = RktCommand(place)
    stocked_store.copy_to(command.data)
    return PodRuns(command, stocked_store.ids)


@pytest.mark.parametrize("words", [["version"], ["help"], ["help", "run"], ["run", "--help"]], ids="-".join)
def test_verbs_about_rkt_itself_work(shared: PodRuns, words: list[str]) -> None:
    assert run_as_user(shared.rkt.argv(*words)).checked().stdout


@pytest.mark.parametrize(
    "words",
    [
        *(["run", "--net=none", "sha512-00"], ["prepare", "sha512-00"], ["run-prepared", UUID]),
        *(["gc"], ["rm", UUID], ["stop", UUID], ["list"], ["status", UUID], ["cat-manifest", UUID]),
        *(["image", "list"], ["image", "rm", "sha512-00"], ["image", "cat-manifest", "sha512-00"]),
        *(["fetch", "/bin/true"], ["trust", "--root", "--skip-fingerprint-review", "/etc/passwd"]),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_verbs_on_roots_data_end_with_one_clear_line(shared: PodRuns, words: list[str]) -> None:
    result = run_as_user(shared.rkt.argv(*words)).checked(254)
    lines = result.stderr.splitlines()
    errors = [line for line in lines if "hint:" not in line and "warning:" not in line and "networking" not in line]
    summaries = ("failed to", "cannot be removed", "error(s) found")
    errors = [line for line in errors if not any(text in line for text in summaries)]
    assert len(errors) == 1, result.stderr
    assert result.stdout == ""
    verb = words[0] if words[0] != "image" else words[1]
    assert errors[0].startswith(f"{verb}: ")
    if words[0] != "trust":
        assert "permission denied" in errors[0] or "unprivileged user" in errors[0], errors


def test_image_build_and_validate_work_on_ones_own_files(shared: PodRuns, place: Path) -> None:
    layout = place / "mine"
    (layout / "rootfs").mkdir(parents=True)
    (layout / "manifest").write_bytes(image_manifest(app_section()))
    for path in (layout, layout / "rootfs", layout / "manifest"):
        os.chown(path, 1000, 1000)
    run_as_user(shared.rkt.argv("image", "build", str(layout), str(layout / "out.aci"))).checked()
    run_as_user(shared.rkt.argv("image", "validate", str(layout / "out.aci"))).checked()
    assert (layout / "out.aci").stat().st_uid == 1000


def test_suid_programs_of_images_in_the_store_are_out_of_reach(shared: PodRuns, place: Path) -> None:
    """T10, H1: what an image makes suid must not be so for the users of the host."""
    path = write_image(
        place / "suid.aci",
        image_manifest(app_section("stat", "/bin/su")),
        entry("rootfs/bin/su", b"#!/bin/sh\nid\n", mode=0o4755),
    )
    for store in ((), ("--no-overlay",)):
        assert shared.image(path, flags=store).facts["stat"]["mode"] == 0o4755
    suids = [found for found in shared.rkt.data.rglob("su") if found.is_file()]
    assert len(suids) >= 2, "a rendered tree and a pod's copy"
    look = ["find", str(shared.rkt.data), "-perm", "-4000"]
    identity = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]
    assert run_command([*identity, *look]).stdout == ""
    for one in suids:
        assert subprocess.run([*identity, str(one)], capture_output=True, check=False).returncode != 0
    (pod, _) = (shared.rkt.data / "pods" / "run").iterdir()
    for secret in (pod / "pod", pod, shared.rkt.data / "cas" / "db" / "index.sqlite"):
        assert run_command([*identity, "cat", str(secret)]).status != 0
