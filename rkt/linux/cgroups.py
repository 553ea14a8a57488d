"""Control groups on v1, hybrid and v2 hosts: one directory for a pod, one below it for each app.

A pod is ``rkt/<uuid>`` from the root of each hierarchy, its apps are below it, its init is in ``init.scope`` (a dot
cannot occur in an app's name). A process joins through descriptors opened here before the pod's mount namespace is
sealed. What limits an app gets is decided by the caller; which file they are written to, here. cgroups(7),
Documentation/admin-guide/cgroup-v1 and -v2.
"""

from __future__ import annotations

import os
from errno import EBUSY, ENODEV, ENOENT, ENOTEMPTY

from rkt.errors import RktError, reason

MOUNT_POINT = "/sys/fs/cgroup"
PARENT = "rkt"
INIT = "init.scope"

#: the controllers that a pod uses; on v1 the others stay with the caller's groups
_CONTROLLERS = ("memory", "cpu", "pids")


class CgroupError(RktError):
    """A control group cannot be made or a limit cannot be set."""

    code = "cgroup"


class Hierarchies:
    """What is mounted: ``unified`` is the cgroup2 mount or None, ``controllers`` maps v1 controllers to directories.

    ``unified_controllers`` are those that v2 can limit; a controller is either there or in ``controllers``.
    """

    __slots__ = ("controllers", "unified", "unified_controllers")

    def __init__(
        self, *, unified: str | None, controllers: dict[str, str], unified_controllers: frozenset[str]
    ) -> None:
        self.unified = unified
        self.controllers = controllers
        self.unified_controllers = unified_controllers

    @property
    def mode(self) -> str:
        """``v2``, ``hybrid``, ``v1`` or ``none``."""
        if self.unified is None:
            return "v1" if self.controllers else "none"
        return "hybrid" if self.controllers else "v2"

    def roots(self) -> tuple[str, ...]:
        """The mount point of each hierarchy that a pod joins.

        A cgroup2 mount without a controller of use is left out: joining it costs 10 ms (the kernel waits for a grace
        period) and gives nothing but ``cgroup.kill``.
        """
        found = tuple(dict.fromkeys(self.controllers.values()))
        if self.unified is not None and (self.unified_controllers or not found):
            return (*found, self.unified)
        return found

    def has(self, controller: str) -> bool:
        """Whether a limit of this controller can be set."""
        return controller in self.controllers or controller in self.unified_controllers


def find_hierarchies(mount_point: str = MOUNT_POINT) -> Hierarchies:
    """Look at what is mounted below ``mount_point``. Unreadable or absent means: no hierarchies."""
    if os.path.exists(f"{mount_point}/cgroup.controllers"):
        return Hierarchies(unified=mount_point, controllers={}, unified_controllers=_read_controllers(mount_point))
    controllers = {
        name: f"{mount_point}/{name}" for name in _CONTROLLERS if os.path.exists(f"{mount_point}/{name}/cgroup.procs")
    }
    unified = f"{mount_point}/unified"
    if not os.path.exists(f"{unified}/cgroup.controllers"):
        return Hierarchies(unified=None, controllers=controllers, unified_controllers=frozenset())
    usable = _read_controllers(unified) - controllers.keys()
    return Hierarchies(unified=unified, controllers=controllers, unified_controllers=frozenset(usable))


def _read_controllers(directory: str) -> frozenset[str]:
    """The controllers of use that the root of a v2 hierarchy has."""
    with open(f"{directory}/cgroup.controllers") as file:
        return frozenset(file.read().split()).intersection(_CONTROLLERS)


class Limits:
    """Limits of one group, None for none: ``memory_bytes``, ``cpu_millicores``, ``cpu_shares`` (2-262144), ``pids``."""

    __slots__ = ("cpu_millicores", "cpu_shares", "memory_bytes", "pids")

    def __init__(
        self,
        *,
        memory_bytes: int | None = None,
        cpu_millicores: int | None = None,
        cpu_shares: int | None = None,
        pids: int | None = None,
    ) -> None:
        self.memory_bytes = memory_bytes
        self.cpu_millicores = cpu_millicores
        self.cpu_shares = cpu_shares
        self.pids = pids


_CPU_PERIOD_US = 100_000
#: the kernel refuses less
_CPU_QUOTA_LEAST_US = 1000
#: how often a group's members are listed while killing them: a fork bomb needs several rounds
_KILL_ROUNDS = 1000


def plan_writes(limits: Limits, hierarchies: Hierarchies) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Pure: ``([(controller, file, value), ...], [limits that this host cannot enforce, ...])``.

    ``controller`` says in which hierarchy the file lies.
    """
    writes: list[tuple[str, str, str]] = []
    missing: list[str] = []

    def add(controller: str, v1: list[tuple[str, str]], v2: list[tuple[str, str]], what: str) -> None:
        if controller in hierarchies.controllers:
            writes.extend((controller, file, value) for file, value in v1)
        elif controller in hierarchies.unified_controllers:
            writes.extend((controller, file, value) for file, value in v2)
        else:
            missing.append(what)

    if limits.memory_bytes is not None:
        value = str(limits.memory_bytes)
        add("memory", [("memory.limit_in_bytes", value)], [("memory.max", value)], "resource/memory")
    if limits.cpu_millicores is not None:
        quota = str(max(_CPU_QUOTA_LEAST_US, limits.cpu_millicores * _CPU_PERIOD_US // 1000))
        add(
            "cpu",
            [("cpu.cfs_period_us", str(_CPU_PERIOD_US)), ("cpu.cfs_quota_us", quota)],
            [("cpu.max", f"{quota} {_CPU_PERIOD_US}")],
            "resource/cpu",
        )
    if limits.cpu_shares is not None:
        weight = 1 + (limits.cpu_shares - 2) * 9999 // 262142
        add("cpu", [("cpu.shares", str(limits.cpu_shares))], [("cpu.weight", str(weight))], "os/linux/cpu-shares")
    if limits.pids is not None:
        value = str(limits.pids)
        add("pids", [("pids.max", value)], [("pids.max", value)], "pids limit")
    return writes, missing


class OpenGroup:
    """Descriptors of one group: close-on-exec, valid in every mount namespace. The owner closes it."""

    __slots__ = ("_join_fds", "_members_fd")

    def __init__(self, join_fds: list[int], members_fd: int) -> None:
        self._join_fds = join_fds
        self._members_fd = members_fd

    def join(self) -> None:
        """Move the caller, which must have one thread only, into the group. Raises OSError."""
        for fd in self._join_fds:
            os.write(fd, b"0")

    def kill(self) -> None:
        """SIGKILL to every member that the caller's PID namespace shows, until there is none (bounded)."""
        for _ in range(_KILL_ROUNDS):
            pids = self._members()
            if not pids:
                return
            _kill_each(pids)

    def _members(self) -> list[int]:
        try:
            # opened again for each look: v1 keeps what an open file has shown for a second
            fd = os.open(f"/proc/self/fd/{self._members_fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _parse_pids(os.read(fd, 1 << 16))
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno in (ENODEV, ENOENT):
                return []  # the group has been removed
            raise

    def fds(self) -> tuple[int, ...]:
        """All descriptors of the group."""
        return (*self._join_fds, self._members_fd)

    def close(self) -> None:
        for fd in (*self._join_fds, self._members_fd):
            os.close(fd)
        self._join_fds, self._members_fd = [], -1


class PodCgroup:
    """The groups of one pod. ``subcgroup`` is the path below each hierarchy's root, as the pod's file of that name."""

    __slots__ = ("hierarchies", "subcgroup")

    def __init__(self, subcgroup: str, hierarchies: Hierarchies) -> None:
        self.subcgroup = subcgroup
        self.hierarchies = hierarchies

    @classmethod
    def of_pod(cls, uuid: str, hierarchies: Hierarchies) -> PodCgroup:
        return cls(f"{PARENT}/{uuid}", hierarchies)

    def create(self, apps: tuple[str, ...]) -> None:
        """Make the pod's groups and one for each app. Raises :class:`CgroupError`; existing groups are no error."""
        for root in self.hierarchies.roots():
            try:
                self._create_in(root, apps)
            except OSError as error:
                where = f"{root}/{self.subcgroup}"
                raise CgroupError(f'cannot create the control group "{where}": {reason(error)}') from error

    def _create_in(self, root: str, apps: tuple[str, ...]) -> None:
        pod = f"{root}/{self.subcgroup}"
        delegate = root == self.hierarchies.unified and bool(self.hierarchies.unified_controllers)
        wanted = [name for name in _CONTROLLERS if name in self.hierarchies.unified_controllers]
        for attempt in range(8):
            try:
                _mkdir(f"{root}/{PARENT}")
                if delegate:
                    _delegate(root, wanted)
                    _delegate(f"{root}/{PARENT}", wanted)
                os.mkdir(pod, 0o755)
                break
            except FileExistsError:
                break
            except FileNotFoundError:
                # another pod has just ended and removed the parent
                if attempt == 7:
                    raise
        if delegate:
            _delegate(pod, wanted)
        for name in (INIT, *apps):
            _mkdir(f"{pod}/{name}")

    def apply(self, app: str | None, writes: list[tuple[str, str, str]]) -> None:
        """Write the limits of an app, or of the whole pod with ``app=None``. Raises :class:`CgroupError`."""
        suffix = f"/{app}" if app else ""
        for controller, file, value in writes:
            root = self.hierarchies.controllers.get(controller) or self.hierarchies.unified
            path = f"{root}/{self.subcgroup}{suffix}/{file}"
            try:
                _write(path, value)
            except OSError as error:
                raise CgroupError(f'cannot write "{value}" to "{path}": {reason(error)}') from error

    def open_group(self, name: str) -> OpenGroup:
        """The group of an app (or :data:`INIT`) as descriptors, which work where no hierarchy is mounted any more."""
        join_fds: list[int] = []
        try:
            for root in self.hierarchies.roots():
                # v1: a single thread joins through ``tasks`` without waiting for a grace period, unlike a process
                file = "cgroup.procs" if root == self.hierarchies.unified else "tasks"
                join_fds.append(os.open(f"{root}/{self.subcgroup}/{name}/{file}", os.O_WRONLY | os.O_CLOEXEC))
            roots = self.hierarchies.roots()
            members = f"{roots[-1]}/{self.subcgroup}/{name}/cgroup.procs" if roots else os.devnull
            return OpenGroup(join_fds, os.open(members, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            for fd in join_fds:
                os.close(fd)
            raise CgroupError(f'cannot open the control group of "{name}": {reason(error)}') from error

    def kill(self) -> None:
        """Kill every process of the pod: ``cgroup.kill`` (Linux 5.14), else SIGKILL to each until none is left."""
        for root in self.hierarchies.roots():
            pod = f"{root}/{self.subcgroup}"
            try:
                _write(f"{pod}/cgroup.kill", "1")
                return
            except OSError:
                continue
        for _ in range(100):
            pids = [pid for root in self.hierarchies.roots() for pid in _pids_below(f"{root}/{self.subcgroup}")]
            if not pids:
                return
            _kill_each(pids)

    def remove(self, *, attempts: int = 50) -> bool:
        """rmdir the pod's groups and, if it was the last pod, their parent. False if processes are still inside."""
        done = True
        for root in self.hierarchies.roots():
            done &= _remove_tree(f"{root}/{self.subcgroup}", attempts)
            try:
                os.rmdir(f"{root}/{PARENT}")
            except OSError:
                pass
        return done


def _remove_tree(directory: str, attempts: int) -> bool:
    """Remove a group and its children, waiting up to ``attempts`` x 2 ms for the last process to be reaped."""
    try:
        children = [entry.name for entry in os.scandir(directory) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return True
    except OSError:
        return False
    emptied = [_remove_tree(f"{directory}/{child}", attempts) for child in children]
    if not all(emptied):
        return False
    for attempt in range(attempts):
        try:
            os.rmdir(directory)
            return True
        except OSError as error:
            if error.errno == ENOENT:
                return True
            if error.errno not in (EBUSY, ENOTEMPTY):
                return False
        if attempt < attempts - 1:
            import time

            time.sleep(0.002)
    return False


def _pids_below(directory: str) -> list[int]:
    pids: list[int] = []
    for path, _, _ in os.walk(directory):
        try:
            with open(f"{path}/cgroup.procs", "rb") as file:
                pids.extend(_parse_pids(file.read()))
        except OSError:
            continue
    return pids


def _parse_pids(data: bytes) -> list[int]:
    """The members in cgroup.procs that can be named here: 0 is one of another PID namespace, and to kill(2) oneself."""
    return [int(word) for word in data.split() if word != b"0"]


def _kill_each(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue


def _mkdir(path: str) -> None:
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        pass


def _delegate(directory: str, controllers: list[str]) -> None:
    """Enable controllers for the children of a v2 group; one that cannot be enabled shows when a limit is written."""
    for name in controllers:
        try:
            _write(f"{directory}/cgroup.subtree_control", f"+{name}")
        except OSError as error:
            if error.errno == ENOENT:
                raise


def _write(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)
