from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rkt.config.errors import ConfigError
from rkt.config.paths_config import load_paths
from rkt.paths import ConfigDirectories

GOOD = {"rktKind": "paths", "rktVersion": "v1", "data": "/srv/rkt", "stage1-images": "/srv/stage1"}


class Levels:
    """Three configuration directories; ``put("local", ...)`` writes a file into one of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directories = ConfigDirectories(*(str(root / name) for name in ("local", "system", "user")))

    def put(self, level: str, value: object, *, name: str = "a.json") -> Path:
        path = self.root / level / "paths.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return path


@pytest.fixture
def levels(tmp_path: Path) -> Levels:
    return Levels(tmp_path)


def test_nothing_is_configured_where_nothing_is(levels: Levels) -> None:
    found = load_paths(levels.directories)
    assert (found.data, found.stage1_images) == (None, None)


def test_later_directories_override_each_key_by_itself(levels: Levels) -> None:
    levels.put("system", GOOD)
    levels.put("local", {**GOOD, "data": "/local"}, name="x.json")
    levels.put("user", {"rktKind": "paths", "rktVersion": "v1", "data": "", "stage1-images": "/user"})
    found = load_paths(levels.directories)
    assert (found.data, found.stage1_images) == ("/local", "/user")


def test_a_directory_may_spread_the_keys_over_files(levels: Levels) -> None:
    levels.put("local", {"rktKind": "paths", "rktVersion": "v1", "data": "/a"}, name="1.json")
    levels.put("local", {"rktKind": "paths", "rktVersion": "v1", "stage1-images": "/b"}, name="2.json")
    found = load_paths(levels.directories)
    assert (found.data, found.stage1_images) == ("/a", "/b")


def test_other_names_and_directories_are_ignored_and_links_followed(levels: Levels, tmp_path: Path) -> None:
    good = levels.put("local", GOOD, name="elsewhere")
    levels.put("local", b"garbage", name="a.json~")
    (tmp_path / "local" / "paths.d" / "dir.json").mkdir()
    (tmp_path / "local" / "paths.d" / "link.json").symlink_to(good)
    assert load_paths(levels.directories).data == "/srv/rkt"


def test_the_same_key_twice_in_one_directory_is_an_error(levels: Levels) -> None:
    levels.put("local", GOOD, name="1.json")
    second = levels.put("local", GOOD, name="2.json")
    with pytest.raises(ConfigError, match=f'failed to parse "{second}": data directory is already specified'):
        load_paths(levels.directories)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "failed to parse"),
        (b"{", "failed to parse"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "failed to parse"),
        (b'{"rktKind":"paths","rktKind":"auth","rktVersion":"v1"}', "failed to parse"),
        ({}, "no rktKind specified in"),
        ({"rktKind": 1, "rktVersion": "v1"}, "no rktKind specified in"),
        ({"rktKind": "paths"}, "no rktVersion specified in"),
        ({"rktKind": "auth", "rktVersion": "v1"}, 'of kinds "paths", but "a.json" has kind of "auth"'),
        (
            {"rktKind": "paths", "rktVersion": "v2"},
            'no parser available for configuration of kind "paths" and version "v2"',
        ),
        ({**GOOD, "data": "relative"}, "data directory must be an absolute path"),
        ({**GOOD, "stage1-images": "./x"}, "stage1 images directory must be an absolute path"),
        ({**GOOD, "data": 5}, '"data" must be a text'),
        (b" " * (2 << 20), "more than 1048576 bytes"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(levels: Levels, content: object, reason: str) -> None:
    path = levels.put("local", content)
    with pytest.raises(ConfigError, match=reason) as caught:
        load_paths(levels.directories)
    assert f'failed to parse "{path}"' in caught.value.message


def test_a_fifo_is_refused_and_not_waited_for(levels: Levels) -> None:
    path = levels.put("local", GOOD)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        load_paths(levels.directories)


def test_a_file_in_place_of_the_directory_is_an_error(levels: Levels, tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "paths.d").write_bytes(b"")
    with pytest.raises(ConfigError, match=r'expected ".*paths\.d" to be a directory'):
        load_paths(levels.directories)
