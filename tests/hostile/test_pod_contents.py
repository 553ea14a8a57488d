"""A pod's own pid 1 writes below stage1/rootfs: whatever it puts there, list, status, stop and gc neither follow it,
hang on it, nor fail because of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.pod_factory import PodFactory

from rkt.lifecycle import gc
from rkt.lifecycle.list import format_errors, format_rows, load_listing
from rkt.lifecycle.pod_json import pod_to_json
from rkt.lifecycle.status import format_status, load_status
from rkt.paths import DataDirectory

#: long enough that no time in nanoseconds holds it by chance
SECRET = "4711081547110815"


@pytest.fixture
def pods(tmp_path: Path) -> PodFactory:
    return PodFactory(DataDirectory(str(tmp_path / "data")))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A host file that a pod must not be able to read through us: it looks like an exit status."""
    path = tmp_path / "canary" / "web"
    path.parent.mkdir()
    path.write_text(SECRET)
    return path


def replace(path: Path) -> Path:
    """Make room for something else."""
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            replace(child)
        path.rmdir()
    elif path.is_symlink() or path.exists():
        path.unlink()
    return path


Attack = Callable[[Path, Path], None]

ATTACKS: dict[str, Attack] = {
    "status file is a symlink": lambda s1, secret: (s1 / "rkt/status/web").symlink_to(secret),
    "status file is a magic link": lambda s1, _: (s1 / "rkt/status/web").symlink_to("/proc/self/fd/0"),
    "status directory is a symlink": lambda s1, secret: replace(s1 / "rkt/status").symlink_to(secret.parent),
    "rkt directory is a symlink": lambda s1, secret: replace(s1 / "rkt").symlink_to(secret.parent.parent),
    "status file is a FIFO": lambda s1, _: os.mkfifo(s1 / "rkt/status/web"),
    "status file is /dev/zero": lambda s1, _: os.mknod(s1 / "rkt/status/web", 0o020666, os.makedev(1, 5)),
    "status file is a directory": lambda s1, _: (s1 / "rkt/status/web").mkdir(),
    "status file is huge": lambda s1, _: os.truncate(_touch(s1 / "rkt/status/web"), 1 << 40),
    "status file is long": lambda s1, _: _write(s1 / "rkt/status/web", b"1" * 1_000_000),
    "status file is not UTF-8": lambda s1, _: _write(s1 / "rkt/status/web", b"\xff\xfe\x00"),
    "status file steers the terminal": lambda s1, _: _write(s1 / "rkt/status/web", b"\x1b]0;x\x07"),
    "status is a file": lambda s1, _: _write(replace(s1 / "rkt/status"), b"0"),
    "supervisor status is a directory": lambda s1, _: (s1 / "rkt/supervisor-status").mkdir(),
    "supervisor status is long": lambda s1, _: (s1 / "rkt/supervisor-status").symlink_to("r" * 4000),
    "status loops": lambda s1, _: (s1 / "rkt/status/web").symlink_to("web"),
}


def _touch(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("owned", [True, False])
def test_reader_is_not_led_out_of_the_pod(pods: PodFactory, secret: Path, name: str, owned: bool) -> None:
    with pods.make("run", owned=owned) as pod:
        ATTACKS[name](Path(pod.path, "stage1/rootfs"), secret)
        listing = load_listing(pods.data)
        summary = load_status(pods.data, pod.uuid)
        assert [seen.uuid for seen in listing.pods] == [pod.uuid]
        assert summary.apps[0].exit_code is None
        shown = [
            *format_status(summary, format_time=str),
            json.dumps(pod_to_json(summary)),
            format_errors(listing.errors),
            *(" ".join(row) for row in format_rows(listing.pods, full=True, format_time=str)),
        ]
        assert not [line for line in shown if SECRET in line or "\x1b" in line]
        if not owned:
            pod.close()
            collect_everything(pods.data)
    assert secret.read_text() == SECRET


@pytest.mark.parametrize(
    "name", ["pod", "pod-created", "pid", "ppid", "net-info.json", "appsinfo", "stage1TreeStoreID", "phase-entered"]
)
@pytest.mark.parametrize("kind", ["symlink", "fifo", "directory", "huge", "garbage", "missing"])
def test_half_written_or_mangled_pods_are_listed_and_collected(
    pods: PodFactory, secret: Path, name: str, kind: str
) -> None:
    good = pods.make_closed("run")
    with pods.make("run") as pod:
        path = replace(Path(pod.path, name))
        if kind == "symlink":
            path.symlink_to(secret)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        elif kind == "huge":
            os.truncate(_touch(path), 1 << 40)
        elif kind == "garbage":
            path.write_bytes(b"\x00\xff{[\x1b")
    listing = load_listing(pods.data)
    assert {seen.uuid for seen in listing.pods} == {good, pod.uuid}
    assert {seen.state for seen in listing.pods} == {"exited"}
    assert all(pod.uuid in error.message for error in listing.errors)
    assert load_status(pods.data, pod.uuid).state == "exited"
    collect_everything(pods.data)
    assert load_listing(pods.data).pods == ()
    assert secret.read_text() == SECRET


def test_app_names_of_a_manifest_are_no_paths(pods: PodFactory, secret: Path) -> None:
    for name in ("../../../../canary/web", "/etc/passwd", "a\nb", "a\0b", "…"):
        with pods.make("run") as pod:
            manifest = json.loads(Path(pod.path, "pod").read_bytes())
            manifest["apps"][0]["name"] = name
            Path(pod.path, "pod").write_text(json.dumps(manifest))
    listing = load_listing(pods.data)
    assert len(listing.pods) == len(listing.errors) == 5
    assert not any(pod.has_manifest for pod in listing.pods)
    collect_everything(pods.data)
    assert secret.exists()


def test_app_name_that_is_too_long_for_a_file_is_an_error(pods: PodFactory) -> None:
    with pods.make("run") as pod:
        manifest = json.loads(Path(pod.path, "pod").read_bytes())
        manifest["apps"][0]["name"] = "x" * 10_000
        Path(pod.path, "pod").write_text(json.dumps(manifest))
    listing = load_listing(pods.data)
    assert [seen.uuid for seen in listing.pods] == [pod.uuid]
    assert listing.errors
    collect_everything(pods.data)
    assert load_listing(pods.data).pods == ()


def test_removal_leaves_what_links_point_to(pods: PodFactory, secret: Path) -> None:
    with pods.make("run") as pod:
        rootfs = replace(Path(pod.path, "stage1/rootfs"))
        rootfs.symlink_to(secret.parent)
        Path(pod.path, "overlay").symlink_to("/")
        os.link(secret, Path(pod.path, "hard"))
    with pods.make("run") as other:
        replace(Path(other.path, "stage1")).symlink_to(secret.parent)
    collect_everything(pods.data)
    assert load_listing(pods.data).pods == ()
    assert secret.read_text() == SECRET


def collect_everything(data: DataDirectory) -> None:
    gc.collect(data, tell=lambda _: None, format_duration=str, grace_period_seconds=0, expire_prepared_seconds=0)
