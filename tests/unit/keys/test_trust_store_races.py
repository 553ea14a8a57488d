"""Reading trusted keys while somebody adds and removes some."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from rkt.keys.trust_store import TrustStore
from rkt.paths import ConfigDirectories


def test_files_that_come_and_go_meanwhile_do_not_matter(tmp_path: Path, fixture_images: Path) -> None:
    store = TrustStore(ConfigDirectories(local=str(tmp_path / "local"), system=str(tmp_path / "system")))
    path = store.add((fixture_images / "fixture-key.asc").read_bytes(), prefix=None)
    directory = os.path.dirname(path)
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            temporary, masked = f"{directory}/.tmp-{number}", f"{directory}/{number:040x}"
            for name in (temporary, masked):
                with open(name, "wb"):
                    pass
            for name in (temporary, masked):
                os.unlink(name)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(300):
            assert [key.path for key in store.keys_for("example.com/app")] == [path]
    finally:
        stop.set()
        thread.join()
