"""Pod directories for tests, made by rkt.pod as the stages make them, and processes that own them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from rkt.paths import POD_PHASES, DataDirectory
from rkt.pod.directory import Pod, create_pod

IMAGE_ID = "sha512-" + "ab" * 64

#: phase -> the phases that lead to it
_WAYS = {
    "embryo": (),
    "prepare": ("prepare",),
    "prepared": ("prepare", "prepared"),
    "run": ("prepare", "run"),
    "exited-garbage": ("prepare", "run", "exited-garbage"),
    "garbage": ("prepare", "garbage"),
}
assert set(_WAYS) == set(POD_PHASES)

#: keeps the descriptor in argv[1] until it is told or killed; argv[2] is what SIGTERM does: "end" or "ignore"
_OWNER = """
import signal, sys, time
def end(*_):
    sys.exit(7)
signal.signal(signal.SIGTERM, end if sys.argv[2] == "end" else signal.SIG_IGN)
print("ready", flush=True)
while True:
    time.sleep(60)
"""


def pod_manifest(names: tuple[str, ...] = ("web",), /, **members: object) -> bytes:
    """A pod manifest with apps of these names; ``members`` replace members of the document."""
    runtime_apps = [
        {
            "name": name,
            "image": {"name": f"example.com/{name}", "id": IMAGE_ID},
            "app": {"exec": ["/bin/true"], "user": "0", "group": "0"},
        }
        for name in names
    ]
    document = {"acVersion": "0.8.11", "acKind": "PodManifest", "apps": runtime_apps} | members
    return json.dumps(document).encode()


def image_manifest(name: str, version: str | None = "1.2.3") -> bytes:
    labels = [{"name": "version", "value": version}] if version else []
    document = {"acVersion": "0.8.11", "acKind": "ImageManifest", "name": name, "labels": labels}
    return json.dumps(document).encode()


class PodFactory:
    """Makes pods below one data directory."""

    def __init__(self, data: DataDirectory) -> None:
        self.data = data

    def make(self, phase: str = "run", *, apps: tuple[str, ...] = ("web",), owned: bool = False) -> Pod:
        """A pod with manifests in ``phase``; the caller closes it, and gives up the lock if it is ``owned``."""
        pod = create_pod(self.data)
        pod.write_file("pod", pod_manifest(apps))
        pod.write_file("pod-created", b"")
        root = Path(pod.path)
        (root / "stage1/rootfs/rkt/status").mkdir(parents=True)
        for app in apps:
            (root / "appsinfo" / app).mkdir(parents=True)
            (root / "appsinfo" / app / "manifest").write_bytes(image_manifest(f"example.com/{app}"))
        for step in _WAYS[phase]:
            pod.move_to(step)
        if not owned:
            pod.unlock()
        return pod

    def make_closed(self, phase: str = "run", *, apps: tuple[str, ...] = ("web",)) -> str:
        """The UUID of a pod that nobody has open."""
        with self.make(phase, apps=apps) as pod:
            return pod.uuid

    def path(self, phase: str, uuid: str) -> Path:
        return Path(self.data.pod(phase, uuid))


class Owner:
    """A process that inherited a pod's descriptor, and so owns the pod while it lives. Closes the caller's ``pod``."""

    def __init__(self, pod: Pod, *, on_sigterm: str = "end") -> None:
        command = [sys.executable, "-I", "-S", "-c", _OWNER, str(pod.lock_fd), on_sigterm]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(pod.lock_fd,))
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        pod.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> int:
        """Its exit status, within ten seconds."""
        return self._process.wait(10)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def __enter__(self) -> Owner:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
