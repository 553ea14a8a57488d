"""From a pod manifest to everything that the kernel is to be told, as values that print themselves. Pure.

The plan has two parts: steps for the pod (its /proc, /sys, terminals and device nodes, built once) and, for each app,
steps that assemble its root file system and the processes that will run in it. :mod:`rkt.stage1.native.init` carries
them out. Paths are absolute paths of the host; they are used before the pod's root is sealed.
"""

from __future__ import annotations

from rkt import stage_contract
from rkt.linux import syscalls
from rkt.linux.mounts import Attributes, Bind, BindInRoot, Mount, Step, plan_overlay
from rkt.linux.nodes import (
    EnsureDirectoryInRoot,
    MakeCharacterDevice,
    MakeDirectory,
    MakeFile,
    MakeSymlink,
    SymlinkInRoot,
)
from rkt.stage1 import kernel_paths
from rkt.stage1.volumes import VolumeMount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.linux.cgroups import Limits
    from rkt.stage2.process import AppProcess

_SAFE = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC

#: mount points below the stage1 root
_POD_DIRECTORIES = ("dev", "dev/pts", "dev/shm", "proc", "sys", "rkt/dev", "rkt/isolation")
#: name, major, minor: the nodes of LNX-003 to LNX-008; /dev/console is a terminal of the pod
_DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_DEV_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
#: the first terminal of a fresh devpts: every app's /dev/console, and the terminal of an interactive pod
CONSOLE = "dev/pts/0"
#: the default /etc/hosts of the apps, below the stage1 root
_HOSTS = "/rkt/hosts"
#: the pod's device nodes and masks, below the stage1 root: read-only once it is built
_KEPT = "/rkt/isolation"
#: the null device of the pod, for its init; it cannot be given another owner or mode
NULL_DEVICE = f"{_KEPT}/null"


class AppPlan:
    """One app: ``steps`` assemble ``root`` (an absolute path, a mount point afterwards); then the processes.

    ``pre_start`` and ``post_stop`` are event handlers or None.
    """

    __slots__ = ("limits", "main", "name", "post_stop", "pre_start", "root", "steps")

    def __init__(
        self,
        *,
        name: str,
        root: str,
        steps: tuple[Step, ...],
        main: AppProcess,
        pre_start: AppProcess | None,
        post_stop: AppProcess | None,
        limits: Limits,
    ) -> None:
        self.name = name
        self.root = root
        self.steps = steps
        self.main = main
        self.pre_start = pre_start
        self.post_stop = post_stop
        self.limits = limits


class PodPlan:
    """A whole pod: the namespaces to unshare, the stage1 root file system, steps before and the apps."""

    __slots__ = ("apps", "hostname", "interactive", "namespaces", "stage1_root", "steps", "uuid")

    def __init__(
        self,
        *,
        uuid: str,
        hostname: str,
        namespaces: int,
        stage1_root: str,
        steps: tuple[Step, ...],
        apps: tuple[AppPlan, ...],
        interactive: bool,
    ) -> None:
        self.uuid = uuid
        self.hostname = hostname
        self.namespaces = namespaces
        self.stage1_root = stage1_root
        self.steps = steps
        self.apps = apps
        self.interactive = interactive

    def describe(self) -> list[str]:
        """The plan as lines, for ``--debug`` and for golden files."""
        lines = [f"pod {self.uuid}: hostname {self.hostname}, namespaces {self.namespaces:#x}"]
        lines += [f"  {step.describe()}" for step in self.steps]
        for app in self.apps:
            lines.append(f"  app {app.name}:")
            lines += [f"    {step.describe()}" for step in app.steps]
            for kind, process in (("pre-start", app.pre_start), ("main", app.main), ("post-stop", app.post_stop)):
                if process is not None:
                    lines.append(f"    {kind}: {process.describe()}")
        return lines


def plan_namespaces(*, net: str, ipc: str | None) -> int:
    """Flags of unshare(2) for the pod's init; the PID namespace is made by its parent, the cgroup one by each app."""
    flags = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWUTS
    if net != "host":
        flags |= syscalls.CLONE_NEWNET
    if ipc != "parent":
        flags |= syscalls.CLONE_NEWIPC
    return flags


def plan_pod_steps(root: str, *, hostname: str, hide_paths: bool) -> tuple[Step, ...]:
    """What is built once below the stage1 root ``root``: device nodes, masks, /proc, /sys, terminals, shared memory."""
    kept = f"{root}{_KEPT}"
    steps: list[Step] = [
        *(MakeDirectory(f"{root}/{name}") for name in _POD_DIRECTORIES),
        MakeFile(f"{root}{_HOSTS}", content=plan_hosts(hostname)),
        Bind(root, root),
        Mount("tmpfs", kept, flags=syscalls.MS_NOSUID | syscalls.MS_NOEXEC, data="mode=0700,size=64k"),
        *(MakeCharacterDevice(f"{kept}/{name}", major, minor) for name, major, minor in _DEVICES),
        MakeFile(f"{kept}/hidden-file", mode=0),
        MakeDirectory(f"{kept}/hidden-directory", mode=0),
        # read-only from here on: what is bound from it can be neither changed nor given other rights
        Attributes(kept, syscalls.MOUNT_ATTR_RDONLY),
        Mount("proc", f"{root}/proc", flags=_SAFE),
        Mount("sysfs", f"{root}/sys", flags=_SAFE),
        Mount("devpts", f"{root}/dev/pts", flags=syscalls.MS_NOSUID | syscalls.MS_NOEXEC, data=_DEVPTS_OPTIONS),
        Mount("tmpfs", f"{root}/dev/shm", flags=_SAFE, data="mode=1777"),
    ]
    if hide_paths:
        steps += _plan_hidden_paths(root, kept)
    return tuple(steps)


_DEVPTS_OPTIONS = "newinstance,ptmxmode=0666,mode=0620,gid=5"


def plan_hosts(hostname: str) -> bytes:
    """``/etc/hosts`` of an app whose image has none (LNX-014, LNX-015)."""
    return f"127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n".encode()


def _plan_hidden_paths(root: str, kept: str) -> list[Step]:
    read_only = syscalls.MOUNT_ATTR_RDONLY
    # the mount, not MS_RDONLY: with --net=host the file system itself is the host's
    steps: list[Step] = [Attributes(f"{root}/sys", read_only)]
    for name in kernel_paths.READ_ONLY_PROC:
        path = f"{root}/proc/{name}"
        steps.append(Bind(path, path, attributes=read_only, optional=True))
    for name in kernel_paths.HIDDEN_PROC_FILES:
        steps.append(Bind(f"{kept}/hidden-file", f"{root}/proc/{name}", optional=True))
    for name in kernel_paths.HIDDEN_PROC_DIRECTORIES:
        steps.append(Bind(f"{kept}/hidden-directory", f"{root}/proc/{name}", optional=True))
    for name in kernel_paths.HIDDEN_SYS_DIRECTORIES:
        steps.append(Bind(f"{kept}/hidden-directory", f"{root}/sys/{name}", optional=True))
    return steps


def plan_app_steps(
    app: str,
    *,
    pod_path: str,
    lower: str | None,
    tree_id: str | None,
    volumes: tuple[VolumeMount, ...],
    read_only_rootfs: bool,
) -> tuple[Step, ...]:
    """What makes an app's root file system: overlay (or the rendered copy), kernel file systems, /dev, volumes.

    ``lower`` is the rendered tree for an overlay, None if the root file system was rendered into the pod.
    """
    stage1_root = f"{pod_path}/{stage_contract.STAGE1_ROOTFS}"
    root = f"{pod_path}/{stage_contract.app_rootfs(app)}"
    if lower is not None and tree_id is not None:
        upper, work = stage_contract.overlay_directories(tree_id, app)
        steps: list[Step] = [plan_overlay(root, lower=lower, upper=f"{pod_path}/{upper}", work=f"{pod_path}/{work}")]
    else:
        steps = [Bind(root, root, attributes=syscalls.MOUNT_ATTR_NODEV)]
    steps += [
        EnsureDirectoryInRoot(root, "/tmp", mode=0o1777),
        SymlinkInRoot(root, "/etc/mtab", "../proc/self/mounts"),
        BindInRoot(f"{stage1_root}{_HOSTS}", root=root, path="/etc/hosts", unless_present=True, what="/etc/hosts"),
        BindInRoot(f"{stage1_root}/proc", root=root, path="/proc", recursive=True, what="/proc"),
        BindInRoot(f"{stage1_root}/sys", root=root, path="/sys", recursive=True, what="/sys"),
        *_plan_dev(app, stage1_root=stage1_root, root=root),
    ]
    steps += [volume.plan_step(root) for volume in volumes]
    if read_only_rootfs:
        steps.append(Attributes(root, syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NODEV))
    return tuple(steps)


def _plan_dev(app: str, *, stage1_root: str, root: str) -> list[Step]:
    """An app's /dev is filled on a path of our own, where no symlink of the image can redirect it, then moved in.

    The tmpfs is nodev; each node is a bind mount from the pod's own file system of nodes. A node that an app makes
    therefore leads nowhere, whatever capability it has.
    """
    dev = f"{stage1_root}/rkt/dev/{app}"
    kept = f"{stage1_root}{_KEPT}"
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    steps: list[Step] = [MakeDirectory(dev), Mount("tmpfs", dev, flags=flags, data="mode=0755,size=64k")]
    for name, _, _ in _DEVICES:
        steps += [MakeFile(f"{dev}/{name}"), Bind(f"{kept}/{name}", f"{dev}/{name}")]
    steps += [MakeSymlink(f"{dev}/{name}", destination) for name, destination in _DEV_LINKS]
    steps += [
        MakeFile(f"{dev}/console", mode=0o620),
        Bind(f"{stage1_root}/{CONSOLE}", f"{dev}/console"),
        MakeDirectory(f"{dev}/pts"),
        Bind(f"{stage1_root}/dev/pts", f"{dev}/pts"),
        MakeDirectory(f"{dev}/shm", mode=0o1777),
        Bind(f"{stage1_root}/dev/shm", f"{dev}/shm"),
        MakeDirectory(f"{dev}/mqueue"),
        Mount("mqueue", f"{dev}/mqueue", flags=flags),
        BindInRoot(dev, root=root, path="/dev", recursive=True, what="/dev"),
    ]
    return steps
