"""Hostile archives: nothing is created, changed or removed outside the tree that is rendered (T1-T4, T9, T10).

Every case is rendered although validation refuses many of them: the renderer must hold by itself. A canary tree, whose
parent is the parent of the target, is compared before and after: content, mode, owner, times, attributes.
"""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from harness.archives import (
    CHARACTER,
    DIRECTORY,
    FIFO,
    archive,
    base256,
    directory,
    entry,
    extension,
    hard_link,
    header,
    image,
    octal,
    pax,
    symlink,
)
from harness.forked_child import run_in_child
from harness.trees import Node, snapshot

from rkt.aci.archive import ArchiveScan
from rkt.aci.errors import ArchiveError, RenderError
from rkt.aci.render import Layer, render

OUTSIDE = "../canary/file"


def below(link: str, *, target: str) -> bytes:
    """A symlink and files through it, by every kind that could write."""
    return b"".join(
        (
            symlink(f"rootfs/{link}", target),
            entry(f"rootfs/{link}/file", b"overwritten"),
            entry(f"rootfs/{link}/new", b"created"),
            directory(f"rootfs/{link}/directory", mode=0o777),
            symlink(f"rootfs/{link}/link", "x"),
            entry(f"rootfs/{link}/fifo", kind=FIFO),
        )
    )


def chain(length: int, end: str) -> bytes:
    """Symlinks that lead from one to the next, the last one to ``end``, and a file through the first."""
    links = [symlink(f"rootfs/l{number}", f"l{number + 1}") for number in range(length)]
    return b"".join((*links, symlink(f"rootfs/l{length}", end), entry("rootfs/l0/file", b"overwritten")))


def long_chain(end: str) -> bytes:
    """Directories of long names and symlinks back up: realpath() of CPython gave up on such (CVE-2025-4517)."""
    parts, current = [], "rootfs"
    for step in "abcdefghijklmnop":
        parts.append(directory(f"{current}/{'d' * 240}"))
        parts.append(symlink(f"{current}/{step}", "d" * 240))
        current = f"{current}/{step}"
    parts.append(symlink(f"{current}/{'l' * 200}", "../" * 16))
    parts.append(symlink("rootfs/escape", "/".join("abcdefghijklmnop") + "/" + "l" * 200 + "/" + end))
    parts.append(entry("rootfs/escape", b"overwritten"))
    parts.append(entry("rootfs/escape/file", b"overwritten"))
    return b"".join(parts)


DOTS = b"../canary/file"
SPELLINGS: dict[str, bytes] = {
    "dot-dot": b"rootfs/../../canary/file",
    "dot-dot-first": DOTS,
    "dot-dot-deep": b"rootfs/a/b/../../../../canary/file",
    "dot-dot-alone": b"..",
    "dot-dot-slash": b"rootfs/../",
    "dot-dot-rootfs": b"rootfs/..",
    "dot-dot-twice": b"../../../../../../../../../../../../tmp/escape",
    "dot-slash-dot-dot": b"./../canary/file",
    "dot-inside": b"rootfs/./../../canary/file",
    "double-slash": b"rootfs//../..//canary/file",
    "dot-dot-at-the-end": b"rootfs/a/..",
    "back-and-forth": b"rootfs/../rootfs/../../canary/file",
    "absolute": b"/canary/file",
    "absolute-twice": b"//canary/file",
    "absolute-root": b"/",
    "absolute-rootfs": b"/rootfs/a",
    "absolute-dot-dot": b"/../canary/file",
    "proc-root": b"/proc/self/root/tmp/escape",
    "proc-cwd": b"rootfs/../../../../proc/self/cwd/escape",
    "empty": b"",
    "dot": b".",
    "dot-slash": b"./",
    "outside": b"canary/file",
    "outside-by-prefix": b"rootfsx/file",
    "manifest-below": b"manifest/file",
    "case": b"ROOTFS/a",
    "blank": b" rootfs/a",
}

NAMES: dict[str, bytes] = {f"name-{key}": entry(name, b"overwritten") for key, name in SPELLINGS.items()}
NAMES |= {f"directory-{key}": entry(name, kind=DIRECTORY, mode=0o777) for key, name in SPELLINGS.items()}
NAMES |= {f"pax-{key}": pax({"path": name}) + header(b"rootfs/x") for key, name in SPELLINGS.items() if name}
NAMES |= {f"gnu-{key}": extension("L", name + b"\0") + header(b"rootfs/x") for key, name in SPELLINGS.items() if name}
NAMES |= {
    "prefix-dot-dot": header(b"file", prefix=b"rootfs/../../canary"),
    "prefix-absolute": header(b"file", prefix=b"/canary"),
    "prefix-empty-name": header(b"", prefix=b"../canary/file"),
    "nul-in-pax-path": pax({"path": b"rootfs/a\0/../../../canary/file"}) + header(b"rootfs/x"),
    "nul-first-in-pax-path": pax({"path": b"\0rootfs"}) + header(b"rootfs/x"),
    "newline": entry(b"rootfs/a\n../../canary/file", b"x"),
    "backslashes": entry(b"rootfs/..\\..\\canary\\file", b"x"),
    "not-utf-8": entry(b"rootfs/\xff\xfe/..\xff/x", b"x"),
    "overlong-utf-8-slash": entry(b"rootfs/..\xc0\xaf..\xc0\xafcanary", b"x"),
    "unicode-dots": entry("rootfs/\u2025/\u2024\u2024/canary", b"x"),
    "control-characters": entry(b"rootfs/\x1b]0;x\x07\r", b"x"),
    "long-component": pax({"path": b"rootfs/" + b"x" * 300}) + header(b"x"),
    "long-path": pax({"path": b"rootfs" + b"/d" * 3000}) + header(b"x"),
    "megabyte-path": pax({"path": b"rootfs/" + b"a/" * 500_000}) + header(b"x"),
    "global-path": pax({"path": DOTS}, kind="g") + header(b"rootfs/x"),
}

LINKS: dict[str, bytes] = {
    "symlink-to-parent": below("s", target="../canary"),
    "symlink-absolute": below("s", target="/canary"),
    "symlink-to-root": below("s", target="/"),
    "symlink-to-dot-dot": below("s", target=".."),
    "symlink-many-dot-dot": below("s", target="../" * 40 + "canary"),
    "symlink-to-proc": below("s", target="/proc/self/root/canary"),
    "symlink-to-proc-cwd": below("s", target="/proc/self/cwd/../canary"),
    "symlink-to-fd": below("s", target="/proc/self/fd/3/../canary"),
    "symlink-to-dev-fd": below("s", target="/dev/fd/3"),
    "symlink-to-itself": below("s", target="s"),
    "symlink-in-a-circle": symlink("rootfs/a", "b") + symlink("rootfs/b", "a") + entry("rootfs/a/x"),
    "symlink-that-dangles": symlink("rootfs/a", "../canary/new") + entry("rootfs/a", b"x"),
    "symlink-over-directory": directory("rootfs/d") + below("d", target="../canary"),
    "symlink-then-directory": symlink("rootfs/d", "../canary") + directory("rootfs/d/", mode=0o777),
    "symlink-then-file-at-it": symlink("rootfs/f", OUTSIDE) + entry("rootfs/f", b"overwritten", mode=0o777),
    "symlink-then-fifo-at-it": symlink("rootfs/f", OUTSIDE) + entry("rootfs/f", kind=FIFO),
    "symlink-then-device-at-it": symlink("rootfs/f", OUTSIDE) + entry("rootfs/f", kind=CHARACTER, device=(1, 3)),
    "symlink-then-link-through-it": symlink("rootfs/s", "../canary") + hard_link("rootfs/h", "rootfs/s/file"),
    "link-to-symlink-then-write": symlink("rootfs/s", OUTSIDE)
    + hard_link("rootfs/h", "rootfs/s")
    + entry("rootfs/h", b"x"),
    "link-to-symlink-then-through": symlink("rootfs/s", "../canary")
    + hard_link("rootfs/h", "rootfs/s")
    + entry("rootfs/h/file", b"x"),
    **{f"chain-{length}": chain(length, "../canary") for length in (1, 2, 8, 39, 40, 41, 100)},
    "chain-absolute": chain(16, "/canary"),
    "long-names-chain": long_chain("../canary/file"),
    "long-names-chain-absolute": long_chain("../../../../../../../canary"),
    "hard-link-dot-dot": hard_link("rootfs/h", "rootfs/../../canary/file") + entry("rootfs/h", b"overwritten"),
    "hard-link-dots": hard_link("rootfs/h", OUTSIDE),
    "hard-link-absolute": hard_link("rootfs/h", "/canary/file") + entry("rootfs/h", b"overwritten"),
    "hard-link-to-passwd": hard_link("rootfs/h", "/etc/passwd"),
    "hard-link-to-manifest": hard_link("rootfs/h", "manifest"),
    "hard-link-to-rootfs": hard_link("rootfs/h", "rootfs"),
    "hard-link-to-proc": hard_link("rootfs/h", "/proc/self/root/canary/file"),
    "hard-link-to-directory": directory("rootfs/d") + hard_link("rootfs/h", "rootfs/d"),
    "hard-link-to-itself": hard_link("rootfs/h", "rootfs/h"),
    "hard-link-pax": pax({"linkpath": b"rootfs/../../canary/file"}) + header(b"rootfs/h", kind="1", linkname=b"x"),
    "hard-link-gnu": extension("K", b"/canary/file\0") + header(b"rootfs/h", kind="1", linkname=b"x"),
    "hard-link-nul": pax({"linkpath": b"rootfs/a\0b"}) + header(b"rootfs/h", kind="1", linkname=b"x"),
    "hard-link-with-content": header(b"rootfs/h", kind="1", linkname=b"rootfs/a", size=octal(3, 12))
    + b"abc".ljust(512, b"\0"),
}

ROOTS: dict[str, bytes] = {
    f"root-{kind}-{number}": entry(name, kind=flag, target="../canary", mode=0o777)
    for kind, flag in (("symlink", "2"), ("hard-link", "1"), ("file", "0"), ("fifo", "6"), ("device", "3"))
    for number, name in enumerate((b"rootfs", b"rootfs/", b"./rootfs", b"rootfs/.", b".", b"./"))
}

METADATA: dict[str, bytes] = {
    "trusted-overlay": pax({"SCHILY.xattr.trusted.overlay.redirect": b"/canary"}) + directory("rootfs/d"),
    "trusted-overlay-on-root": pax({"SCHILY.xattr.trusted.overlay.opaque": b"y"}) + directory("rootfs/"),
    "selinux-label": pax({"SCHILY.xattr.security.selinux": b"system_u:object_r:x:s0"}) + entry("rootfs/f"),
    "attribute-with-slash": pax({"SCHILY.xattr.user./../x": b"y"}) + entry("rootfs/f"),
    "attribute-too-long": pax({"SCHILY.xattr.user." + "x" * 300: b"y"}) + entry("rootfs/f"),
    "attribute-of-a-megabyte": pax({"SCHILY.xattr.user.x": b"y" * 900_000}) + entry("rootfs/f"),
    "bad-acl": pax({"SCHILY.xattr.system.posix_acl_access": b"junk"}) + entry("rootfs/f"),
    "bad-capability": pax({"SCHILY.xattr.security.capability": b"junk"}) + entry("rootfs/f"),
    "owner-minus-one": header(b"rootfs/f", uid=base256(-1, 8)),
    "owner-all-ones": header(b"rootfs/f", uid=base256(2**32 - 1, 8)),
    "set-user-id": entry("rootfs/f", b"x", mode=0o6755),
    "time-far-away": header(b"rootfs/f", mtime=base256(2**62, 12)),
    "time-before-everything": header(b"rootfs/f", mtime=base256(-(2**62), 12)),
    "mode-all-ones": header(b"rootfs/f", mode=b"7777777\0"),
    "device-zero": entry("rootfs/w", kind=CHARACTER, device=(0, 0)),
    "whiteout-names": entry("rootfs/.wh.file") + entry("rootfs/.wh..wh..opq"),
}

CASES = {**NAMES, **LINKS, **ROOTS, **METADATA}

# a lower layer that lays a trap, and an upper layer that walks into it
LAYERED: dict[str, tuple[bytes, bytes]] = {
    "directory-through-symlink": (symlink("rootfs/lib", "../canary"), entry("rootfs/lib/file", b"overwritten")),
    "directory-through-absolute": (symlink("rootfs/lib", "/canary"), entry("rootfs/lib/file", b"overwritten")),
    "directory-at-symlink": (symlink("rootfs/lib", "../canary"), directory("rootfs/lib", mode=0o777)),
    "file-at-symlink": (symlink("rootfs/f", OUTSIDE), entry("rootfs/f", b"overwritten", mode=0o777)),
    "symlink-at-symlink": (symlink("rootfs/f", OUTSIDE), symlink("rootfs/f", "/canary")),
    "file-at-tree-of-symlinks": (below("d/s", target="../../canary"), entry("rootfs/d", b"x")),
    "symlink-at-tree": (directory("rootfs/d") + entry("rootfs/d/file"), symlink("rootfs/d", "../canary")),
    "link-through-lower-symlink": (symlink("rootfs/s", "../canary"), hard_link("rootfs/h", "rootfs/s/file")),
    "link-to-lower-symlink": (
        symlink("rootfs/s", OUTSIDE),
        hard_link("rootfs/h", "rootfs/s") + entry("rootfs/h", b"x"),
    ),
    "own-symlink-to-lower-symlink": (
        symlink("rootfs/one", "../canary"),
        symlink("rootfs/two", "one") + entry("rootfs/two/file", b"overwritten"),
    ),
    "fifo-at-file": (entry("rootfs/f", b"x"), entry("rootfs/f", kind=FIFO)),
    "device-at-directory": (
        directory("rootfs/d") + entry("rootfs/d/x"),
        entry("rootfs/d", kind=CHARACTER, device=(1, 5)),
    ),
}


class Cage:
    """A target between canaries, and what the canaries looked like before."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.target = work / "target"
        canary = work / "canary"
        canary.mkdir()
        (canary / "file").write_bytes(b"untouched")
        os.chmod(canary / "file", 0o640)
        os.setxattr(canary / "file", "user.mark", b"1")
        (canary / "directory").mkdir(0o750)
        os.symlink("file", canary / "link")
        self.target.mkdir()
        self.before = self.look()

    def look(self) -> dict[bytes, Node]:
        """Everything in the work directory but the target and the blobs."""
        nodes: dict[bytes, Node] = {}
        for path in sorted(self.work.iterdir()):
            if path != self.target and not path.name.startswith("blob"):
                nodes |= {os.fsencode(path.name) + b"/" + name: node for name, node in snapshot(path).items()}
        return nodes

    def render(self, *layers: bytes) -> str:
        """The verdict in one word; nothing but the errors of the package may come out."""
        fds = []
        try:
            for number, data in enumerate(layers):
                (self.work / f"blob{number}").write_bytes(data)
                fds.append(os.open(self.work / f"blob{number}", os.O_RDONLY))
            run_in_child(lambda: render([Layer(fd) for fd in fds], str(self.target)), timeout_seconds=10)
        except (ArchiveError, RenderError) as error:
            assert "Error:" not in error.message
            return "refused"
        finally:
            for fd in fds:
                os.close(fd)
        return "rendered"


@pytest.fixture
def cage(tmp_path: Path) -> Cage:
    return Cage(tmp_path)


def is_sound(data: bytes) -> bool:
    scan = ArchiveScan()
    try:
        scan.feed(data)
        scan.finish()
    except ArchiveError:
        return False
    return True


def test_there_are_many_cases() -> None:
    assert len(CASES) + len(LAYERED) >= 200


@pytest.mark.root
@pytest.mark.spec("ACI-009", "ACI-039")
@pytest.mark.parametrize("name", CASES)
def test_hostile_entry_is_contained(name: str, cage: Cage) -> None:
    data = image(directory("rootfs/a"), CASES[name], entry("rootfs/last", b"x"))
    verdict = cage.render(data)
    assert cage.look() == cage.before
    if is_sound(data) and name not in FAILS_TO_RENDER:
        assert verdict == "rendered"
        assert (cage.target / "last").exists() or name.startswith("root-")


#: sound archives that the kernel refuses to make a tree of
FAILS_TO_RENDER = {
    "attribute-too-long",
    "attribute-of-a-megabyte",
    "bad-acl",
    "bad-capability",
    "symlink-then-link-through-it",
}


@pytest.mark.root
@pytest.mark.spec("DEP-019", "DEP-020")
@pytest.mark.parametrize("name", LAYERED)
def test_trap_of_a_lower_layer_is_contained(name: str, cage: Cage) -> None:
    lower, upper = LAYERED[name]
    cage.render(image(lower), image(upper))
    assert cage.look() == cage.before


#: directories named "." or "./": what ``tar -C LAYOUT -c .`` writes first (a name with a slash at its end is one too)
THE_ROOT_ITSELF = ("directory-dot", "directory-dot-slash", "pax-dot-slash", "gnu-dot-slash")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("newline", "backslashes", "not-utf-8")])
def test_name_that_is_not_below_rootfs_is_refused_by_the_scan(name: str) -> None:
    harmless = ("overlong-utf-8-slash", "unicode-dots", "control-characters", *THE_ROOT_ITSELF)
    assert is_sound(image(NAMES[name])) == (name in harmless)


@pytest.mark.parametrize("name", [name for name in ROOTS if name not in ("root-file-1", "root-file-5")])
def test_root_that_is_no_directory_is_refused_by_the_scan(name: str) -> None:
    assert not is_sound(archive(entry("manifest", b"{}"), directory("rootfs"), ROOTS[name]))
    assert not is_sound(archive(entry("manifest", b"{}"), ROOTS[name]))


@pytest.mark.root
def test_no_set_user_id_file_can_be_reached_by_others(tmp_path: Path) -> None:
    """T10: the file itself is as in the image, so it is the directory above that keeps others out."""
    private = tmp_path / "private"
    private.mkdir(0o700)
    (private / "tree").mkdir()
    (tmp_path / "blob").write_bytes(image(entry("rootfs/suid", b"x", mode=0o4755)))
    os.chmod(tmp_path, 0o755)

    def attempt() -> bool:
        fd = os.open(tmp_path / "blob", os.O_RDONLY)
        render([Layer(fd)], str(private / "tree"))
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        return os.access(private / "tree" / "suid", os.X_OK)

    assert run_in_child(attempt) is False
    assert stat.S_IMODE((private / "tree" / "suid").stat().st_mode) == 0o4755


@pytest.mark.root
def test_gnu_tar_walks_into_the_trap(cage: Cage, tmp_path: Path) -> None:
    """The cage bites: the case that is contained above escapes from a program that follows symlinks."""
    lower, upper = LAYERED["directory-through-symlink"]
    for data in (lower, upper):
        (tmp_path / "blob").write_bytes(archive(data))
        options = ["--strip-components=1", "--keep-directory-symlink"]
        command = ["tar", *options, "-xf", str(tmp_path / "blob"), "-C", str(cage.target)]
        subprocess.run(command, check=False, capture_output=True)
    assert cage.look() != cage.before
