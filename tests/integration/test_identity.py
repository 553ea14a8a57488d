"""As whom an app runs: user, group and supplementary groups, looked up in the image's own files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness.archives import directory, entry
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

PASSWD = b"root:x:0:0:root:/:/bin/false\nalice:x:1000:1000::/:/bin/false\n77:x:4077:4077::/:/bin/false\n"
GROUP = b"root:x:0:\nstaff:x:50:alice,root\n88:x:4088:\n"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image with users, groups, and files that belong to some of them."""
    return write_image(
        tmp_path / "users.aci",
        image_manifest(app_section("ids")),
        directory("rootfs/etc"),
        entry("rootfs/etc/passwd", PASSWD),
        entry("rootfs/etc/group", GROUP),
        entry("rootfs/owned", b"", uid=3001, gid=3002),
    )


def ids(runs: PodRuns, image: Path, *words: str) -> dict[str, Any]:
    facts: dict[str, Any] = runs.image(image, *words).facts["ids"]
    return facts


@pytest.mark.parametrize(
    ("user", "uid"),
    [
        pytest.param("alice", 1000, id="name"),
        pytest.param("77", 4077, id="digits-that-are-a-name"),
        pytest.param("1234", 1234, id="number"),
        pytest.param("4294967294", 4294967294, id="largest"),
        pytest.param("/owned", 3001, id="owner-of-a-file"),
    ],
)
@pytest.mark.spec("IMG-018", "IMG-019", "IMG-020", "ACE-054")
def test_user_becomes_all_three_user_ids(runs: PodRuns, image: Path, user: str, uid: int) -> None:
    found = ids(runs, image, f"--user={user}")
    assert (found["uid"], found["euid"], found["suid"]) == (uid, uid, uid)


@pytest.mark.parametrize(
    ("group", "gid"),
    [
        pytest.param("staff", 50, id="name"),
        pytest.param("88", 4088, id="digits-that-are-a-name"),
        pytest.param("1234", 1234, id="number"),
        pytest.param("/owned", 3002, id="owner-of-a-file"),
    ],
)
@pytest.mark.spec("IMG-018", "IMG-019", "IMG-020", "ACE-054")
def test_group_becomes_all_three_group_ids(runs: PodRuns, image: Path, group: str, gid: int) -> None:
    found = ids(runs, image, f"--group={group}")
    assert (found["gid"], found["egid"], found["sgid"]) == (gid, gid, gid)


@pytest.mark.parametrize("words", [["--user=nobody-here"], ["--group=nobody-here"], ["--user=/no/such/file"]])
@pytest.mark.spec("IMG-021")
def test_unknown_user_or_group_is_refused_by_name(runs: PodRuns, image: Path, words: list[str]) -> None:
    result = runs.image(image, *words, status=254)
    kind, name = words[0][2:].split("=")
    assert f'cannot resolve {kind} "{name}"' in result.stderr
    assert result.stdout == ""


@pytest.mark.spec("IMG-018")
def test_users_of_the_host_do_not_count(runs: PodRuns) -> None:
    assert "daemon:" in Path("/etc/passwd").read_text()
    assert 'cannot resolve user "daemon"' in runs("ids", app=["--user=daemon"], status=254).stderr


@pytest.mark.spec("IMG-022", "IMG-023", "ACE-055")
def test_supplementary_groups_are_exactly_those_asked_for(runs: PodRuns, tmp_path: Path) -> None:
    section = app_section("ids", user="1000", group="1000", supplementaryGIDs=[29, 50, 4000000000])
    path = write_image(tmp_path / "gids.aci", image_manifest(section))
    assert runs.image(path).facts["ids"]["groups"] == [29, 50, 4000000000]


@pytest.mark.needs("setpriv")
@pytest.mark.spec("ACE-055")
def test_groups_of_the_caller_and_memberships_in_the_image_are_not_added(runs: PodRuns, image: Path) -> None:
    words = ["run", "--net=none", "--insecure-options=image", str(image), "--user=alice", "--group=staff"]
    command = ["setpriv", "--groups=4,27,100", *runs.rkt.argv(*words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert '"groups": []' in done.stdout


@pytest.mark.spec("ACE-054", "ACE-064")
def test_handlers_run_as_the_user_of_the_app(runs: PodRuns, tmp_path: Path) -> None:
    handlers = [{"name": name, "exec": ["/bin/probe", "ids"]} for name in ("pre-start", "post-stop")]
    section = app_section("ids", user="1000", group="1001", supplementaryGIDs=[7], eventHandlers=handlers)
    path = write_image(tmp_path / "handlers.aci", image_manifest(section))
    answers = runs.image(path).every("ids")
    assert len(answers) == 3 and answers[0] == answers[1] == answers[2]
    assert (answers[0]["uid"], answers[0]["gid"], answers[0]["groups"]) == (1000, 1001, [7])


def test_image_without_app_section_runs_as_the_caller(runs: PodRuns, tmp_path: Path) -> None:
    path = write_image(tmp_path / "no-app.aci", image_manifest(None))
    found = runs.image(path, "--exec=/bin/probe", "--", "ids").facts["ids"]
    assert (found["uid"], found["gid"]) == (0, 0)
