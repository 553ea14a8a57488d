"""The pods and the leftovers in a data directory, told from outside: directory x lock, as any program sees them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

#: (name of the state when the directory is locked, and when it is not), by phase directory
STATES = {
    "embryo": ("embryo", "embryo"),
    "prepare": ("preparing", "aborted prepare"),
    "prepared": ("prepared", "prepared"),
    "run": ("running", "exited"),
    "exited-garbage": ("exited deleting", "exited garbage"),
    "garbage": ("deleting", "garbage"),
}


def pod_states(data_directory: Path) -> dict[str, str]:
    """{uuid: state} of every pod directory."""
    found: dict[str, str] = {}
    for phase, (locked, unlocked) in STATES.items():
        directory = data_directory / "pods" / phase
        for pod in sorted(directory.iterdir()) if directory.is_dir() else ():
            found[pod.name] = locked if _is_locked(pod) else unlocked
    return found


def _is_locked(path: Path) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def temporary_files(data_directory: Path) -> list[str]:
    """What an unfinished write left: ``.tmp-`` names outside root file systems, and all in ``tmp`` directories."""
    found: list[str] = []
    for directory, names, files in os.walk(data_directory):
        names[:] = [name for name in names if name not in ("rootfs", "upper", "work")]
        inside = Path(directory).name == "tmp"
        found += [str(Path(directory, name)) for name in (*names, *files) if inside or name.startswith(".tmp-")]
    return found


def data_directories(below: Path) -> list[Path]:
    """The data directories in a test's own directory, at most two levels down."""
    return sorted(
        path.parent for pattern in ("pods", "*/pods", "*/*/pods") for path in below.glob(pattern) if path.is_dir()
    )
