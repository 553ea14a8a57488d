"""CPU time of rendering 20,000 files beside GNU tar, which extracts the same uncompressed archive.

The time of ``rkt prepare`` with the tree rendered already is taken off, so that what is left is the rendering. Target:
at most 2 times GNU tar. Needs root.
"""

from __future__ import annotations

import shutil
import subprocess

from measurement import Contender, interleave, print_table, print_target
from workspace import Workspace


def main(rounds: int = 5) -> None:
    with Workspace() as workspace:
        key = workspace.run("fetch", workspace.make_sample_image()).splitlines()[-1]
        blob = next(path for path in (workspace.data / "cas" / "blob").rglob("sha512-*") if path.is_file())
        target = workspace.path / "extracted"

        def remove_trees() -> None:
            subprocess.run(
                workspace.rkt("gc", "--grace-period=0s", "--expire-prepared=0s"), check=True, capture_output=True
            )
            shutil.rmtree(workspace.data / "cas" / "tree", ignore_errors=True)

        def make_target() -> None:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()

        extract = [
            "tar",
            "--extract",
            "--numeric-owner",
            "--xattrs",
            "--same-permissions",
            f"--directory={target}",
            f"--file={blob}",
        ]
        contenders = interleave(
            [
                Contender("rkt prepare, renders", workspace.rkt("prepare", key), before=remove_trees),
                Contender("rkt prepare, rendered already", workspace.rkt("prepare", key)),
                Contender("tar -x", extract, before=make_target),
            ],
            rounds=rounds,
        )
    print_table(
        f"rendering 20,000 files, wall clock, {rounds} interleaved runs", contenders, ours="rkt prepare, renders"
    )
    print_table("the same, CPU time", contenders, what="cpu", ours="rkt prepare, renders")
    cpu = {contender.name: contender.median("cpu") for contender in contenders}
    if len(cpu) == 3:
        rendering = cpu["rkt prepare, renders"] - cpu["rkt prepare, rendered already"]
        print_target("CPU time of rendering / GNU tar", rendering / cpu["tar -x"], limit=2.0)


if __name__ == "__main__":
    main()
