"""A pod directory made by hand, and run by the native flavour in a child: no store, no command line.

The image of every app is a small tree with the probe in it. What stage0 writes is written here the short way.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn
from uuid import uuid4

from harness.forked_child import fork
from harness.mountinfo import load_mounts

from rkt import diagnostics, stage_contract
from rkt.errors import RktError
from rkt.linux.cgroups import PodCgroup, find_hierarchies
from rkt.stage1.native import entrypoint
from rkt.stage_contract import RunArguments

IMAGE_ID = "sha512-" + "ab" * 64
TREE = "tree"

_SKELETON = ("dev/pts", "dev/shm", "opt/stage2", "proc", "sys", "rkt/dev", "rkt/isolation", "rkt/status")


def make_tree(tree: Path, probe: Path) -> Path:
    """The rendered tree of an image: the probe, users, and a file to look at; no /dev, no /proc, no /sys."""
    for directory in ("bin", "etc", "home"):
        (tree / directory).mkdir(parents=True)
    shutil.copy(probe, tree / "bin/probe")
    (tree / "etc/passwd").write_text("root:x:0:0::/:\nweb:x:1000:1000::/:\n")
    (tree / "etc/group").write_text("root:x:0:\nweb:x:1000:\n")
    (tree / "etc/image").write_text("of the image\n")
    (tree / "home").chmod(0o777)
    for path in (tree, tree / "bin", tree / "etc"):
        path.chmod(0o755)
    return tree


class Outcome:
    """How a pod ended: its exit status (128 + N if a signal ended the supervisor) and what it wrote."""

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr

    def checked(self, status: int = 0) -> Outcome:
        """This outcome, if the pod ended with ``status``."""
        assert self.status == status, (self.status, self.stdout, self.stderr)
        return self

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the probe told, one dictionary a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def facts(self) -> dict[str, Any]:
        """What the probe told, in one dictionary."""
        found: dict[str, Any] = {}
        for line in self.lines:
            found.update(line)
        return found


class NativePod:
    """A pod below ``directory``. Add apps, then :meth:`run` or :meth:`start`; nothing of it is left at the end."""

    def __init__(self, directory: Path, probe: Path) -> None:
        self.uuid = str(uuid4())
        self.data = directory / "data"
        self.path = self.data / "pods/run" / self.uuid
        self.rootfs = self.path / stage_contract.STAGE1_ROOTFS
        self.tree = make_tree(self.data / "cas/tree" / TREE / "rootfs", probe)
        self.manifest: dict[str, Any] = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [], "volumes": []}
        self._outputs = (directory / "stdout", directory / "stderr")
        for name in _SKELETON:
            (self.rootfs / name).mkdir(parents=True)

    def add_app(
        self,
        name: str,
        *argv: str,
        overlay: bool = True,
        read_only: bool = False,
        mounts: Sequence[Mapping[str, object]] = (),
        pre_start: Sequence[str] = (),
        post_stop: Sequence[str] = (),
        **fields: object,
    ) -> None:
        """An app that runs ``/bin/probe`` with ``argv``, as root unless ``fields`` say otherwise."""
        handlers = [
            {"name": event, "exec": ["/bin/probe", *words]}
            for event, words in (("pre-start", pre_start), ("post-stop", post_stop))
            if words
        ]
        app = {"exec": ["/bin/probe", *argv], "user": "0", "group": "0", "eventHandlers": handlers, **fields}
        runtime_app = {"name": name, "image": {"name": f"example.com/{name}", "id": IMAGE_ID}, "app": app}
        self.manifest["apps"].append({**runtime_app, "readOnlyRootFS": read_only, "mounts": list(mounts)})
        (self.path / stage_contract.app_info(name)).mkdir(parents=True)
        root = self.path / stage_contract.app_rootfs(name)
        if not overlay:
            shutil.copytree(self.tree, root)
            return
        root.mkdir(parents=True)
        (self.path / stage_contract.app_info(name) / "treeStoreID").write_text(TREE)
        for directory in stage_contract.overlay_directories(TREE, name):
            (self.path / directory).mkdir(parents=True)
            (self.path / directory).chmod(0o755)

    def add_empty_volume(self, name: str) -> None:
        self.manifest["volumes"].append({"name": name, "kind": "empty"})
        (self.path / stage_contract.SHARED_VOLUMES / name).mkdir(parents=True)

    def add_host_volume(self, name: str, source: Path, **fields: object) -> None:
        self.manifest["volumes"].append({"name": name, "kind": "host", "source": str(source), **fields})

    def upper(self, app: str) -> Path:
        """What the app has written into its root file system."""
        return self.path / stage_contract.overlay_directories(TREE, app)[0]

    def status_of(self, app: str) -> str | None:
        """The content of the app's status file, None without one."""
        path = self.path / stage_contract.app_status(app)
        return path.read_text() if path.exists() else None

    def write_manifest(self) -> None:
        (self.path / stage_contract.POD_MANIFEST).write_text(json.dumps(self.manifest))

    def run(self, *, timeout_seconds: float = 30.0, **options: Any) -> Outcome:
        """Run the pod to its end. ``options`` as of :meth:`start`."""
        with self.start(**options) as running:
            return running.wait(timeout_seconds)

    def start(
        self, *, before: Callable[[], object] = lambda: None, settle: Callable[[], None] = lambda: None, **options: Any
    ) -> RunningPod:
        """Start the pod. ``before`` runs in the supervisor's process first; ``options`` are RunArguments'."""
        self.write_manifest()
        arguments = RunArguments(self.uuid, **options)
        pid = fork()
        if pid == 0:
            self._supervise(arguments, before, settle)
        return RunningPod(self, pid)

    def _supervise(self, arguments: RunArguments, before: Callable[[], object], settle: Callable[[], None]) -> NoReturn:
        status = 255
        try:
            for number, path in zip((1, 2), self._outputs, strict=True):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            diagnostics.configure(prefix="run", debug=arguments.debug)
            fcntl.flock(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX)
            before()
            status = entrypoint.run(str(self.path), arguments, settle=settle)
        except RktError as error:
            diagnostics.line(error.message)
            status = error.exit_status
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)

    def output(self) -> tuple[bytes, bytes]:
        """What was written to stdout and stderr so far."""
        first, second = (path.read_bytes() if path.exists() else b"" for path in self._outputs)
        return first, second

    def leftovers(self) -> list[str]:
        """Control groups and mounts of this pod that the machine still has."""
        found = [
            f"{root}/rkt/{self.uuid}" for root in find_hierarchies().roots() if os.path.isdir(f"{root}/rkt/{self.uuid}")
        ]
        return found + [str(line) for line in load_mounts() if line.target.startswith(str(self.data))]

    def init_pid(self) -> int:
        """The pid of the pod's init on the host."""
        return int((self.path / stage_contract.PID).read_text())

    def tidy(self) -> None:
        """Remove the control groups of a pod whose supervisor was killed."""
        cgroup = PodCgroup.of_pod(self.uuid, find_hierarchies())
        cgroup.kill()
        cgroup.remove(attempts=1000)


class RunningPod:
    """The supervisor of a pod that runs; killed at the end of the context if it still does."""

    def __init__(self, pod: NativePod, pid: int) -> None:
        self.pod, self.pid = pod, pid
        self._status: int | None = None

    def __enter__(self) -> RunningPod:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap(10.0)
            self.pod.tidy()

    def wait(self, timeout_seconds: float = 30.0) -> Outcome:
        """The outcome of the pod; TimeoutError if it does not end."""
        self._reap(timeout_seconds)
        assert self._status is not None
        stdout, stderr = self.pod.output()
        return Outcome(self._status if self._status >= 0 else 128 - self._status, stdout, stderr)

    def _reap(self, timeout_seconds: float) -> None:
        def ended() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            return bool(pid)

        wait_until(ended, timeout_seconds)

    def wait_for_output(self, text: bytes, *, timeout_seconds: float = 15.0) -> None:
        """Until ``text`` is on the pod's stdout or stderr."""
        wait_until(lambda: any(text in stream for stream in self.pod.output()), timeout_seconds)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> None:
    """Returns when ``condition`` holds; TimeoutError if it never does."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.005)
