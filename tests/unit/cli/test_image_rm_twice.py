"""``rkt image rm`` beside another one: an image that is gone by then is no failure, and is removed by one of them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rkt.cli.image.rm import _remove_all
from rkt.paths import DataDirectory
from rkt.store.errors import ImageNotFoundError
from rkt.store.image_store import ImageStore, open_image_store


@pytest.fixture
def store(tmp_path: Path, hello: str) -> ImageStore:
    return open_image_store(DataDirectory(f"{tmp_path}/data"))


def test_an_image_that_another_process_removed_first_is_no_failure(
    store: ImageStore, hello: str, capfd: pytest.CaptureFixture[str]
) -> None:
    key = store.resolve_key(hello)
    assert _remove_all(store, [key]) == (1, 0, 0)
    capfd.readouterr()
    assert _remove_all(store, [key]) == (0, 0, 0)
    output = capfd.readouterr()
    assert output.out == ""
    assert "no image IDs found" in output.err


def test_of_two_removers_at_once_one_has_removed_it(store: ImageStore, hello: str) -> None:
    key = store.resolve_key(hello)
    caught: list[Exception] = []

    def remove() -> None:
        try:
            store.remove(key)
        except ImageNotFoundError as error:
            caught.append(error)

    with store.lock_for_writing():
        waiting = threading.Thread(target=remove)
        waiting.start()
        waiting.join(0.2)
        os.unlink(store.layout.record(key))
    waiting.join()
    assert len(caught) == 1
