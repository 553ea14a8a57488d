"""Words that are no names: UUIDs and names as paths, control characters in what is printed (R13, R14, O1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness.images import app_section, image_manifest, write_image
from harness.stocked_store import PodRuns
from harness.trees import snapshot

pytestmark = pytest.mark.root
#: bytes that steer a terminal, and the encodings of C1, bidirectional and line-breaking characters
STEERING = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
ESCAPES = "\x1b]52;c;aGk=\x07\x1b[2J\r\x9b31m\u202egnp\u2028x\x7f"


@pytest.mark.parametrize("verb", ["status", "stop", "rm", "cat-manifest", "run-prepared"])
@pytest.mark.parametrize(
    "word", ["../../etc", "..", ".", "/", "run/../..", "", "*", "%2e%2e", "a" * 5000, "\x1b[2J", "0" * 8 + "/.."]
)
def test_word_that_is_no_uuid_is_refused_and_touches_nothing(runs: PodRuns, canary: Path, verb: str, word: str) -> None:
    before = snapshot(runs.rkt.data)
    result = runs.rkt(verb, word).checked(254)
    assert "Traceback" not in result.stderr and not STEERING.search(result.stderr_bytes)
    assert len(result.stderr) < 3 * len(word) + 600
    assert snapshot(runs.rkt.data) == before


@pytest.mark.parametrize("name", ["../x", "a/b", "UPPER", "a\nb", "", "-a", "%n", "a" * 5000, "\u0430bc", "a\x1b[2J"])
@pytest.mark.parametrize("flag", ["--name={}", "--mount=volume={},target=/x"])
def test_word_that_is_no_name_is_refused_before_a_pod_exists(runs: PodRuns, name: str, flag: str) -> None:
    result = runs.rkt("run", "--net=none", runs.ids["hello"], flag.format(name)).checked(254)
    assert "Traceback" not in result.stderr and not STEERING.search(result.stderr_bytes)
    assert not list((runs.rkt.data / "pods" / "run").iterdir())


@pytest.mark.parametrize("name", ["example.com/../../x", "example.com/" + ESCAPES, "/abs", "", "a" * 70000, "UPPER/x"])
def test_image_with_a_name_that_is_none_is_refused(runs: PodRuns, tmp_path: Path, canary: Path, name: str) -> None:
    path = write_image(tmp_path / "n.aci", image_manifest(app_section("print-out", "ran"), name=name))
    result = runs.image(path, status=254)
    assert not STEERING.search(result.stderr_bytes) and "Traceback" not in result.stderr
    assert len(result.stderr) < 3000


def test_control_characters_reach_no_terminal_whoever_brings_them(runs: PodRuns, tmp_path: Path) -> None:
    """In file names, flags, programs, users, directories, manifests: every error is printed safely."""
    file = tmp_path / ESCAPES.replace("/", "")
    file.write_bytes(b"no image")
    bad = write_image(tmp_path / "bad.aci", image_manifest(app_section(workingDirectory=ESCAPES) | {ESCAPES: 1}))
    hello = runs.ids["hello"]
    for words in (
        ["fetch", "--insecure-options=image", str(file)],
        ["run", "--net=none", "--insecure-options=image", str(bad)],
        ["run", "--net=none", hello, f"--exec={ESCAPES}"],
        ["run", "--net=none", hello, f"--user={ESCAPES}"],
        ["run", "--net=none", hello, f"--working-dir=/{ESCAPES}"],
        ["run", "--net=none", hello, f"--volume={ESCAPES}"],
        ["run", "--net=none", f"--volume=v,kind=host,source=/{ESCAPES}", "--mount=volume=v,target=/v", hello],
        ["run", f"--net={ESCAPES}", hello],
        ["run", f"--{ESCAPES}"],
        [ESCAPES],
        ["image", "validate", str(file)],
        ["image", "cat-manifest", f"example.com/{ESCAPES}"],
        ["status", f"--uuid-file={file}"],
        ["trust", "--root", str(file)],
        ["fetch", f"http://127.0.0.1:9/{ESCAPES}.aci"],
    ):
        result = runs.rkt(*words)
        assert result.status not in (0, 1), words
        assert not STEERING.search(result.stderr_bytes), (words, result.stderr_bytes)
        assert "Traceback" not in result.stderr, result.stderr


def test_user_labels_cannot_forge_lines_of_list_and_status(runs: PodRuns) -> None:
    words = runs.argv(
        "exit", "0", app=[f"--user-label=x={ESCAPES}\nstate=running", "--user-annotation=a=b\nexited=false"]
    )
    runs.rkt(*words).checked()
    (pod,) = (runs.rkt.data / "pods" / "run").iterdir()
    for look in (
        ["list", "--full"],
        ["status", pod.name],
        ["list", "--format=json"],
        ["status", "--format=json-pretty", pod.name],
    ):
        shown = runs.rkt(*look).checked()
        assert not STEERING.search(shown.stdout_bytes), look
        assert "\nstate=running" not in shown.stdout
