"""``rkt image validate``: what is printed and with which status, beside the verdict itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Rkt = Callable[..., tuple[int, str, str]]


def _manifest(path: Path, **members: object) -> Path:
    path.write_text(json.dumps({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/x", **members}))
    return path


def test_a_warning_is_a_line_and_no_failure(rkt: Rkt, tmp_path: Path) -> None:
    port = {"name": "p", "protocol": "gopher", "port": 70}
    path = _manifest(tmp_path / "m", app={"exec": ["/x"], "user": "0", "group": "0", "ports": [port]})
    status, output, errors = rkt("image", "validate", path)
    assert (status, output) == (0, "")
    (line,) = errors.splitlines()
    assert line.startswith(f"validate: {path}: warning: app.ports[0].protocol")


def test_warnings_have_an_end(rkt: Rkt, tmp_path: Path) -> None:
    annotations = [{"name": f"a{number}", "value": "x"} for number in range(5000)]
    status, _, errors = rkt("image", "validate", _manifest(tmp_path / "m", annotations=annotations))
    assert (status, len(errors.splitlines())) == (0, 1000)


def test_what_is_well_is_silent(rkt: Rkt, tmp_path: Path, fixture_images: Path) -> None:
    images = [path for path in sorted(fixture_images.glob("*.aci")) if not path.name.startswith("old-")]
    assert images
    assert rkt("image", "validate", *images, _manifest(tmp_path / "m")) == (0, "", "")


@pytest.mark.parametrize("device", ["fifo", "/dev/zero", "/dev/null"])
def test_what_is_no_file_is_neither_read_nor_waited_for(rkt: Rkt, tmp_path: Path, device: str) -> None:
    path = tmp_path / device
    if device == "fifo":
        os.mkfifo(path)
    assert rkt("image", "validate", path) == (254, "", f"validate: unable to access {path}: not a regular file\n")


def test_a_content_error_goes_on_and_an_access_error_stops(rkt: Rkt, tmp_path: Path) -> None:
    bad, missing = tmp_path / "bad", tmp_path / "missing"
    bad.write_text('{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "BAD"}')
    status, _, errors = rkt("image", "validate", bad, missing, bad)
    assert status == 254
    assert [line.split(":")[1].strip() for line in errors.splitlines()] == [str(bad), f"unable to access {missing}"]
