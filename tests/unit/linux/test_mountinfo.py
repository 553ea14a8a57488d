"""rkt.linux.mountinfo"""

from __future__ import annotations

import pytest

from rkt.linux.mountinfo import load_mountinfo, mounts_below, parse_mountinfo

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
40 36 0:44 / /mnt2/a\040b\011c\012d\134e\043f rw shared:2 master:3 - overlay overlay rw,lowerdir=/a\054b
41 36 0:45 / /mnt2/a rw - tmpfs  rw
42 41 0:46 / /mnt2/a rw - tmpfs none rw
43 36 0:47 / /mnt22 rw - tmpfs none rw
"""


def test_every_field_is_read() -> None:
    mount = parse_mountinfo(TABLE)[1]
    assert (mount.mount_id, mount.parent_id, mount.device) == (36, 35, "98:0")
    assert (mount.root, mount.path, mount.options) == ("/mnt1", "/mnt2", "rw,noatime")
    assert (mount.kind, mount.source, mount.super_options) == ("ext3", "/dev/root", "rw,errors=continue")
    assert mount.optional == ("master:1",)
    assert not mount.is_shared


def test_octal_escapes_are_undone() -> None:
    mount = parse_mountinfo(TABLE)[2]
    assert mount.path == "/mnt2/a b\tc\nd\\e#f"
    assert mount.super_options == "rw,lowerdir=/a,b"
    assert mount.is_shared


@pytest.mark.parametrize(
    ("written", "path"), [(rb"/a\0", "/a\\0"), (rb"/a\777", "/a\\777"), (rb"/\134040", "/\\040"), (b"/\xff", "/\udcff")]
)
def test_what_is_no_escape_stays(written: bytes, path: str) -> None:
    assert parse_mountinfo(b"1 2 0:1 / " + written + b" rw - tmpfs none rw\n")[0].path == path


def test_empty_source_is_kept() -> None:
    assert parse_mountinfo(TABLE)[3].source == ""


def test_mounts_below_come_deepest_first_and_respect_names() -> None:
    below = mounts_below("/mnt2/", parse_mountinfo(TABLE))
    assert [mount.mount_id for mount in below] == [42, 41, 40, 36]


@pytest.mark.parametrize("line", [b"1 2", b"x 27 0:21 / /proc rw - proc proc rw", b"1 2 0:1 / / rw tmpfs none rw"])
def test_line_of_another_form_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a line of mountinfo"):
        parse_mountinfo(line)


def test_own_table_has_a_root() -> None:
    assert "/" in [mount.path for mount in load_mountinfo()]
