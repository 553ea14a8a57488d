"""What a test could leave behind on the machine, as a value: taken before and after, compared, and tidied.

Mounts, control groups, network namespaces, links, processes and this process's descriptors. What other programs on
the machine do at the same time is left out where the kernel tells whose it is (namespaces, processes, populated
control groups). Pod directories are :mod:`harness.pod_state`'s.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from harness.mountinfo import load_mounts
from harness.processes import find_processes, reap_orphans

NETWORK_NAMESPACE_NAMES = Path("/run/netns")


@dataclass(frozen=True)
class HostState:
    """One snapshot. ``mark`` is the path below which everything belongs to the test."""

    mark: str
    mounts: Counter[str]
    cgroups: frozenset[str]
    network_namespaces: frozenset[str]
    links: frozenset[str]
    processes: dict[int, str]
    descriptors: dict[int, str]

    def differences(self, after: HostState) -> list[str]:
        """One line for each thing that is there after and was not before, or the other way round."""
        lines: list[str] = []
        lines += [f"mount left: {text}" for text in (after.mounts - self.mounts).elements()]
        lines += [f"mount gone: {text}" for text in (self.mounts - after.mounts).elements()]
        lines += [
            f"control group left: {path}" for path in sorted(after.cgroups - self.cgroups) if _is_ours(path, after)
        ]
        lines += _both_ways("network namespace", self.network_namespaces, after.network_namespaces)
        lines += _both_ways("link", self.links, after.links)
        lines += [f"process left: {pid} {text}" for pid, text in after.processes.items() if pid not in self.processes]
        lines += [
            f"descriptor left: {fd} -> {to}" for fd, to in after.descriptors.items() if self.descriptors.get(fd) != to
        ]
        lines += [
            f"descriptor gone: {fd} -> {to}" for fd, to in self.descriptors.items() if fd not in after.descriptors
        ]
        return lines


def _both_ways(kind: str, before: frozenset[str], after: frozenset[str]) -> list[str]:
    return [f"{kind} left: {name}" for name in sorted(after - before)] + [
        f"{kind} gone: {name}" for name in sorted(before - after)
    ]


def take_host_state(mark: str) -> HostState:
    """The machine as it is now. ``mark``: the test's own directory."""
    reap_orphans()
    processes = find_processes(mark)
    return HostState(
        mark=mark,
        mounts=Counter(str(line) for line in load_mounts()),
        cgroups=frozenset(_cgroups()),
        network_namespaces=frozenset(_network_namespaces(processes)),
        links=frozenset(_links()),
        processes=processes,
        descriptors=_descriptors(),
    )


def settled_differences(before: HostState, *, limit_seconds: float = 2.0) -> list[str]:
    """The differences between ``before`` and now that are still there after ``limit_seconds``."""
    deadline = time.monotonic() + limit_seconds
    while True:
        lines = before.differences(take_host_state(before.mark))
        if not lines or time.monotonic() > deadline:
            return lines
        time.sleep(0.05)


def tidy(before: HostState) -> None:
    """End, unmount and remove what :func:`settled_differences` named, so that the next test starts clean."""
    for pid in take_host_state(before.mark).processes.keys() - before.processes.keys():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for mount in reversed(load_mounts()):
        if mount.target == before.mark or mount.target.startswith(before.mark + "/"):
            subprocess.run(["umount", "-l", mount.target], check=False)
    settled_differences(before, limit_seconds=0.5)
    after = take_host_state(before.mark)
    for path in sorted(after.cgroups - before.cgroups, reverse=True):
        if _is_ours(path, after):
            _remove_directory(path)


def _remove_directory(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        pass


def _cgroups() -> list[str]:
    found: list[str] = []
    for mount in load_mounts():
        if mount.kind in ("cgroup", "cgroup2"):
            found += [directory for directory, _, _ in os.walk(mount.target)]
    return found


def _is_ours(cgroup: str, state: HostState) -> bool:
    """Whether a new control group can be the test's: it is not when only foreign processes are in it."""
    try:
        members = {int(word) for word in Path(cgroup, "cgroup.procs").read_text().split()}
    except OSError:
        return os.path.isdir(cgroup)
    return not members or not members.isdisjoint(state.processes)


def _network_namespaces(processes: dict[int, str]) -> list[str]:
    """Those that a process of the test is in or holds open, that are mounted, or that have a name."""
    own = os.readlink("/proc/self/ns/net")
    found = {
        f"mounted on {mount.target}"
        for mount in load_mounts()
        if mount.kind == "nsfs" and mount.root.startswith("net:")
    }
    if NETWORK_NAMESPACE_NAMES.is_dir():
        found |= {f"named {entry.name}" for entry in NETWORK_NAMESPACE_NAMES.iterdir()}
    for pid in (*processes, os.getpid()):
        for link in (f"/proc/{pid}/ns/net", *_paths_in(f"/proc/{pid}/fd")):
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("net:") and target != own:
                found.add(f"{target} held by {pid}")
    return list(found)


def _paths_in(directory: str) -> list[str]:
    try:
        return [f"{directory}/{name}" for name in os.listdir(directory)]
    except OSError:
        return []


def _links() -> list[str]:
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def _descriptors() -> dict[int, str]:
    found: dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the descriptor that listed the directory
    return found
