"""The examples of the founding document as written there, with a server of our own for its URLs."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from harness.http_server import Asked, Reply, Server
from harness.pseudo_terminal import PseudoTerminal
from harness.rkt_command import RktCommand

PATHS = {"main": "/releases/main.aci", "sidekick": "/releases/sidekick.aci", "hello": "/releases/hello.aci"}
FIXTURES = {"main": "writer", "sidekick": "reader", "hello": "hello"}


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA, fixture_images: Path) -> Iterator[Server]:
    """An https server with signed images, as the releases page of the document was."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Server(context) as running:
        for name, path in PATHS.items():
            data = (fixture_images / f"{FIXTURES[name]}.aci").read_bytes()
            running.answers[path] = with_etag(data)
            running.answers[path + ".asc"] = Reply((fixture_images / f"{FIXTURES[name]}.aci.asc").read_bytes())
        yield running


def with_etag(data: bytes) -> Callable[[Asked], Reply]:
    etag = f'"{hashlib.sha256(data).hexdigest()}"'

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == etag:
            return Reply(b"", status=304, headers={"ETag": etag}, length="0")
        return Reply(data, headers={"ETag": etag})

    return answer


@pytest.fixture
def environment(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """The caller's, with the authority that vouches for the server."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return {**os.environ, "SSL_CERT_FILE": str(path)}


def image_id(images: Path, name: str) -> str:
    return "sha512-" + hashlib.sha512(gzip.decompress((images / f"{name}.aci").read_bytes())).hexdigest()


def test_fetch_prints_the_progress_the_verified_identity_and_the_hash(
    trusting_rkt: RktCommand, server: Server, environment: dict[str, str], fixture_images: Path
) -> None:
    url = server.url(PATHS["hello"])
    with PseudoTerminal(trusting_rkt.argv("fetch", url), environment=environment) as terminal:
        assert terminal.wait() == 0, terminal.seen
    lines = re.sub(r"\x1b\[K", "", terminal.seen.decode()).replace("\r\n", "\n").replace("\r", "\n").splitlines()
    short = image_id(fixture_images, "hello")[: len("sha512-") + 32]
    assert lines[0] == f"rkt: fetching image from {url}"
    assert any(re.fullmatch(r"Downloading aci: \[=+>?\s*\] [\d.]+ [KMG]?B/[\d.]+ [KMG]?B", line) for line in lines)
    assert any(line.startswith("Downloading signature from ") for line in lines)
    verified = lines.index("rkt: signature verified:")
    assert re.fullmatch(r"  \S.* <.*@.*>", lines[verified + 1])
    assert lines[verified + 2] == f"  {short}"
    assert lines[-1] == short, "the result on stdout"


def test_find_shows_the_blob_under_the_first_half_of_its_digest(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    trusting_rkt("fetch", fixture_images / "hello.aci").checked()
    command = ["find", f"{trusting_rkt.data}/cas/blob/"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    root, digest = f"{trusting_rkt.data}/cas/blob/", image_id(fixture_images, "hello").removeprefix("sha512-")
    assert sorted(found) == [
        root,
        f"{root}sha512",
        f"{root}sha512/{digest[:2]}",
        f"{root}sha512/{digest[:2]}/sha512-{digest[:64]}",
    ]


@pytest.mark.needs("gzip", "sha512sum")
def test_image_id_is_reproduced_with_gzip_and_sha512sum(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    key = trusting_rkt("fetch", "--full", fixture_images / "hello.aci").checked().stdout.strip()
    listed = trusting_rkt("image", "list", "--full", "--no-legend", "--fields=id").checked().stdout.strip()
    unpacked = subprocess.run(["gzip", "-dc", fixture_images / "hello.aci"], capture_output=True, check=True).stdout
    digest = subprocess.run(["sha512sum"], input=unpacked, capture_output=True, check=True).stdout.split()[0].decode()
    assert listed == f"sha512-{digest}" and listed.startswith(key)
    (blob,) = (path for path in (trusting_rkt.data / "cas" / "blob").rglob("*") if path.is_file())
    assert blob.read_bytes() == unpacked, "the store keeps the uncompressed archive"


def test_run_by_short_hash(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    short = trusting_rkt("fetch", fixture_images / "hello.aci").checked().stdout.strip()
    assert len(short) == len("sha512-fcdf12587358af6ebe69b5338a05df67")
    assert trusting_rkt("run", "--net=none", short).checked().stdout == "hello\n"


def test_run_on_a_terminal_says_how_to_end_the_container(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    words = ["run", "--net=none", "--interactive", str(fixture_images / "hello.aci")]
    with PseudoTerminal(trusting_rkt.argv(*words)) as terminal:
        assert terminal.wait() == 0, terminal.seen
    assert b"Press ^] three times to kill container" in terminal.seen


def test_run_by_url_fetches_verifies_and_runs_and_asks_for_nothing_twice(
    trusting_rkt: RktCommand, server: Server, environment: dict[str, str]
) -> None:
    url = server.url(PATHS["hello"])
    first = trusting_rkt("run", "--net=none", url, environment=environment).checked()
    assert first.stdout == "hello\n" and "signature verified" in first.stderr
    asked = len(server.asked)
    assert trusting_rkt("run", "--net=none", url, environment=environment).checked().stdout == "hello\n"
    assert len(server.asked) == asked, "an image in the store is not asked for again"


def test_fetch_again_checks_the_etag_and_downloads_nothing(
    trusting_rkt: RktCommand, server: Server, environment: dict[str, str]
) -> None:
    url = server.url(PATHS["hello"])
    first = trusting_rkt("fetch", url, environment=environment).checked().stdout
    assert trusting_rkt("fetch", url, environment=environment).checked().stdout == first
    last = [asked for asked in server.asked if asked.path == PATHS["hello"]][-1]
    assert "If-None-Match" in last.headers


def test_unsigned_image_by_url_is_refused(
    trusting_rkt: RktCommand, server: Server, environment: dict[str, str]
) -> None:
    del server.answers[PATHS["hello"] + ".asc"]
    result = trusting_rkt("run", "--net=none", server.url(PATHS["hello"]), environment=environment).checked(254)
    assert result.stdout == "" and "signature" in result.stderr
    assert not [path for path in (trusting_rkt.data / "cas" / "blob").rglob("*") if path.is_file()]


def test_volume_of_the_validator_example_is_shared_by_main_and_sidekick(
    trusting_rkt: RktCommand, server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    """``rkt run -volume database:/tmp MAIN SIDEKICK``; a directory of the test's own stands for /tmp."""
    (tmp_path / "tmp").mkdir()
    words = ["run", "-volume", f"database:{tmp_path / 'tmp'}", server.url(PATHS["main"]), server.url(PATHS["sidekick"])]
    result = trusting_rkt(*words, environment=environment).checked()
    assert "writer: wrote the greeting" in result.stdout and "a greeting from the writer" in result.stdout
    assert (tmp_path / "tmp" / "greeting").read_text() == "a greeting from the writer\n"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Path]:
    """``/opt/tenant1/database`` of the document, in a directory of its own below /opt."""
    top = Path(f"/opt/rkt-test-{os.getpid()}")
    database = top / "tenant1" / "database"
    database.mkdir(parents=True)
    yield database
    subprocess.run(["rm", "-rf", top], check=True)


def test_stage0_makes_the_file_system_of_the_document(
    trusting_rkt: RktCommand, fixture_images: Path, tenant: Path
) -> None:
    """``rkt run --volume bind:/opt/… HASH HASH``, and the paths that stage0 makes for it."""
    names = ("writer", "reader")
    trusting_rkt("fetch", *(fixture_images / f"{name}.aci" for name in names)).checked()
    hashes = [image_id(fixture_images, name) for name in names]
    words = ["run", "--volume", f"bind:{tenant}", "--volume", "database,kind=empty"]
    trusting_rkt(*words, *(one[: len("sha512-") + 40] for one in hashes)).checked()
    (pod,) = (trusting_rkt.data / "pods" / "run").iterdir()
    assert b'"PodManifest"' in (pod / "container").read_bytes()
    assert (pod / "stage1").is_dir() and os.access(pod / "stage1" / "init", os.X_OK)
    for one in hashes:
        assert (pod / "stage1" / "opt" / "stage2" / one / "rootfs").is_dir()
        assert b'"ImageManifest"' in (pod / "stage1" / "opt" / "stage2" / one / "manifest").read_bytes()


def test_stage1_init_of_a_pod_is_what_runs_it(trusting_rkt: RktCommand, fixture_images: Path) -> None:
    """stage0 "execs /stage1/init with the current working directory set to the root of the new filesystem"."""
    uuid = trusting_rkt("prepare", fixture_images / "hello.aci").checked().stdout.strip()
    run = trusting_rkt.data / "pods" / "run"
    (trusting_rkt.data / "pods" / "prepared" / uuid).rename(run / uuid)
    done = subprocess.run(
        ["./stage1/init", "--net=none", uuid], cwd=run / uuid, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"hello\n"), done.stderr


def test_help_is_the_first_command_of_the_document(rkt: RktCommand) -> None:
    assert "COMMANDS:" in rkt("help").checked().stdout
