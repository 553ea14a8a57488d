"""Other runtimes, set up to run the probe as rkt does: no network, a root file system of its own, nothing kept.

Each function returns a contender; one whose program is missing fails in its first round and is reported there.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from measurement import Contender

PROGRAM = ("/bin/probe", "exit", "0")
LIMIT = 4096


def podman(directory: Path, rootfs: Path, *, runtime: str = "runc") -> Contender:
    """``podman run --rm --network=none`` with a store of its own; runc, because crun refuses hybrid control groups."""
    command = ["podman", f"--root={directory}/podman", f"--runroot={directory}/podman-run", f"--runtime={runtime}"]
    archive = directory / "rootfs.tar"
    subprocess.run(["tar", "-C", rootfs, "-cf", archive, "."], check=True)
    try:
        subprocess.run([*command, "import", "--quiet", archive, "localhost/probe"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pass  # reported when the first round fails
    # by default podman raises these limits, which needs CAP_SYS_RESOURCE; lowering them is always possible
    limits = [f"--ulimit={name}={LIMIT}:{LIMIT}" for name in ("nofile", "nproc")]
    return Contender("podman run", [*command, "run", "--rm", "--network=none", *limits, "localhost/probe", *PROGRAM])


def remove_podman(directory: Path) -> None:
    """Unmount and empty podman's store, so that the directory can be removed, and its empty control groups."""
    command = [
        "podman",
        f"--root={directory}/podman",
        f"--runroot={directory}/podman-run",
        "system",
        "reset",
        "--force",
    ]
    try:
        subprocess.run(command, check=False, capture_output=True)
    except FileNotFoundError:
        pass
    for place in ("podman/overlay", "podman"):
        subprocess.run(["umount", "-l", directory / place], check=False, capture_output=True)
    for parent in Path("/sys/fs/cgroup").glob("*/libpod_parent"):
        for group, _, _ in os.walk(parent, topdown=False):
            try:
                os.rmdir(group)
            except OSError:
                continue  # in use by somebody else's podman


def runc(directory: Path, rootfs: Path) -> Contender:
    """``runc run`` of a bundle with runc's own default configuration."""
    bundle = _make_bundle(directory, rootfs)
    return Contender("runc run", ["runc", f"--root={directory}/runc", "run", f"--bundle={bundle}", "rkt-bench-runc"])


def crun(directory: Path, rootfs: Path, *, namespace_fd: int | None) -> Contender:
    """``crun run`` of the same bundle; ``namespace_fd`` from :func:`namespace_without_unified_cgroups`."""
    bundle = directory / "bundle"
    command = ["crun", f"--root={directory}/crun", "run", f"--bundle={bundle}", "rkt-bench-crun"]
    return Contender("crun run", command, namespace_fd=namespace_fd)


def bubblewrap(rootfs: Path) -> Contender:
    """bwrap with every namespace, without image, store or control group: the floor for this kind of work."""
    mounts = ["--bind", str(rootfs), "/", "--proc", "/proc", "--dev", "/dev"]
    return Contender("bwrap", ["bwrap", "--unshare-all", *mounts, *PROGRAM])


def _make_bundle(directory: Path, rootfs: Path) -> Path:
    bundle = directory / "bundle"
    bundle.mkdir()
    try:
        subprocess.run(["runc", "spec", "--bundle", bundle], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return bundle
    path = bundle / "config.json"
    configuration = json.loads(path.read_text())
    configuration["process"].update(args=list(PROGRAM), terminal=False)
    configuration["root"] = {"path": str(rootfs), "readonly": False}
    path.write_text(json.dumps(configuration))
    return bundle


def namespace_without_unified_cgroups() -> int | None:
    """A mount namespace in which a hybrid hierarchy looks like version 1, for crun; None where that is not needed.

    The namespace lives as long as the descriptor.
    """
    if not os.path.ismount("/sys/fs/cgroup/unified"):
        return None
    script = "umount -l /sys/fs/cgroup/unified && echo ready && read line"
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            return None
        fd = os.open(f"/proc/{process.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        process.stdin.write(b"\n")
    return fd
