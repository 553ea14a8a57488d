"""User strings and user files that mean to become root, to hang, or to read the host (C11, C12)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.archives import directory, entry, symlink
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

pytestmark = pytest.mark.root


@pytest.mark.parametrize(
    "user",
    [
        *("1000abc", "-1", "4294967295", "4294967296", "18446744073709551616", "0x10", " 5", "5 ", "+5", "1_000"),
        *("\u0665", "1e3", "0 ", "00x", "nobody:0", "root:x", "../etc", "x\n0"),
    ],
)
@pytest.mark.parametrize("member", ["user", "group"])
def test_odd_number_is_refused_and_never_root(runs: PodRuns, tmp_path: Path, user: str, member: str) -> None:
    passwd = b"x:x:0:0::/:/bin/false\nroot:x:0:0::/:/bin/false\n"
    section = app_section("ids") | {member: user}
    path = write_image(
        tmp_path / "u.aci", image_manifest(section), directory("rootfs/etc"), entry("rootfs/etc/passwd", passwd)
    )
    result = runs.image(path, status=254)
    assert result.stdout == "" and "Traceback" not in result.stderr


@pytest.mark.parametrize("field", ["", "-1", "0x0", "4294967295", "4294967296", "abc", " 0", "0 ", "+0", "\u0660"])
def test_odd_number_in_passwd_is_refused_and_never_root(runs: PodRuns, tmp_path: Path, field: str) -> None:
    passwd = f"evil:x:{field}:0::/:/bin/false\n".encode()
    path = write_image(
        tmp_path / "u.aci",
        image_manifest(app_section("ids", user="evil")),
        *(directory("rootfs/etc"), entry("rootfs/etc/passwd", passwd)),
    )
    assert runs.image(path, status=254).stdout == ""


@pytest.mark.parametrize("user", ["1000", "alice"])
@pytest.mark.parametrize(
    "what",
    ["fifo", "directory", "device", "link-to-host", "link-to-proc", "link-to-itself", "huge", "no-newlines", "binary"],
)
def test_user_file_that_is_none_neither_hangs_nor_lets_in(
    runs: PodRuns, tmp_path: Path, canary: Path, what: str, user: str
) -> None:
    (tmp_path / "passwd").write_text("alice:x:0:0::/:/bin/sh\n")
    nodes: dict[str, Callable[[str], bytes]] = {
        "fifo": lambda name: entry(name, kind="6"),
        "directory": directory,
        "device": lambda name: entry(name, kind="3", device=(1, 5)),
        "link-to-host": lambda name: symlink(name, str(tmp_path / "passwd")),
        "link-to-proc": lambda name: symlink(name, "/proc/self/environ"),
        "link-to-itself": lambda name: symlink(name, "passwd"),
        "huge": lambda name: entry(name, b"nobody:x:1:1::/:\n" * 150_000),
        "no-newlines": lambda name: entry(name, b"a" * 500_000),
        "binary": lambda name: entry(name, bytes(range(256)) * 1000),
    }
    path = write_image(
        tmp_path / "u.aci",
        image_manifest(app_section("ids", user=user, group="1000")),
        *(directory("rootfs/etc"), nodes[what]("rootfs/etc/passwd")),
    )
    began = time.monotonic()
    result = runs.rkt("run", "--net=none", "--insecure-options=image", str(path))
    assert time.monotonic() - began < 10
    if result.status == 0:
        assert user == "1000" and result.facts["ids"]["uid"] == 1000
    else:
        assert result.status == 254 and "Traceback" not in result.stderr


def test_path_as_user_stays_in_the_image(runs: PodRuns, tmp_path: Path) -> None:
    """Owned by user 4711 in the image, by root on the host."""
    path = write_image(
        tmp_path / "u.aci",
        image_manifest(app_section("ids", user="/etc/passwd", group="/link")),
        *(directory("rootfs/etc"), entry("rootfs/etc/passwd", b"", uid=4711, gid=4711)),
        symlink("rootfs/link", "../../../../etc/passwd"),
    )
    facts = runs.image(path).facts["ids"]
    assert (facts["uid"], facts["gid"]) == (4711, 4711)
