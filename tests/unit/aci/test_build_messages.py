"""What ``build_aci`` says: names that the user knows, and no internal error for a nonsense environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rkt.aci.build import build_aci
from rkt.aci.errors import BuildError


@pytest.fixture
def layout(tmp_path: Path) -> str:
    (tmp_path / "layout/rootfs").mkdir(parents=True)
    manifest = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/x"}
    (tmp_path / "layout/manifest").write_text(json.dumps(manifest))
    return str(tmp_path / "layout")


def test_a_missing_output_directory_is_named_and_no_temporary_file(layout: str, tmp_path: Path) -> None:
    output = str(tmp_path / "nowhere/x.aci")
    with pytest.raises(BuildError) as caught:
        build_aci(layout, output)
    assert caught.value.message == f'cannot build "{output}": "{tmp_path}/nowhere": no such file or directory'


@pytest.mark.parametrize("epoch", ["abc", "-1", "9" * 5000, "9" * 19, "\u0663"])
def test_an_epoch_that_is_no_time_is_refused(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH"):
        build_aci(layout, str(tmp_path / "x.aci"))
