"""Users and groups of an app, from files that a hostile image wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.linux import syscalls
from rkt.stage2.identity import IdentityError, get_gid, get_uid

PASSWD = b"""root:x:0:0:root:/root:/bin/sh
web:x:1000:1001::/:
1234:x:77:78:a name of digits:/:
dup:x:5:5::/:
dup:x:0:0::/:
# comment:x:0:0
short:x
none:x::0::/:
wrong:x:0x10:0::/:
minus:x:-1:0::/:
huge:x:4294967296:0::/:
last:x:4294967294:0::/:
nochange:x:4294967295:0::/:
overlong:x:99999999999999999999999:0::/:
space:x: 5:0::/:
plus:x:+5:0::/:
arabic:x:\xd9\xa1:0::/:
crlf:x:12:0::/:\r
end:x:9:9::/:"""
GROUP = b"root:x:0:\nstaff:x:50:web,other\n1234:x:88:\nwrong:x:staff:\n"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root file system of an image."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_bytes(PASSWD)
    (tmp_path / "etc/group").write_bytes(GROUP)
    return tmp_path


def inside(image: Path, function: Callable[[str], int], text: str) -> int:
    """The result of ``function`` in a process whose root is ``image``."""

    def body() -> int:
        os.chroot(image)
        os.chdir("/")
        return function(text)

    return run_in_child(body, timeout_seconds=10)


def refused(image: Path, function: Callable[[str], int], text: str) -> IdentityError:
    with pytest.raises(IdentityError) as caught:
        inside(image, function, text)
    return caught.value


pytestmark = pytest.mark.root


@pytest.mark.spec("IMG-018")
@pytest.mark.parametrize(
    ("user", "uid"),
    [("root", 0), ("web", 1000), ("1234", 77), ("dup", 5), ("last", 4294967294), ("end", 9), ("crlf", 12)],
)
def test_user_is_looked_up_by_name_first(image: Path, user: str, uid: int) -> None:
    assert inside(image, get_uid, user) == uid


@pytest.mark.spec("IMG-018")
@pytest.mark.parametrize(("group", "gid"), [("root", 0), ("staff", 50), ("1234", 88)])
def test_group_is_looked_up_by_name_first(image: Path, group: str, gid: int) -> None:
    assert inside(image, get_gid, group) == gid


@pytest.mark.spec("IMG-019")
@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("1000", 1000), ("65534", 65534), ("007", 7), ("4294967294", 4294967294)]
)
def test_digits_are_a_number_without_an_entry(image: Path, text: str, number: int) -> None:
    assert inside(image, get_uid, text) == number
    assert inside(image, get_gid, text) == number


@pytest.mark.spec("IMG-020")
@pytest.mark.parametrize("path", ["/etc/owned", "/link", "/etc/../etc/owned"])
def test_path_means_its_owner(image: Path, path: str) -> None:
    (image / "etc/owned").touch()
    os.chown(image / "etc/owned", 123, 456)
    (image / "link").symlink_to("/etc/owned")
    assert inside(image, get_uid, path) == 123
    assert inside(image, get_gid, path) == 456


@pytest.mark.spec("IMG-020")
def test_path_is_one_of_the_image(image: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "file"
    outside.touch()
    (image / "link").symlink_to(outside)
    assert "no such file" in refused(image, get_uid, str(outside)).message
    assert "no such file" in refused(image, get_uid, "/link").message


@pytest.mark.spec("IMG-021")
@pytest.mark.parametrize(
    "text",
    [
        *(
            "nobody-here",
            "1000abc",
            "-1",
            "+1",
            "0x10",
            " 5",
            "5 ",
            "1_000",
            "1e3",
            "",
            " ",
            "\uff14\uff12",
            "²",
            "0.0",
        ),
        *(
            "4294967295",
            "4294967296",
            "99999999999999999999",
            "0" * 11,
            "root:x",
            "root\nx",
            "web:x:0",
            "#",
            "dup:",
            "x\0",
        ),
        *("/missing", "/etc/missing/x", "/\0", "ro\udc80ot", "\ud800"),
    ],
)
def test_text_that_is_not_understood_is_an_error_and_never_root(image: Path, text: str) -> None:
    for function, what in ((get_uid, "user"), (get_gid, "group")):
        error = refused(image, function, text)
        assert error.message.startswith(f'cannot resolve {what} "{text}": ')


@pytest.mark.spec("IMG-021")
@pytest.mark.parametrize(
    "user", ["none", "wrong", "minus", "huge", "nochange", "overlong", "space", "plus", "arabic", "short"]
)
def test_entry_without_a_plain_number_is_an_error(image: Path, user: str) -> None:
    """Such lines were user 0 elsewhere."""
    assert refused(image, get_uid, user).message.startswith(f'cannot resolve user "{user}": ')


def test_unknown_user_has_a_hint(image: Path) -> None:
    error = refused(image, get_uid, "ghost")
    assert error.message == 'cannot resolve user "ghost": not in /etc/passwd of the image'
    assert error.hint == "use a number or a name of the image"


def test_host_users_are_not_asked(image: Path) -> None:
    assert any(line.startswith("daemon:") for line in Path("/etc/passwd").read_text().splitlines())
    refused(image, get_uid, "daemon")


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_terminal(path: Path) -> None:
    os.mknod(path, 0o020666, os.makedev(5, 0))


def make_endless(path: Path) -> None:
    os.mknod(path, 0o020666, os.makedev(1, 5))


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to("passwd")


def make_dangling(path: Path) -> None:
    path.symlink_to("/nowhere")


def make_nothing(path: Path) -> None:
    assert not path.exists()


def make_binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 100)


STRANGE = [make_fifo, make_terminal, make_endless, make_directory, make_loop, make_dangling, make_nothing, make_binary]


@pytest.mark.parametrize("make", STRANGE, ids=lambda make: make.__name__)
def test_file_that_is_no_file_names_nobody(image: Path, make: Callable[[Path], None]) -> None:
    """And does not block, does not fill the memory, and becomes nobody's terminal."""
    (image / "etc/passwd").unlink()
    make(image / "etc/passwd")
    assert "not in /etc/passwd" in refused(image, get_uid, "web").message
    assert inside(image, get_uid, "1000") == 1000
    assert inside(image, get_uid, "root") == 0


def test_file_of_two_megabytes_is_an_error(image: Path) -> None:
    (image / "etc/passwd").write_bytes(b"x:x:1:1::/:\n" * 180_000 + PASSWD)
    error = refused(image, get_uid, "web")
    assert error.message == 'cannot read "/etc/passwd" of the image: larger than 1048576 bytes'
    with open(image / "etc/passwd", "wb") as file:
        file.truncate(1 << 40)
    refused(image, get_uid, "web")


def test_symlink_of_the_image_is_followed_inside_it(image: Path) -> None:
    (image / "etc/passwd").rename(image / "users")
    (image / "etc/passwd").symlink_to("/users")
    assert inside(image, get_uid, "web") == 1000


def test_no_descriptor_is_left_open(image: Path) -> None:
    def body() -> int:
        os.chroot(image)
        before = os.dup(0)
        for text in ("web", "ghost", "1000"):
            try:
                get_uid(text)
            except IdentityError:
                pass
        os.close(before)
        return os.dup(0) - before

    assert run_in_child(body, unshare=syscalls.CLONE_NEWNS) == 0
