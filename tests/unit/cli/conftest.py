"""rkt called in this process, with directories of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rkt.cli.main import run

#: words -> (exit status, stdout, stderr)
Rkt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rkt(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Rkt:
    """Run one command line with empty data and configuration directories."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        flags = [f"--dir={tmp_path}/data", f"--local-config={tmp_path}/etc", f"--system-config={tmp_path}/usr"]
        status = run([*flags, *map(str, words)])
        output = capfd.readouterr()
        return status, output.out, output.err

    return call


@pytest.fixture
def trusting_rkt(rkt: Rkt, fixture_images: Path) -> Rkt:
    """The same, and the key of the committed images is trusted."""
    status, _, errors = rkt("trust", "--root", "--skip-fingerprint-review", fixture_images / "fixture-key.asc")
    assert status == 0, errors
    return rkt


@pytest.fixture
def hello(trusting_rkt: Rkt, fixture_images: Path) -> str:
    """The 64 digits that the store names the image ``hello`` by, which is in the store."""
    status, output, errors = trusting_rkt("fetch", "--full", fixture_images / "hello.aci")
    assert status == 0, errors
    return output.strip()
