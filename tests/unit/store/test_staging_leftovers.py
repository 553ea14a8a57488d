"""What a killed fetch left in the store does not stay there for ever: the next fetch deletes it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

from rkt.store.image_store import ImageStore
from rkt.store.record import ImageOrigin
from rkt.store.temporary import open_temporary


def _kill_a_writer(directory: str) -> str:
    """The name of the file that a process left which died while it was writing."""
    child = os.fork()
    if child == 0:
        os.write(open_temporary(directory, mode=0o640).fd, b"half an image")
        os._exit(0)
    os.waitpid(child, 0)
    (name,) = [name for name in os.listdir(directory) if name.startswith(f"stage-{child}-")]
    return f"{directory}/{name}"


def test_staging_deletes_the_files_of_dead_writers_only(store: ImageStore, make_aci: Callable[..., bytes]) -> None:
    dead = _kill_a_writer(store.layout.temporary)
    foreign = Path(store.layout.temporary, "partial-download")
    foreign.write_bytes(b"x")
    with open_temporary(store.layout.temporary, mode=0o640) as alive:
        with store.stage(io.BytesIO(make_aci())) as staged:
            staged.commit(ImageOrigin())
        assert sorted(os.listdir(store.layout.temporary)) == sorted([foreign.name, os.path.basename(alive.path)])
    assert not os.path.exists(dead)


def test_a_leftover_that_cannot_be_deleted_stops_no_fetch(store: ImageStore, make_aci: Callable[..., bytes]) -> None:
    os.mkdir(f"{store.layout.temporary}/stage-1-1")
    with store.stage(io.BytesIO(make_aci())) as staged:
        assert staged.commit(ImageOrigin()).name == "example.com/app"
