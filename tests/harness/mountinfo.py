"""Lines of /proc/PID/mountinfo as values (proc_pid_mountinfo(5)). What a mount means is the caller's matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MountLine:
    """One mount: ``root`` is the part of the file system that is shown at ``target``."""

    root: str
    target: str
    options: frozenset[str]
    propagation: frozenset[str]
    kind: str
    source: str
    super_options: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} on {self.target}"


def parse_mountinfo(lines: str | list[str]) -> list[MountLine]:
    """The mounts in the order of the table; takes the file's text or the list that ``probe mounts`` prints."""
    return list(_parsed(lines.splitlines() if isinstance(lines, str) else lines))


def _parsed(lines: list[str]) -> Iterator[MountLine]:
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        kind, source, super_options = after.split(" ", 2)
        yield MountLine(
            root=_unescaped(fields[3]),
            target=_unescaped(fields[4]),
            options=frozenset(fields[5].split(",")),
            propagation=frozenset(fields[6:]),
            kind=kind,
            source=_unescaped(source),
            super_options=frozenset(super_options.split(",")),
        )


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def load_mounts(process: int | str = "self") -> list[MountLine]:
    """The mounts that a process sees. Raises OSError when it has ended."""
    return parse_mountinfo(Path(f"/proc/{process}/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
