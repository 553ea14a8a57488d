"""Many at once: pods of one image beside gc, fetches of one URL, and a pod that two want to run."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from harness.http_server import Reply, Server
from harness.pod_state import pod_states
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns


def test_thirty_pods_of_one_image_run_beside_a_loop_of_gc(runs: PodRuns) -> None:
    """All end well, none is taken away while it runs; afterwards gc leaves nothing."""
    stopped = threading.Event()
    failures: list[str] = []

    def collect() -> None:
        while not stopped.is_set():
            for words in (["gc", "--grace-period=0s"], ["list", "--full"]):
                done = runs.rkt(*words)
                if done.status or "Traceback" in done.stderr:
                    failures.append(done.stderr)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        started = [
            runs.rkt.start(*runs.argv("write", "/x", str(number), "+", "cat", "/x", image="writer"))
            for number in range(30)
        ]
        ended = [(process.communicate(timeout=100), process.returncode) for process in started]
    finally:
        stopped.set()
        collector.join()
    assert [out for (out, _), _ in ended] == [str(number).encode() for number in range(30)], ended
    assert {status for _, status in ended} == {0}
    assert failures == []
    runs.rkt("gc", "--grace-period=0s").checked()
    runs.rkt("gc", "--grace-period=0s").checked()
    assert pod_states(runs.rkt.data) == {}


def test_ten_fetches_of_one_url_end_with_one_blob(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    with Server() as server:
        server.answers["/hello.aci"] = Reply((fixture_images / "hello.aci").read_bytes(), stall_seconds=0.05)
        server.answers["/hello.aci.asc"] = Reply((fixture_images / "hello.aci.asc").read_bytes())
        words = ["--insecure-options=http", "fetch", "--full", server.url("/hello.aci")]
        started = [trusting_rkt.start(*words) for _ in range(10)]
        ended = [(process.communicate(timeout=100), process.returncode) for process in started]
    assert {status for _, status in ended} == {0}, ended
    assert len({out for (out, _), _ in ended}) == 1
    assert len([path for path in (trusting_rkt.data / "cas" / "blob").rglob("*") if path.is_file()]) == 1
    assert len(trusting_rkt("image", "list", "--no-legend").checked().stdout.splitlines()) == 1


def test_two_runs_of_one_prepared_pod_run_it_once(runs: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    flags = ["--quiet", f"--volume=v,kind=host,source={tmp_path / 'v'}", "--mount=volume=v,target=/v"]
    words = runs.argv("append", "/v/log", "x", verb="prepare", flags=flags)
    uuid = runs.rkt(*words).checked().stdout.strip()
    started = [runs.rkt.start("run-prepared", "--net=none", uuid) for _ in range(4)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in started]
    assert sorted(status for _, status in ended) == [0, 254, 254, 254]
    assert (tmp_path / "v" / "log").read_text() == "x"


@pytest.mark.parametrize("image", ["writer", "probe"])
def test_first_runs_of_an_image_at_once_render_one_tree(runs: PodRuns, image: str) -> None:
    before = set((runs.rkt.data / "cas" / "tree").iterdir())
    started = [runs.rkt.start(*runs.argv("print-out", "x", image=image)) for _ in range(6)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in started]
    assert {(out, status) for (out, _), status in ended} == {(b"x\n", 0)}, ended
    assert len(set((runs.rkt.data / "cas" / "tree").iterdir()) - before) == 1


def test_image_that_is_removed_while_pods_start_harms_none(runs: PodRuns) -> None:
    """A pod either starts as always or says that the image is not there."""
    started: list[subprocess.Popen[bytes]] = []
    for step in range(8):
        started.append(runs.rkt.start(*runs.argv("print-out", "x")))
        if step == 4:
            runs.rkt("image", "rm", runs.ids["hello"])
    ended = [(process.communicate(timeout=60), process.returncode) for process in started]
    for (out, err), status in ended:
        assert (out, status) in ((b"x\n", 0), (b"", 254)), err
        assert b"Traceback" not in err
