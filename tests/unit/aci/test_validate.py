"""Validation: the verdicts and the lines of actool validate, without its crashes."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import sys
from pathlib import Path

import pytest
from harness.archives import MANIFEST, archive, directory, entry, image

from rkt.aci.validate import Validation, validate_file

POD = {
    "acKind": "PodManifest",
    "acVersion": "0.8.11",
    "apps": [],
    "volumes": [],
    "isolators": [],
    "annotations": [],
    "ports": [],
}


def verdict(path: Path, content: bytes, kind: str | None = None) -> Validation:
    path.write_bytes(content)
    return validate_file(str(path), kind=kind)


@pytest.mark.spec("ACI-019", "ACI-020", "ACI-021", "ACI-022")
def test_sound_images_are_valid_however_compressed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for compress in (bytes, gzip.compress, bz2.compress, lzma.compress):
        found = verdict(path, compress(image(entry("rootfs/a"))))
        assert found.valid and not found.stops
        assert (found.lines, found.success) == ((), f"{path}: valid app container image")
    assert str(path) in repr(found)


def test_broken_image_is_reported_and_the_next_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "x"
    found = verdict(path, archive(entry("manifest", MANIFEST)))
    assert found.lines == (f'{path}: error validating: archive has no directory "rootfs": no rootfs found in layout',)
    assert not found.valid and not found.stops


@pytest.mark.spec("ACI-034", "ACI-035")
@pytest.mark.parametrize(
    "manifest", [b"", b"{", MANIFEST + b"x", b"\xef\xbb\xbf" + MANIFEST, MANIFEST[:-5], b"[]"], ids=repr
)
def test_manifest_in_an_image_is_json_and_nothing_else(manifest: bytes, tmp_path: Path) -> None:
    found = verdict(tmp_path / "x", archive(entry("manifest", manifest), directory("rootfs")))
    assert found.lines[0].startswith(f"{tmp_path}/x: error validating: image manifest validation failed: ")


def test_all_problems_of_a_manifest_are_reported(tmp_path: Path) -> None:
    bad = json.dumps(
        {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "A B", "labels": [{"name": "name", "value": "x"}]}
    )
    found = verdict(tmp_path / "x", archive(entry("manifest", bad.encode()), directory("rootfs")))
    assert len(found.lines) >= 2
    assert any("labels[0]" in line for line in found.lines) and any("name" in line for line in found.lines)


def test_damaged_compression_stops(tmp_path: Path) -> None:
    found = verdict(tmp_path / "x", gzip.compress(image())[:-4])
    assert found.stops
    assert found.lines[0].startswith(f"{tmp_path}/x: error decompressing file: ")


def test_zstd_without_a_library_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    found = verdict(tmp_path / "x", b"\x28\xb5\x2f\xfd" + bytes(600))
    assert "zstd" in found.lines[0]


def test_layouts_are_looked_at(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    (layout / "rootfs").mkdir(parents=True)
    assert validate_file(str(layout)).lines == (f"{layout}: invalid image layout: no image manifest found in layout",)
    (layout / "manifest").write_bytes(MANIFEST)
    assert validate_file(str(layout)).success == f"{layout}: valid image layout"
    assert validate_file(str(layout), kind="layout").valid
    (layout / "manifest").write_bytes(b"{}")
    assert "image manifest validation failed" in validate_file(str(layout)).lines[0]
    (layout / "other").touch()
    assert "unrecognized file path in layout" in validate_file(str(layout)).lines[0]


@pytest.mark.parametrize("kind", ["appimage", "manifest", "bogus"])
def test_directory_of_another_type_stops(kind: str, tmp_path: Path) -> None:
    found = validate_file(str(tmp_path), kind=kind)
    assert found == found and found.stops
    assert found.lines == (f"{tmp_path} is a directory (wrong --type?)",)


def test_manifests_of_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "m"
    assert verdict(path, MANIFEST).success == f"{path}: valid ImageManifest"
    assert verdict(path, json.dumps(POD).encode()).success == f"{path}: valid PodManifest"
    wrong = verdict(path, MANIFEST.replace(b"example", b"Example"))
    assert wrong.lines[0].startswith(f"{path}: invalid ImageManifest: name: ") and not wrong.stops


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"acVersion":"0.8.11"}', b'{"acKind":"Other"}', b'{"acKind":null}', b"text"]
)
def test_manifest_of_no_kind_stops(content: bytes, tmp_path: Path) -> None:
    found = verdict(tmp_path / "m", content)
    assert found.stops
    assert found.lines[0].startswith(f"{tmp_path}/m: error unmarshaling manifest: ")


def test_type_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert verdict(path, MANIFEST, "manifest").valid
    assert "neither a tar archive" in verdict(path, MANIFEST, "appimage").lines[0]
    assert "not a directory" in verdict(path, MANIFEST, "layout").lines[0]
    for content, kind in ((b"\x7fELF\0", None), (MANIFEST, "bogus")):
        found = verdict(path, content, kind)
        assert (found.lines, found.stops) == ((f"{path}: unable to detect filetype (try --type)",), True)


def test_what_cannot_be_opened_stops(tmp_path: Path) -> None:
    found = validate_file(str(tmp_path / "absent"))
    assert (found.lines, found.stops) == ((f"unable to access {tmp_path}/absent: no such file or directory",), True)
    os.symlink("loop", tmp_path / "loop")
    assert "unable to access" in validate_file(str(tmp_path / "loop")).lines[0]


def test_empty_archive_is_found_and_refused(tmp_path: Path) -> None:
    """actool does not recognise it, because it has no magic."""
    assert "no image manifest found in layout" in verdict(tmp_path / "x", bytes(10240)).lines[0]
