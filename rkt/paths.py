"""Where things lie on disk: names only, no I/O. The layout itself is documented in ``docs/on-disk-format.md``.

Everything that rkt keeps lies under one data directory (``/var/lib/rkt``); what an administrator or a
vendor configures lies under two or three configuration directories.
"""

from __future__ import annotations

DEFAULT_DATA = "/var/lib/rkt"
DEFAULT_LOCAL_CONFIG = "/etc/rkt"
DEFAULT_SYSTEM_CONFIG = "/usr/lib/rkt"

#: pod phase directories in the order in which a pod passes them (rkt 1.30, section 2.4)
POD_PHASES = ("embryo", "prepare", "prepared", "run", "exited-garbage", "garbage")


class DataDirectory:
    """Paths under ``<data>``. Directories are strings without a trailing slash."""

    __slots__ = ("root",)

    def __init__(self, root: str = DEFAULT_DATA) -> None:
        self.root = root

    @property
    def cas(self) -> str:
        return f"{self.root}/cas"

    @property
    def trees(self) -> str:
        return f"{self.root}/cas/tree"

    @property
    def pods(self) -> str:
        return f"{self.root}/pods"

    @property
    def locks(self) -> str:
        return f"{self.root}/locks"

    @property
    def temporary(self) -> str:
        return f"{self.root}/tmp"

    @property
    def seccomp_cache(self) -> str:
        return f"{self.root}/seccomp"

    def pod_phase(self, phase: str) -> str:
        return f"{self.root}/pods/{phase}"

    def pod(self, phase: str, uuid: str) -> str:
        return f"{self.root}/pods/{phase}/{uuid}"


class ConfigDirectories:
    """The configuration directories; later ones override earlier ones (section 2.8)."""

    __slots__ = ("local", "system", "user")

    def __init__(
        self, local: str = DEFAULT_LOCAL_CONFIG, system: str = DEFAULT_SYSTEM_CONFIG, user: str | None = None
    ) -> None:
        self.local = local
        self.system = system
        self.user = user

    def in_order(self) -> tuple[str, ...]:
        """system, local, user: the order in which they are read."""
        return (self.system, self.local, *((self.user,) if self.user else ()))
