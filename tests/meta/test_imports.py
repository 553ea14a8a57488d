"""Every verb imports what it needs and nothing else: start-up is most of the cost of a short command.

Each verb runs in a fresh interpreter without ``site`` (what an installation's .pth files import is not ours), and what
``sys.modules`` holds afterwards is compared with an allow-list. A module that is missing in the list is not forbidden
for ever: whoever needs it measures its cost (``python -X importtime``) and adds it here on purpose.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
known = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from rkt.cli.main import run
status = run(sys.argv[3:])
import os
with open(sys.argv[2], "w") as report:
    report.write("\\n".join([str(status), *sorted(set(sys.modules) - known)]))
"""

#: what the interpreter's own start imports when ``site`` is not left out
CORE = {"__future__", "gc", "_collections_abc", "_stat", "genericpath", "os", "os.path", "posixpath", "stat"}
SMALL = {"errno", "fcntl", "binascii"}
#: json reads with regular expressions, and they bring enum and collections: the price of manifests and records
JSON = {
    "json", "json.decoder", "json.encoder", "json.scanner", "_json", "re", "re._casefix", "re._compiler",
    "re._constants", "re._parser", "_sre", "copyreg", "enum", "types", "functools", "_functools", "collections",
    "_collections", "itertools", "keyword", "operator", "_operator", "reprlib",
}  # fmt: skip
CTYPES = {"ctypes", "ctypes._endian", "_ctypes", "struct", "_struct", "types"}
#: what a stage1 and its supervisor add
IMPORTLIB = {"importlib", "importlib._bootstrap", "importlib._bootstrap_external", "warnings"}
PROCESSES = {"resource", "select", "termios", "_signal", "_socket"} | IMPORTLIB
LATE_ENCODING = {"encodings.ascii"}

#: never on the way to a running pod, whatever the lists above say
FORBIDDEN = {
    "requests", "urllib3", "pgpy", "cryptography", "pyroute2", "asyncio", "subprocess", "dataclasses", "typing",
    "argparse", "pathlib", "tempfile", "logging", "shutil", "uuid", "sqlite3", "contextlib", "socket", "ssl",
    "threading", "inspect",
    "difflib", "traceback", "getpass", "urllib.parse", "http.client", "email", "datetime", "random", "secrets",
}  # fmt: skip

READING = CORE | SMALL | JSON
#: a pod's path reads JSON by the C parser alone and hashes without OpenSSL
JSON_BY_THE_LIBRARY = {"json", "re", "enum", "functools", "collections", "signal", "hashlib"}
SPARSE = CORE | SMALL | {"_json", "_sha512", "_sha2"}


class Imports:
    """What one run of a verb left in ``sys.modules``."""

    def __init__(self, status: int, modules: set[str]) -> None:
        self.status = status
        self.rkt = {name for name in modules if name.split(".")[0] == "rkt"}
        self.others = modules - self.rkt


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one image, and empty configuration directories."""
    path = tmp_path_factory.mktemp("imports")
    for name in ("local", "system", "data"):
        (path / name).mkdir()
    return path


def imports_of(directory: Path, *words: str) -> Imports:
    report = directory / "report"
    flags = (f"--dir={directory}/data", f"--local-config={directory}/local", f"--system-config={directory}/system")
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(REPOSITORY), str(report), *flags, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert report.exists(), done.stderr
    status, *modules = report.read_text().splitlines()
    report.unlink()
    return Imports(int(status), set(modules))


def image_archive() -> bytes:
    manifest = {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/true",
        "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}],
        "app": {"exec": ["/true"], "user": "0", "group": "0"},
    }
    data = json.dumps(manifest).encode()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("manifest")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
        root = tarfile.TarInfo("rootfs")
        root.type, root.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(root)
    return file.getvalue()


@pytest.fixture(scope="module")
def image(directory: Path) -> str:
    """The ID of a stored image."""
    path = directory / "true.aci"
    path.write_bytes(image_archive())
    fetch = (sys.executable, "-I", "-c", "import sys; from rkt.cli.main import run; sys.exit(run(sys.argv[1:]))")
    words = (f"--dir={directory}/data", "--insecure-options=image", "fetch", "--full", str(path))
    image_id = subprocess.run([*fetch, *words], capture_output=True, text=True, check=True).stdout.strip()
    if os.geteuid() == 0:
        # rendered once, so that what is measured is the usual case
        imports_of(directory, "--insecure-options=image", "prepare", image_id)
    return image_id


@pytest.mark.parametrize("words", [("version",), ("--debug", "version"), ("help",), ("help", "run"), ("gc", "--help")])
def test_verbs_that_touch_nothing_import_nothing(directory: Path, words: tuple[str, ...]) -> None:
    found = imports_of(directory, *words)
    assert found.status == 0
    assert found.others <= CORE


def test_version_alone_imports_no_flags() -> None:
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(REPOSITORY), "/dev/stderr", "version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours = {name for name in done.stderr.splitlines() if name.startswith("rkt")}
    assert ours == {
        *("rkt", "rkt.errors", "rkt.diagnostics", "rkt.cli", "rkt.cli.main"),
        *("rkt.cli.output", "rkt.cli.verb", "rkt.cli.version"),
    }


@pytest.mark.parametrize(
    ("words", "status"),
    [(("list",), 0), (("list", "--format=json"), 0), (("image", "list"), 0), (("image", "list", "--full"), 0)],
)
def test_lists_import_what_reading_takes(directory: Path, image: str, words: tuple[str, ...], status: int) -> None:
    found = imports_of(directory, *words)
    assert found.status == status
    assert found.others <= READING | IMPORTLIB


@pytest.mark.parametrize("verb", ["status", "cat-manifest"])
def test_verbs_on_a_pod_that_is_not_there_read_no_manifest(directory: Path, verb: str) -> None:
    found = imports_of(directory, verb, "abc")
    assert found.status == 254
    assert found.others <= CORE | SMALL


def test_image_by_its_hash_needs_neither_index_nor_network(directory: Path, image: str) -> None:
    for words in (("image", "cat-manifest", image[:20]), ("--insecure-options=image", "fetch", image)):
        found = imports_of(directory, *words)
        assert found.status == 0
        assert found.others <= READING
        assert not any(name.startswith(("rkt.fetch.image", "rkt.keys", "rkt.aci")) for name in found.rkt)
        assert "rkt.store.index" not in found.rkt


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--volume=x"),
        ("run", "--net=none"),
        ("prepare", "--set-env=x"),
        ("run", "--pod-manifest=/dev/null", "image"),
    ],
)
def test_bad_command_line_of_run_is_found_before_anything_heavy_is_imported(
    directory: Path, words: tuple[str, ...]
) -> None:
    found = imports_of(directory, *words)
    assert found.status == 254
    assert not found.others & FORBIDDEN
    assert "ctypes" not in found.others


@pytest.mark.root
def test_prepare_of_a_hash_stays_within_its_budget(directory: Path, image: str) -> None:
    found = imports_of(directory, "--insecure-options=image", "prepare", image)
    assert found.status == 0
    assert not found.others & (FORBIDDEN | JSON_BY_THE_LIBRARY)
    assert found.others <= SPARSE | CTYPES | LATE_ENCODING


@pytest.mark.root
def test_run_of_a_hash_stays_within_its_budget(directory: Path, image: str) -> None:
    found = imports_of(directory, "--insecure-options=image", "run", "--net=none", image, "--exec=/nonexistent")
    assert not found.others & (FORBIDDEN | JSON_BY_THE_LIBRARY)
    assert found.others <= SPARSE | CTYPES | PROCESSES | LATE_ENCODING
    assert not any(name.startswith(("rkt.fetch.image", "rkt.keys", "rkt.lifecycle")) for name in found.rkt)
    assert "rkt.store.index" not in found.rkt
    assert "rkt.stage1.entrypoints" in found.rkt, "the pod was not launched: the budget was not tested"


def test_stores_by_name_are_allowed_the_index_but_not_the_network(directory: Path, image: str) -> None:
    found = imports_of(directory, "image", "cat-manifest", "example.com/true")
    assert found.status == 0
    assert "sqlite3" in found.others
    assert not found.others & {"requests", "urllib3", "pgpy", "cryptography", "asyncio", "subprocess"}


def test_fetching_a_file_does_not_import_the_network(directory: Path, image: str) -> None:
    found = imports_of(directory, "--insecure-options=image", "fetch", str(directory / "true.aci"))
    assert found.status == 0
    assert not found.others & {
        "requests",
        "urllib3",
        "pgpy",
        "pyroute2",
        "asyncio",
        "subprocess",
        "argparse",
        "http.client",
    }
