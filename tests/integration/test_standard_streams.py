"""stdout and stderr are the app's own, byte by byte and never merged; a reader that leaves or sleeps harms nobody."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest
from harness.archives import directory, entry
from harness.http_server import wait_until
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

LINE = 64


def test_every_byte_arrives_as_it_was_written(runs: PodRuns, tmp_path: Path) -> None:
    data = bytes(range(256)) * 5 + b"\r\n\r\r\n\x00\n\n\r" + os.urandom(70001) + b"no newline at the end"
    path = write_image(
        tmp_path / "bytes.aci",
        image_manifest(app_section("cat", "/data/bytes")),
        *(directory("rootfs/data"), entry("rootfs/data/bytes", data)),
    )
    assert runs.image(path).stdout_bytes == data


def test_stdout_and_stderr_are_never_merged(runs: PodRuns) -> None:
    count = 4096 * LINE
    result = runs("flood", str(count), "both")
    assert len(result.stdout_bytes) == count
    assert result.stderr_bytes.count(b"0123456789abcdefghij") == count // LINE
    assert set(result.stdout_bytes.splitlines()) == {result.stdout_bytes[: LINE - 1]}


def test_messages_of_rkt_are_on_stderr_alone(runs: PodRuns) -> None:
    result = runs("print-out", "out", "+", "print-err", "err", image="probe")
    assert result.stdout == "out\n" and "err\n" in result.stderr and "warning" in result.stderr


def test_stdin_of_a_pod_that_is_not_interactive_is_empty(runs: PodRuns) -> None:
    assert runs("copy-in", "+", "print-out", "end", input=b"typed by the caller").stdout == "end\n"


def test_reader_that_goes_away_leaves_the_pod_to_its_end(runs: PodRuns, tmp_path: Path) -> None:
    """``rkt run ... | head -1``: what the app writes fails with SIGPIPE, as in any pipeline."""
    with runs.rkt.start(*runs.argv("flood", "10000000")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 128 + 13
        assert process.stderr is not None and b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_of_the_caller_are_null_devices_for_the_app(runs: PodRuns, tmp_path: Path, closed: str) -> None:
    (tmp_path / "v").mkdir()
    flags = [f"--volume=v,kind=host,source={tmp_path / 'v'}", "--mount=volume=v,target=/v"]
    words = ["print-out", "out", "+", "print-err", "err", "+", "write", "/v/done", "yes", "+", "exit", "4"]
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *runs.rkt.argv(*runs.argv(*words, flags=flags))]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 4, done.stderr
    assert (tmp_path / "v" / "done").read_text() == "yes"
    assert done.stdout == (b"" if ">&- 2" in closed or closed == ">&-" else b"out\n")


def test_full_pipe_blocks_the_app_and_not_rkt(runs: PodRuns) -> None:
    """Nobody reads: the app stands still, and list, stop and the supervisor do not."""
    process = runs.rkt.start(*runs.argv("print-err", "begun", "+", "flood", "1000000"))
    assert process.stdout is not None and process.stderr is not None
    while b"begun" not in process.stderr.readline():
        pass
    (uuid,) = (path.name for path in (runs.rkt.data / "pods" / "run").iterdir())
    assert "running" in runs.rkt("list", "--full").checked().stdout
    runs.rkt("stop", uuid).checked()
    wait_until(lambda: process.poll() is not None)
    assert process.returncode == 128 + 15
    process.communicate()


def test_output_is_there_at_once_and_not_at_the_end(runs: PodRuns) -> None:
    with runs.rkt.start(*runs.argv("print-out", "early", "+", "signals", "30")) as process:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 20)[0]
        assert process.stdout.readline() == b"early\n"
        process.terminate()
        process.communicate()
