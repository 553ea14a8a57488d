"""A throw-away directory for a benchmark, with rkt's data in it, the fixture key trusted, and a large sample image."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measurement import FIXTURES, RKT

HERE = Path(__file__).resolve().parent


class Workspace:
    """Context manager; everything below ``path`` is gone afterwards. It lies on a disk, not in memory."""

    def __enter__(self) -> Workspace:
        self.path = Path(tempfile.mkdtemp(prefix="rkt-bench-", dir=os.environ.get("BENCH_DIRECTORY", "/var/tmp")))
        self.data = self.path / "data"
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)

    def rkt(self, *words: str | os.PathLike[str], insecure: bool = True) -> list[str]:
        """The command line of ``rkt WORDS`` with this workspace's directories."""
        options = ["--insecure-options=image"] if insecure else []
        directories = [
            f"--dir={self.data}",
            f"--local-config={self.path}/config",
            f"--system-config={self.path}/system",
        ]
        return [str(RKT), *directories, *options, *(os.fspath(word) for word in words)]

    def run(self, *words: str | os.PathLike[str]) -> str:
        """Run ``rkt WORDS``, unmeasured; returns its stdout. Raises CalledProcessError."""
        return subprocess.run(self.rkt(*words), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def fetch_probe(self) -> str:
        """The probe image in the store; returns the ID under which it is run."""
        return self.run("fetch", FIXTURES / "probe.aci").splitlines()[-1]

    def make_probe_rootfs(self) -> Path:
        """A root file system with nothing but the probe and mount points, for other runtimes."""
        rootfs = self.path / "rootfs"
        for name in ("bin", "proc", "dev", "sys"):
            (rootfs / name).mkdir(parents=True)
        shutil.copy(FIXTURES / "probe" / "probe", rootfs / "bin" / "probe")
        return rootfs

    def make_sample_image(self) -> Path:
        """A gzip image of 160 MB with 20,000 files, made in a process of its own so that this one stays small."""
        path = self.path / "sample.aci"
        subprocess.run([sys.executable, HERE / "sample_image.py", path], check=True)
        return path

    def remove_data(self) -> None:
        """Empty the store."""
        shutil.rmtree(self.data, ignore_errors=True)
        os.sync()
