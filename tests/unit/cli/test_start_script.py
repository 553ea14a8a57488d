"""The script ``bin/rkt``: how the interpreter is started, whatever the caller's locale."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("has_packages", [True, False])
def test_words_are_utf8_in_every_locale(tmp_path: Path, repository: Path, has_packages: bool) -> None:
    """In a locale of Latin-1 the two bytes of an "é" became two characters, in manifests too."""
    commands = tmp_path / "bin"
    commands.mkdir()
    shutil.copy(repository / "bin/rkt", commands / "rkt")
    (commands / "python3").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (commands / "python3").chmod(0o755)
    if has_packages:
        module = tmp_path / "lib/python3.11/site-packages/rkt/cli/main.py"
        module.parent.mkdir(parents=True)
        module.touch()
    output = subprocess.run([commands / "rkt", "version"], capture_output=True, text=True, check=True).stdout
    before, _, after = output.partition("\n-c\n")
    words = before.split("\n")
    assert words[0] == "-I"
    assert words[words.index("-X") + 1] == "utf8"
    assert after.endswith("\nversion\n")
