"""Unfinished files: gone when dropped or when their writer died, untouched while their writer lives."""

from __future__ import annotations

import os
from pathlib import Path

from rkt.store.temporary import open_temporary, remove_leftovers


def test_a_dropped_file_is_gone_and_a_published_one_stays(tmp_path: Path) -> None:
    with open_temporary(str(tmp_path), mode=0o640) as dropped:
        os.write(dropped.fd, b"x")
    assert os.listdir(tmp_path) == []
    with open_temporary(str(tmp_path), mode=0o640) as kept:
        os.write(kept.fd, b"y")
        kept.sync()
        kept.publish(str(tmp_path / "final"))
    assert os.listdir(tmp_path) == ["final"]
    assert (tmp_path / "final").read_bytes() == b"y"
    assert (tmp_path / "final").stat().st_mode & 0o777 == 0o640


def test_leftovers_of_dead_writers_go_and_living_writers_keep_theirs(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        open_temporary(str(tmp_path), mode=0o640)
        os._exit(0)
    os.waitpid(pid, 0)
    (tmp_path / "partial-download").write_text("not ours")
    with open_temporary(str(tmp_path), mode=0o640) as living:
        os.utime(living.path, (0, 0))
        assert len(os.listdir(tmp_path)) == 3
        assert remove_leftovers(str(tmp_path)) == 1
        assert sorted(os.listdir(tmp_path)) == sorted(["partial-download", os.path.basename(living.path)])
    assert remove_leftovers(str(tmp_path / "missing")) == 0


def test_the_fd_is_not_inherited(tmp_path: Path) -> None:
    with open_temporary(str(tmp_path), mode=0o640) as temporary:
        assert not os.get_inheritable(temporary.fd)


def test_two_writers_get_two_files(tmp_path: Path) -> None:
    with open_temporary(str(tmp_path), mode=0o640) as one, open_temporary(str(tmp_path), mode=0o640) as other:
        assert one.path != other.path
