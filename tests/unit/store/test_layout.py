"""Image IDs, paths and the directories' modes."""

from __future__ import annotations

import os
import stat

import pytest

from rkt.paths import DataDirectory
from rkt.store.errors import ImageIdError, StoreError
from rkt.store.layout import StoreLayout, is_key, parse_image_id

FULL = "sha512-" + "ab" * 64


@pytest.mark.parametrize("text", [FULL, FULL[:71], "sha512-ab", "sha512-0123456789abcdef"])
def test_parse_image_id_accepts_ids_and_prefixes(text: str) -> None:
    assert parse_image_id(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "wrong key prefix"),
        ("abcdef", "wrong key prefix"),
        ("sha256-abcdef", "wrong key prefix"),
        ("sha512-", "too short"),
        ("sha512-a", "too short"),
        (FULL + "0", "too long"),
        ("sha512-AB", "not hexadecimal"),
        ("sha512-../../etc/passwd", "not hexadecimal"),
        ("sha512-ab/cd", "not hexadecimal"),
        ("sha512-ab\0", "not hexadecimal"),
        ("sha512-ab\n", "not hexadecimal"),
    ],
)
def test_parse_image_id_refuses_everything_else(text: str, reason: str) -> None:
    with pytest.raises(ImageIdError, match=reason):
        parse_image_id(text)


def test_only_keys_are_keys() -> None:
    assert is_key(FULL[:71])
    assert not any(map(is_key, [FULL, FULL[:70], ".tmp-1-1-sha512", "sha512-" + "G" * 64]))


def test_paths_are_those_of_the_original(data: DataDirectory) -> None:
    layout = StoreLayout(data)
    key = FULL[:71]
    assert layout.blob(key) == f"{data.cas}/blob/sha512/ab/{key}"
    assert layout.manifest(key) == f"{data.cas}/imageManifest/sha512/ab/{key}"
    assert layout.record(key) == f"{data.cas}/image/sha512/ab/{key}"


def test_nobody_but_root_reaches_anything_whatever_the_umask(data: DataDirectory) -> None:
    before = os.umask(0)
    try:
        StoreLayout(data).ensure_directories()
    finally:
        os.umask(before)
    for directory, _, _ in os.walk(data.root):
        mode = stat.S_IMODE(os.stat(directory).st_mode)
        assert mode & 0o007 == 0, directory
        assert mode & 0o020 == 0, directory
    for private in ("db", "tmp", "tree", "treestorelocks"):
        assert stat.S_IMODE(os.stat(f"{data.cas}/{private}").st_mode) == 0o700


def test_a_store_below_a_file_is_one_clear_error(data: DataDirectory) -> None:
    with open(data.root, "w"):
        pass
    with pytest.raises(StoreError, match=r'cannot create store ".*": (not a directory|file exists)'):
        StoreLayout(data).ensure_directories()
