"""A pod on disk: a directory whose place (phase) and lock are the pod's state; created, opened, moved, found by UUID.

A process that creates or changes a pod holds the exclusive lock of its directory; a reader opens the directory first
and looks afterwards, so that renames by others do not lead it astray. Files inside are read by :mod:`rkt.pod.contents`,
removed by :mod:`rkt.pod.removal`; what a phase means is decided by the stages and verbs. On the path of ``rkt run``.

Facts: rkt 1.30, sections 2.1, 2.4 and 2.5 of the behaviour document.
"""

from __future__ import annotations

import os
from errno import EACCES, ELOOP, ENOENT, ENOTDIR, EPERM
from stat import S_ISGID, S_IWOTH

from rkt.errors import NotPermittedError, reason
from rkt.linux import durable
from rkt.paths import POD_PHASES, DataDirectory
from rkt.pod import locking
from rkt.pod.errors import PodError, PodLockedError, PodNotFoundError
from rkt.pod.phase_clock import STAMPED_PHASES, phase_age_seconds, stamp_phase
from rkt.pod.phases import ADDRESSABLE_PHASES, LOCK_NOT_EXAMINED, may_follow, phases_from, state_of
from rkt.pod.uuid import find_canonical, is_uuid, match_prefix, new_uuid, parse_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.pod import PodManifest

_DIRECTORY_MODE = 0o750
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: how long an owner waits for another owner, who should be done in much less
LOCK_WAIT_SECONDS = 10.0
_CREATE_ATTEMPTS = 8
_OWN_DIRECTORY = "use a directory that only root can change"


class Pod:
    """An open pod directory; a context manager that owns the descriptor, and with it the lock if it was taken.

    The descriptor follows the directory through renames. ``phase`` and ``path`` are what they were when the pod was
    opened, moved by this object, or last :meth:`refresh`\\ ed. Methods raise PodError, and OSError turned into it.
    """

    __slots__ = ("_owner", "data", "lock_fd", "phase", "uuid")

    def __init__(self, data: DataDirectory, uuid: str, *, phase: str, lock_fd: int, owner: bool = False) -> None:
        self.data = data
        self.uuid = uuid
        self.phase = phase
        self.lock_fd = lock_fd
        self._owner = owner

    def __enter__(self) -> Pod:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor. The lock is gone with it, unless a child inherited it."""
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1
            self._owner = False

    @property
    def path(self) -> str:
        return self.data.pod(self.phase, self.uuid)

    @property
    def is_owner(self) -> bool:
        """Whether this object holds the exclusive lock."""
        return self._owner

    # --- lock ----------------------------------------------------------------------------------------------------

    def try_lock_exclusive(self) -> bool:
        """Become the owner; False if somebody else is. :meth:`refresh` afterwards tells where the pod lies now."""
        if not self._owner:
            self._owner = locking.try_exclusive(self.lock_fd)
        return self._owner

    def lock_exclusive(self, *, wait: bool = False) -> None:
        """Become the owner, with ``wait`` after at most LOCK_WAIT_SECONDS; PodLockedError names who holds the lock."""
        if self._owner or locking.try_exclusive(self.lock_fd, wait_seconds=LOCK_WAIT_SECONDS if wait else 0.0):
            self._owner = True
            return
        from rkt.pod.lock_holders import find_lock_holders

        holders = ", ".join(str(pid) for pid in find_lock_holders(self.lock_fd))
        raise PodLockedError(
            f'pod "{self.uuid}": unable to acquire exclusive lock', f"held by process {holders}" if holders else None
        )

    def unlock(self) -> None:
        """Give up ownership; the directory stays open."""
        if self._owner:
            locking.unlock(self.lock_fd)
            self._owner = False

    def keep_lock_across_exec(self) -> int:
        """Let the descriptor survive exec(2), for a stage1 that takes the pod over. Returns it."""
        os.set_inheritable(self.lock_fd, True)
        return self.lock_fd

    # --- state ---------------------------------------------------------------------------------------------------

    def state(self) -> str:
        """The pod's state now; :meth:`refresh` first if others may have moved it."""
        locked = self._owner or (self.phase not in LOCK_NOT_EXAMINED and locking.is_exclusively_locked(self.lock_fd))
        return state_of(self.phase, locked=locked)

    def refresh(self) -> None:
        """Find out in which phase the pod lies now. Raises PodNotFoundError if it has been removed."""
        for phase in phases_from(self.phase):
            if self.lies_in(phase):
                self.phase = phase
                return
        raise PodNotFoundError(f'pod "{self.uuid}" was not present')

    def current_state(self) -> str:
        """:meth:`refresh` and :meth:`state` in one, such that the pod was not moved in between."""
        while True:
            self.refresh()
            state = self.state()
            if self.lies_in(self.phase):
                return state

    def phase_age_seconds(self) -> float:
        """How long ago the pod entered its phase, at least 0 whatever the clock did."""
        return phase_age_seconds(self.lock_fd, self.phase)

    def lies_in(self, phase: str) -> bool:
        """Whether this very directory is the pod of its UUID in ``phase``."""
        try:
            there = os.stat(self.data.pod(phase, self.uuid), follow_symlinks=False)
        except OSError:
            return False
        here = os.fstat(self.lock_fd)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    # --- changes, by the owner -----------------------------------------------------------------------------------

    def move_to(self, phase: str, *, sync: bool = True) -> None:
        """Rename the directory into the next phase, durably. Needs ownership; raises PodError.

        Without ``sync`` the move need not survive a power cut until :meth:`sync_phases`: nothing was acknowledged yet.
        """
        if not self._owner or not may_follow(self.phase, target=phase):
            why = "it is not locked by this process" if not self._owner else f"it is in {self.phase}"
            raise PodError(f'cannot move pod "{self.uuid}" to {phase}: {why}')
        if phase in STAMPED_PHASES:
            stamp_phase(self.lock_fd, phase)
        try:
            try:
                durable.rename(self.path, self.data.pod(phase, self.uuid), sync=sync)
            except FileNotFoundError:
                ensure_phase_directories(self.data)
                durable.rename(self.path, self.data.pod(phase, self.uuid), sync=sync)
        except OSError as error:
            raise _pod_error(f'cannot move pod "{self.uuid}" to {phase}', error) from error
        self.phase = phase

    def sync_phases(self) -> None:
        """Make the moves that were done without ``sync`` durable. Raises PodError."""
        try:
            for phase in ("embryo", "prepare", self.phase):
                durable.sync_directory(self.data.pod_phase(phase))
        except OSError as error:
            raise _pod_error(f'cannot sync the phase of pod "{self.uuid}"', error) from error

    def write_file(self, name: str, data: bytes, *, mode: int = 0o640, sync: bool = True) -> None:
        """Write a file of the pod, durably.

        Without ``sync`` the file need only live as long as the machine does (a pod that runs at once does not
        survive a power cut anyway); it must not exist yet.
        """
        path = f"{self.path}/{name}"
        try:
            if sync:
                durable.write_file(path, data, mode=mode)
                return
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(fd, mode)
                while data:
                    data = data[os.write(fd, data) :]
            finally:
                os.close(fd)
        except OSError as error:
            raise _pod_error(f'cannot write "{name}" of pod "{self.uuid}"', error) from error

    def load_manifest(self) -> PodManifest:
        """The pod manifest. Raises PodContentError or ManifestError."""
        from rkt.pod.contents import load_manifest

        return load_manifest(self)


def create_pod(data: DataDirectory) -> Pod:
    """A new, empty pod in ``embryo``, owned by the caller. Raises PodError, NotPermittedError.

    A collector of abandoned embryos may come between mkdir(2) and the lock; then another UUID is tried.
    """
    for _ in range(_CREATE_ATTEMPTS):
        try:
            pod = _create(data, new_uuid())
        except OSError as error:
            raise _pod_error(f'cannot create a pod below "{data.pods}"', error) from error
        if pod is not None:
            return pod
    raise PodError(f'cannot create a pod below "{data.pods}": other processes keep taking it away')


def _create(data: DataDirectory, uuid: str) -> Pod | None:
    _ensure_own_parents(data)
    path = data.pod("embryo", uuid)
    os.mkdir(path, _DIRECTORY_MODE)
    pod = find_pod_in(data, "embryo", uuid)
    if pod is None:
        return None
    try:
        if pod.try_lock_exclusive() and pod.lies_in("embryo"):
            # the caller's umask has no say
            os.fchmod(pod.lock_fd, _DIRECTORY_MODE | os.fstat(pod.lock_fd).st_mode & S_ISGID)
            return pod
    except BaseException:
        pod.close()
        raise
    pod.close()
    return None


def _ensure_own_parents(data: DataDirectory) -> None:
    """Create what is missing above a pod; refuse what another user can redirect or write to (a planted symlink)."""
    trusted = (0, os.geteuid())
    for parent in (data.root, data.pods, data.pod_phase("embryo")):
        try:
            named, real = os.stat(parent, follow_symlinks=False), os.stat(parent)
        except FileNotFoundError:
            ensure_phase_directories(data)
            return
        owner = named.st_uid if named.st_uid not in trusted else real.st_uid
        if owner not in trusted:
            raise PodError(f'cannot create a pod below "{parent}": it belongs to uid {owner}', _OWN_DIRECTORY)
        if real.st_mode & S_IWOTH:
            raise PodError(f'cannot create a pod below "{parent}": everybody can write to it', _OWN_DIRECTORY)


def open_pod(data: DataDirectory, uuid: str) -> Pod:
    """Open the pod with this whole UUID, wherever it lies. Raises PodNotFoundError, PodError.

    The phases are tried in the order in which a pod passes them, so a pod that is being moved is not missed.
    """
    canonical = find_canonical(uuid)
    if canonical is not None:
        for phase in POD_PHASES:
            pod = find_pod_in(data, phase, canonical)
            if pod is not None:
                return pod
    raise PodNotFoundError(f'pod "{uuid}" was not present', "rkt list shows the pods")


def find_pod_in(data: DataDirectory, phase: str, uuid: str) -> Pod | None:
    """Open the pod if it lies in ``phase``. Raises PodError if something there cannot be opened as a pod."""
    try:
        fd = os.open(data.pod(phase, uuid), _OPEN_DIRECTORY)
    except OSError as error:
        if error.errno == ENOENT:
            return None
        if error.errno in (ENOTDIR, ELOOP):
            raise PodError(f'cannot open pod "{uuid}": "{data.pod(phase, uuid)}" is not a directory') from error
        raise _pod_error(f'cannot open pod "{uuid}"', error) from error
    return Pod(data, uuid, phase=phase, lock_fd=fd)


def list_pods(data: DataDirectory, phases: tuple[str, ...] = ADDRESSABLE_PHASES) -> list[str]:
    """The UUIDs of the pods in ``phases``, each once, by phase and then by UUID. No data directory: no pods.

    Raises PodError, NotPermittedError if a directory cannot be read.
    """
    found: dict[str, None] = {}
    for phase in phases:
        try:
            names = os.listdir(data.pod_phase(phase))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _pod_error(f'cannot list pods in "{data.pod_phase(phase)}"', error) from error
        found.update((name, None) for name in sorted(names) if is_uuid(name))
    return list(found)


def resolve_uuid(data: DataDirectory, text: str) -> str:
    """The UUID of the one pod that ``text`` names by its first characters. Raises UUIDError.

    Embryos and garbage cannot be named.
    """
    prefix = parse_prefix(text)
    return match_prefix(prefix, list_pods(data))


def ensure_phase_directories(data: DataDirectory) -> None:
    """Create what is missing of ``pods`` and the phases below it, readable by the group only. Raises OSError."""
    durable.make_directories(data.root, mode=_DIRECTORY_MODE)
    durable.make_directories(data.pods, mode=_DIRECTORY_MODE)
    for phase in POD_PHASES:
        durable.make_directories(data.pod_phase(phase), mode=_DIRECTORY_MODE)


def _pod_error(operation: str, error: OSError) -> PodError | NotPermittedError:
    if error.errno in (EACCES, EPERM):
        return NotPermittedError(f"{operation}: {reason(error)}", "run as root")
    return PodError(f"{operation}: {reason(error)}")
