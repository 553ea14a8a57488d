"""Rendering for tests: archives as bytes in, the tree's directory out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.aci.render import Layer, render

RenderLayers = Callable[..., Path]


@pytest.fixture
def render_layers(tmp_path: Path) -> RenderLayers:
    """``render_layers(archive, (archive, whitelist, ...), ...)``: renders into a new directory, returns it.

    It renders in a child, because the test process may have threads and rendering forks.
    """
    count = 0

    def render_them(*layers: bytes | tuple[bytes, Sequence[str]] | tuple[bytes, Sequence[str], Sequence[str]]) -> Path:
        nonlocal count
        count += 1
        target = tmp_path / f"private{count}" / "tree"
        target.parent.mkdir(0o700)
        target.mkdir()
        fds = []
        try:
            for number, layer in enumerate(layers):
                blob = tmp_path / f"blob{count}-{number}"
                blob.write_bytes(layer if isinstance(layer, bytes) else layer[0])
                fds.append(os.open(blob, os.O_RDONLY))
            whitelists = [() if isinstance(layer, bytes) else layer[1:] for layer in layers]
            planned = [Layer(fd, lists) for fd, lists in zip(fds, whitelists, strict=True)]
            run_in_child(lambda: render(planned, str(target)))
        finally:
            for fd in fds:
                os.close(fd)
        return target

    return render_them
