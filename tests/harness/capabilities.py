"""What a test needs of the machine: ``@pytest.mark.needs("overlay", "strace")``.

A word is a check of :mod:`preflight` (root, overlay, namespaces, ...), or else a program on PATH.
"""

from __future__ import annotations

import shutil

import pytest
from preflight import CHECKS


def missing(word: str) -> str | None:
    """Why the machine cannot serve ``word``; None if it can."""
    check = CHECKS.get(word)
    if check is not None:
        return check()
    return None if shutil.which(word) else f"the program {word} is not installed"


def skip_unless_served(item: pytest.Item) -> None:
    """Skip ``item`` with the reason when something that it needs is missing."""
    words = [word for marker in item.iter_markers("needs") for word in marker.args]
    if item.get_closest_marker("root"):
        words.insert(0, "root")
    for word in words:
        why = missing(word)
        if why:
            pytest.skip(f"needs {word}: {why}")
