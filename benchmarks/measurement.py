"""Runs commands side by side, interleaved, and compares their medians.

A contender that is absent is reported and left out, never an error. Times of this machine at this moment mean little;
the ratios inside one interleaved run are what counts.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "aci"
RKT = Path(sys.executable).parent / "rkt"
CLONE_NEWNS = 0x00020000


class Sample:
    """One run: seconds of wall clock, seconds of CPU and peak RSS in bytes, children that were waited for included."""

    def __init__(self, *, wall: float, cpu: float, peak_bytes: int) -> None:
        self.wall = wall
        self.cpu = cpu
        self.peak_bytes = peak_bytes


class Contender:
    """A command that takes part; ``before`` and ``after`` run outside the clock, ``namespace_fd`` is joined first."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | os.PathLike[str]],
        *,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
        namespace_fd: int | None = None,
    ) -> None:
        self.name = name
        self.argv = [os.fspath(word) for word in argv]
        self.before = before or (lambda: None)
        self.after = after or (lambda: None)
        self.namespace_fd = namespace_fd
        self.samples: list[Sample] = []

    def run(self) -> Sample:
        """Run once. Raises RuntimeError with the command's own words when it fails."""
        self.before()
        sample = _measure(self.argv, self.namespace_fd)
        self.after()
        return sample

    def median(self, what: str) -> float:
        """The median of ``wall``, ``cpu`` or ``peak_bytes``."""
        return float(statistics.median(getattr(sample, what) for sample in self.samples))


def _measure(argv: list[str], namespace_fd: int | None) -> Sample:
    """fork and exec rather than subprocess, to get at wait4(2)'s account of that one child."""
    with open("/dev/null", "r+b") as null, _error_file() as errors:
        begin = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            _become(argv, null.fileno(), errors, namespace_fd)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - begin
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            os.lseek(errors.fd, 0, os.SEEK_SET)
            words = os.read(errors.fd, 2000).decode(errors="replace").strip()
            raise RuntimeError(f"{argv[0]} ended with {code}: {words}")
    return Sample(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024)


class _error_file:
    """Where a command's stderr goes, to be shown when it fails."""

    def __enter__(self) -> _error_file:
        self.fd = os.memfd_create("stderr")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _become(argv: list[str], null: int, errors: _error_file, namespace_fd: int | None) -> None:
    try:
        if namespace_fd is not None and ctypes.CDLL(None).setns(namespace_fd, CLONE_NEWNS) != 0:
            os._exit(125)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.dup2(errors.fd, 2)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, str(error).encode())
    os._exit(127)


def interleave(contenders: list[Contender], *, rounds: int) -> list[Contender]:
    """Run every contender ``rounds`` times in turns, after one unmeasured round; those that fail there are left out."""
    present = []
    for contender in contenders:
        try:
            contender.run()
            present.append(contender)
        except RuntimeError as error:
            print(f"  absent: {contender.name} ({error})")
    for _ in range(rounds):
        for contender in present:
            contender.samples.append(contender.run())
    return present


def print_table(title: str, contenders: list[Contender], *, what: str = "wall", ours: str = "rkt") -> None:
    """Medians in milliseconds, and ours as a multiple of each."""
    print(f"\n{title}")
    mine = next((contender for contender in contenders if contender.name == ours), None)
    for contender in contenders:
        median = contender.median(what)
        least = min(getattr(sample, what) for sample in contender.samples)
        ratio = f"{ours} = {mine.median(what) / median:5.2f} x" if mine and mine is not contender else ""
        print(f"  {contender.name:34} median {median * 1000:9.1f} ms   least {least * 1000:9.1f} ms   {ratio}")


def print_target(text: str, value: float, *, limit: float) -> None:
    """One line: a figure, its limit, and whether it is kept. Nothing fails."""
    verdict = "kept" if value <= limit else "MISSED"
    print(f"  {verdict}: {text} is {value:.2f}, the target is at most {limit:g}")


def ratio(contenders: list[Contender], mine: str, other: str, *, what: str = "wall") -> float | None:
    """Median of ``mine`` over median of ``other``; None when one of them is absent."""
    by_name = {contender.name: contender for contender in contenders}
    if mine not in by_name or other not in by_name:
        return None
    return by_name[mine].median(what) / by_name[other].median(what)
