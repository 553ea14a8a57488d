"""A pod that ends at once, of an image already rendered, beside other runtimes with the same static program.

Targets: at most 0.35 times podman, at most 1.2 times runc. Needs root.
"""

from __future__ import annotations

import os
import subprocess

import peers
from measurement import Contender, interleave, print_table, print_target, ratio
from workspace import Workspace


def main(rounds: int = 25) -> None:
    with Workspace() as workspace:
        namespace_fd = peers.namespace_without_unified_cgroups()
        rootfs = workspace.make_probe_rootfs()
        try:
            contenders = interleave(
                [
                    Contender(
                        "rkt", workspace.rkt("run", "--net=none", workspace.fetch_probe(), "--", *peers.PROGRAM[1:])
                    ),
                    peers.podman(workspace.path, rootfs),
                    peers.runc(workspace.path, rootfs),
                    peers.crun(workspace.path, rootfs, namespace_fd=namespace_fd),
                    peers.bubblewrap(rootfs),
                ],
                rounds=rounds,
            )
        finally:
            peers.remove_podman(workspace.path)
            subprocess.run(workspace.rkt("gc", "--grace-period=0s"), check=False, capture_output=True)
            if namespace_fd is not None:
                os.close(namespace_fd)
    print_table(f"rkt run --net=none of a rendered image, {rounds} interleaved runs", contenders)
    for peer, limit in (("podman run", 0.35), ("runc run", 1.2)):
        found = ratio(contenders, "rkt", peer)
        if found is not None:
            print_target(f"rkt / {peer}", found, limit=limit)


if __name__ == "__main__":
    main()
