"""What rkt holds open while it starts an app must not be the app's: programs, directories, memory (C1, C2, C13)."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.archives import entry, symlink
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns

pytestmark = pytest.mark.root
SECRET = "canary-of-the-caller-4711"


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.parametrize("interpreter", ["/proc/self/exe", "/proc/1/exe", "/proc/thread-self/exe"])
@pytest.mark.parametrize("user", ["0", "1000"])
def test_script_cannot_make_the_runtimes_own_program_its_interpreter(
    runs: PodRuns, tmp_path: Path, interpreter: str, user: str
) -> None:
    python = os.path.realpath(sys.executable)
    before = digest(python)
    section = app_section(user=user) | {"exec": ["/bin/evil", "print-out", "x"]}
    script = f"#!{interpreter}\nprint('the host interpreter runs this')\n".encode()
    path = write_image(tmp_path / "exe.aci", image_manifest(section), entry("rootfs/bin/evil", script, mode=0o755))
    result = runs.image(path, status=254)
    assert "the host interpreter" not in result.stdout
    assert 'cannot execute "/bin/evil"' in result.stderr
    assert digest(python) == before


@pytest.mark.parametrize("user", ["0", "1000"])
def test_init_of_the_pod_can_be_neither_read_nor_written_nor_entered(runs: PodRuns, user: str) -> None:
    words: list[str] = []
    for path in ("/proc/1/exe", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps"):
        words += ["try", "open", path, "r", "+", "try", "open", path, "w", "+"]
    for path in ("/proc/1/root", "/proc/1/cwd", *(f"/proc/1/fd/{number}" for number in range(16))):
        words += ["try", "ls", path, "+", "try", "open", path, "r", "+"]
    result = runs(*words, "print-out", "end", app=[f"--user={user}"], environment={**os.environ, "SECRET_X": SECRET})
    assert [fact for fact in result.every("open") if fact["errno"] == 0] == []
    assert [fact for fact in result.every("ls") if isinstance(fact, list) or fact["errno"] == 0] == []
    assert SECRET not in result.stdout


def test_environment_of_the_caller_is_not_seen(runs: PodRuns) -> None:
    environment = {"PATH": "/usr/bin:/bin", "SECRET_X": SECRET, "LD_PRELOAD_X": SECRET, "SSH_AUTH_SOCK": SECRET}
    result = runs(
        "env", "+", "cat", "/proc/self/environ", "+", "try", "cat", "/proc/1/environ", environment=environment
    )
    assert SECRET not in result.stdout
    (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in pod.rglob("*") if path.is_file())


@pytest.fixture
def leaked_descriptors() -> Iterator[list[int]]:
    """Directories of the host that a careless caller has open, inheritable."""
    fds = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ("/", "/etc", "/usr", "/tmp") for _ in range(4)]
    try:
        yield fds
    finally:
        for fd in fds:
            os.close(fd)


@pytest.mark.parametrize(
    "place",
    [
        *(f"/proc/self/fd/{number}" for number in (0, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20)),
        *("/proc/1/cwd", "/proc/1/root", "/proc/self/cwd", "/proc/thread-self/fd/7", "/dev/fd/8", "/proc/self/root/.."),
    ],
)
def test_working_directory_through_a_descriptor_is_refused(
    runs: PodRuns, leaked_descriptors: list[int], place: str
) -> None:
    command = runs.argv("cwd", "+", "ls", ".", app=[f"--working-dir={place}"])
    result = runs.rkt(*command, pass_fds=leaked_descriptors)
    assert result.status == 254, result.stdout
    assert f'cannot enter working directory "{place}"' in result.stderr and result.stdout == ""


def test_symlinks_of_the_image_to_descriptors_are_refused_as_well(
    runs: PodRuns, tmp_path: Path, leaked_descriptors: list[int]
) -> None:
    for number in (3, 5, 8):
        path = write_image(
            tmp_path / f"{number}.aci",
            image_manifest(app_section("ls", ".", workingDirectory="/work")),
            symlink("rootfs/work", f"/proc/self/fd/{number}"),
        )
        words = ["run", "--net=none", "--insecure-options=image", str(path)]
        assert runs.rkt(*words, pass_fds=leaked_descriptors).checked(254).stdout == ""


def test_app_has_three_descriptors_whatever_the_caller_leaks(runs: PodRuns, leaked_descriptors: list[int]) -> None:
    facts = runs("fds", pass_fds=leaked_descriptors).facts
    assert sorted(facts["fds"]) == ["0", "1", "2"]
