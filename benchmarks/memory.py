"""Peak memory of fetch and render of a large image, and what the supervisors of a running pod cost.

Targets: peaks under 64 MB. Of the supervisors the proportional share (PSS) is printed, process by process. Needs root.
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from measurement import Contender, print_target
from workspace import Workspace

MEGABYTE = 1 << 20


def measure_peaks(workspace: Workspace) -> None:
    """Peak resident set of one fetch and one rendering prepare."""
    image = workspace.make_sample_image()
    fetch = Contender("rkt fetch", workspace.rkt("fetch", image)).run()
    print_target("peak of rkt fetch in MB", fetch.peak_bytes / MEGABYTE, limit=64)
    prepare = Contender("rkt prepare", workspace.rkt("prepare", image)).run()
    print_target("peak of rkt prepare (renders) in MB", prepare.peak_bytes / MEGABYTE, limit=64)


def measure_supervisors(workspace: Workspace) -> None:
    """PSS of every process of a pod with one sleeping app."""
    key = workspace.fetch_probe()
    with subprocess.Popen(
        workspace.rkt("run", "--net=none", key, "--", "print-out", "up", "+", "sleep", "60"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as pod:
        assert pod.stdout is not None
        try:
            pod.stdout.readline()
            time.sleep(0.5)
            _print_shares(pod.pid)
        finally:
            pod.terminate()


def _print_shares(top: int) -> None:
    total = 0
    for pid in [top, *_descendants(top)]:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        share = int(re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])  # type: ignore[index]
        print(f"  pid {pid:7} {name:16} PSS {share / 1024:6.1f} MB")
        total += 0 if name == "probe" else share
    print(f"  supervisors of a pod with one app: PSS {total / 1024:.1f} MB")


def _descendants(top: int) -> list[int]:
    found: list[int] = []
    for child in Path(f"/proc/{top}/task/{top}/children").read_text().split():
        found += [int(child), *_descendants(int(child))]
    return found


def main() -> None:
    with Workspace() as workspace:
        print("\nmemory")
        measure_peaks(workspace)
        measure_supervisors(workspace)
        subprocess.run(
            workspace.rkt("gc", "--grace-period=0s", "--expire-prepared=0s"), check=False, capture_output=True
        )


if __name__ == "__main__":
    main()
