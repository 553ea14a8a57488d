"""What `make run` does: the signed two-app pod of the fixtures, verified, run and removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.needs("overlay", "namespaces", "seccomp", "cgroups")
@pytest.mark.parametrize("status", [0, 7])
def test_make_run_ends_as_the_pod_ends(fixture_images: Path, leak_check: None, status: int) -> None:
    before = set(Path("/var/tmp").iterdir())
    command = [sys.executable, "-I", str(fixture_images / "run_pod.py"), str(status)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "signature verified" in done.stdout + done.stderr
    assert "writer: wrote the greeting" in done.stdout
    assert "a greeting from the writer" in done.stdout
    assert f"the pod ended with status {status}" in done.stdout
    assert not [path for path in set(Path("/var/tmp").iterdir()) - before if path.name.startswith("rkt-run-")]


@pytest.mark.needs("setpriv")
def test_preflight_names_what_is_missing_without_root(fixture_images: Path) -> None:
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/env", "python3"]
    script = (fixture_images / "preflight.py").read_text()
    done = subprocess.run(
        [*command, "-"], input=script, capture_output=True, text=True, timeout=60, cwd="/", check=False
    )
    assert done.returncode == 1
    assert "missing: root: not root (effective user ID 0)" in done.stderr
