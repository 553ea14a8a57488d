"""Imports go one way (docs/architecture.md): import-linter's contracts hold, and they leave nothing out."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path


def test_import_contracts_hold(repository: Path) -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_flavour_is_in_the_independence_contract(repository: Path) -> None:
    contracts = configparser.ConfigParser()
    contracts.read(repository / ".importlinter")
    listed = set(contracts["importlinter:contract:flavours"]["modules"].split())
    flavours = {f"rkt.stage1.{path.parent.name}" for path in (repository / "rkt" / "stage1").glob("*/__init__.py")}
    assert flavours == listed
