"""The root file system of an app: its own, fresh for each run, writable unless asked otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.archives import archive, directory, entry, symlink
from harness.images import PROBE, app_section, image_manifest, write_image
from harness.stocked_store import PodRuns
from harness.trees import snapshot

BOTH_STORES = pytest.mark.parametrize("store", [(), ("--no-overlay",)], ids=["overlay", "copy"])
EROFS, ENOENT = 30, 2


@BOTH_STORES
@pytest.mark.spec("ACE-005")
def test_read_only_rootfs_refuses_writes_everywhere_but_in_the_pods_own_places(
    runs: PodRuns, store: tuple[str, ...]
) -> None:
    words: list[str] = []
    for path in ("/x", "/bin/x", "/tmp/x", "/dev/shm/x"):
        words += ["try", "write", path, "x", "+"]
    result = runs(*words, "stat", "/", flags=store, app=["--readonly-rootfs"])
    assert [fact["errno"] for fact in result.every("write")] == [EROFS, EROFS, EROFS, 0]


@BOTH_STORES
@pytest.mark.spec("ACE-006")
def test_rootfs_is_writable_by_default(runs: PodRuns, store: tuple[str, ...]) -> None:
    assert runs("write", "/x", "kept", "+", "cat", "/x", flags=store).stdout == "kept"


@BOTH_STORES
@pytest.mark.spec("ACE-004", "ACE-008")
def test_two_apps_of_one_image_have_file_systems_of_their_own(runs: PodRuns, store: tuple[str, ...]) -> None:
    write = ["--exec=/bin/probe", "--name=first", "--", "write", "/x", "first", "+", "write", "/dev/shm/done", ""]
    look = ["--exec=/bin/probe", "--name=second", "--", "wait-file", "/dev/shm/done", "10", "+", "stat", "/x"]
    image = runs.ids["hello"]
    result = runs.rkt("run", "--net=none", *store, image, *write, "---", image, *look).checked()
    assert result.facts["stat"]["errno"] == ENOENT


@BOTH_STORES
@pytest.mark.spec("DEP-025", "ACE-066")
def test_each_run_begins_with_the_files_of_the_image(runs: PodRuns, tmp_path: Path, store: tuple[str, ...]) -> None:
    commands = ["append", "/data/log", "x", "+", "cat", "/data/log", "+", "try", "rm", "/data/doomed"]
    path = write_image(
        tmp_path / "fresh.aci",
        image_manifest(app_section(*commands)),
        *(directory("rootfs/data"), entry("rootfs/data/log", b"image:"), entry("rootfs/data/doomed", b"")),
    )
    for _ in range(2):
        result = runs.image(path, flags=store)
        assert result.stdout.startswith("image:x{")
        assert result.facts["rm"]["errno"] == 0


@pytest.mark.needs("overlay")
@pytest.mark.spec("DEP-025")
def test_what_apps_do_never_reaches_the_rendered_tree(runs: PodRuns) -> None:
    trees = {path: snapshot(path) for path in (runs.rkt.data / "cas" / "tree").iterdir()}
    assert trees
    runs("write", "/bin/probe2", "x", "+", "chmod", "/bin", "0700", "+", "chown", "/bin/probe", "5", "6")
    assert {path: snapshot(path) for path in trees} == trees


@BOTH_STORES
def test_attributes_of_files_and_of_the_root_itself_arrive(
    runs: PodRuns, tmp_path: Path, store: tuple[str, ...]
) -> None:
    words = ["stat", "/", "+", "stat", "/file", "+", "stat", "/link"]
    path = tmp_path / "attributes.aci"
    manifest = image_manifest(app_section(*words, user="0"))
    path.write_bytes(
        archive(
            entry("manifest", manifest),
            entry("rootfs", kind="5", mode=0o711, uid=12, gid=34, mtime=1500000000),
            directory("rootfs/bin"),
            entry("rootfs/bin/probe", PROBE.read_bytes(), mode=0o755),
            entry("rootfs/file", b"12345", mode=0o4750, uid=1000, gid=50, mtime=1400000000),
            symlink("rootfs/link", "nowhere"),
        )
    )
    root, file, link = runs.image(path, flags=store).every("stat")
    assert (root["mode"], root["uid"], root["gid"]) == (0o711, 12, 34)
    assert (file["mode"], file["uid"], file["gid"], file["size"], file["mtime"]) == (0o4750, 1000, 50, 5, 1400000000)
    assert link["target"] == "nowhere"


@BOTH_STORES
def test_image_with_dependencies_is_rendered_in_order(
    runs: PodRuns, fixture_images: Path, store: tuple[str, ...]
) -> None:
    options = ["--insecure-options=image"]
    images = [fixture_images / f"tree-{name}.aci" for name in ("base", "lib", "app")]
    ids = runs.rkt("fetch", *options, "--full", *images).checked().stdout.split()
    result = runs.rkt("run", "--net=none", *options, *store, ids[2]).checked()
    assert result.stdout.startswith("app\ngreetings from the library\n")
    assert result.facts["stat"]["errno"] == ENOENT, "what the whitelist leaves out"
