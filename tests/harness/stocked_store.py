"""A data directory that holds the fixture images, made once in a test run and copied for each test that wants one.

The pods of such a test start from a store that is filled and rendered, as on a machine in use; fetching has tests of
its own.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.rkt_command import Result, RktCommand

#: the fixture images that are fetched; hello is rendered, too
NAMES = ("hello", "probe", "writer", "reader", "lifecycle", "old-0.1.1", "old-0.5.1", "old-0.7.4")


class StockedStore:
    """The original; ``ids`` are the image IDs by fixture name."""

    def __init__(self, directory: Path, images: Path) -> None:
        self._rkt = RktCommand(directory)
        self.data = self._rkt.data
        self._rkt("trust", "--root", "--skip-fingerprint-review", images / "fixture-key.asc").checked()
        done = self._rkt("fetch", "--full", *(images / f"{name}.aci" for name in NAMES)).checked()
        self.ids = dict(zip(NAMES, done.stdout.split(), strict=True))
        # renders its tree and makes the cache of filters; the pod itself goes
        self._rkt("run", "--net=none", self.ids["hello"]).checked()
        self._rkt("gc", "--grace-period=0s").checked()

    def copy_to(self, data: Path) -> None:
        """Make ``data``, which must not exist, a copy."""
        subprocess.run(["cp", "-a", "--reflink=auto", self._rkt.data, data], check=True)


class PodRuns:
    """Runs pods of stocked images: ``runs("env", "+", "ids")`` is the probe's answer to these commands."""

    def __init__(self, rkt: RktCommand, ids: dict[str, str]) -> None:
        self.rkt = rkt
        self.ids = ids

    def argv(
        self,
        *commands: str,
        flags: Sequence[str] = (),
        app: Sequence[str] = (),
        image: str = "hello",
        verb: str = "run",
    ) -> list[str]:
        """The words after ``rkt`` for one app: ``flags`` belong to the pod, ``app`` to the image."""
        net = [] if verb == "prepare" else ["--net=none"]
        reference = self.ids.get(image, image)
        return [verb, *net, *flags, reference, "--exec=/bin/probe", *app, "--", *commands]

    def __call__(
        self,
        *commands: str,
        flags: Sequence[str] = (),
        app: Sequence[str] = (),
        image: str = "hello",
        status: int = 0,
        **options: object,
    ) -> Result:
        """Run the probe in a pod of one app, which must end with ``status``."""
        words = self.argv(*commands, flags=flags, app=app, image=image)
        return self.rkt(*words, **options).checked(status)  # type: ignore[arg-type]

    def image(self, path: Path, *words: str, flags: Sequence[str] = (), status: int = 0) -> Result:
        """Run an image file of the test's own as it is; ``words`` follow the image."""
        command = ["run", "--net=none", "--insecure-options=image", *flags, str(path), *words]
        return self.rkt(*command).checked(status)
