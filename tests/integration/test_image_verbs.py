"""Images from end to end: build, validate, trust, fetch, list, cat-manifest, rm, and what signatures decide."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from harness.images import app_section, image_manifest
from harness.pseudo_terminal import PseudoTerminal
from harness.rkt_command import RktCommand
from harness.stocked_store import PodRuns


@pytest.fixture
def layout(tmp_path: Path, fixture_images: Path) -> Path:
    """An image layout with the probe."""
    directory = tmp_path / "layout"
    (directory / "rootfs" / "bin").mkdir(parents=True)
    (directory / "manifest").write_bytes(image_manifest(app_section("print-out", "built"), name="example.com/built"))
    probe = directory / "rootfs" / "bin" / "probe"
    probe.write_bytes((fixture_images / "probe" / "probe").read_bytes())
    probe.chmod(0o755)
    return directory


def test_built_image_validates_and_runs(rkt: RktCommand, layout: Path, tmp_path: Path) -> None:
    output = tmp_path / "built.aci"
    rkt("image", "build", layout, output).checked()
    assert rkt("image", "validate", output, layout, layout / "manifest").checked().stderr == ""
    assert rkt("run", "--net=none", "--insecure-options=image", output).checked().stdout == "built\n"


@pytest.mark.parametrize("compression", ["gzip", "none", "bzip2", "xz"])
def test_every_compression_gives_the_same_image(
    rkt: RktCommand, layout: Path, tmp_path: Path, compression: str
) -> None:
    outputs = [tmp_path / "first.aci", tmp_path / "second.aci"]
    for output in outputs:
        rkt("image", "build", f"--compression={compression}", layout, output).checked()
    assert outputs[0].read_bytes() == outputs[1].read_bytes(), "the same input gives the same bytes"
    rkt("image", "build", "--no-compression", layout, tmp_path / "plain.aci").checked()
    wanted = "sha512-" + hashlib.sha512((tmp_path / "plain.aci").read_bytes()).hexdigest()
    rkt("fetch", "--insecure-options=image", outputs[0]).checked()
    assert rkt("image", "list", "--full", "--no-legend", "--fields=id").checked().stdout.strip() == wanted


def test_build_replaces_nothing_unless_told(rkt: RktCommand, layout: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.aci"
    output.write_text("precious")
    assert str(output) in rkt("image", "build", layout, output).checked(254).stderr
    assert output.read_text() == "precious"
    rkt("image", "build", "--overwrite", layout, output).checked()
    assert output.read_bytes()[:2] == b"\x1f\x8b"


def test_validate_names_every_problem_of_every_file(rkt: RktCommand, layout: Path, tmp_path: Path) -> None:
    manifest = json.loads((layout / "manifest").read_bytes())
    manifest["app"]["user"] = ""
    manifest["app"]["workingDirectory"] = "relative"
    (layout / "manifest").write_text(json.dumps(manifest))
    (tmp_path / "junk.aci").write_bytes(b"junk")
    result = rkt("image", "validate", layout / "manifest", tmp_path / "junk.aci")
    assert result.status == 254 and "Traceback" not in result.stderr
    assert "app.user" in result.stderr and "app.workingDirectory" in result.stderr


def test_image_is_listed_shown_and_removed(runs: PodRuns) -> None:
    rows = runs.rkt("image", "list", "--no-legend", "--fields=name", "--sort=name").checked().stdout.split("\n")
    assert "example.com/hello:1.0.0" in [row.strip() for row in rows]
    for reference in ("example.com/hello", "example.com/hello:1.0.0", runs.ids["hello"], runs.ids["hello"][:20]):
        shown = json.loads(runs.rkt("image", "cat-manifest", reference).checked().stdout)
        assert shown["name"] == "example.com/hello"
    removed = runs.rkt("image", "rm", "example.com/hello").checked()
    assert "successfully removed aci" in removed.stdout and "1 image(s) successfully removed" in removed.stderr
    assert runs.rkt("image", "cat-manifest", runs.ids["hello"]).status == 254
    assert runs.rkt("run", "--net=none", runs.ids["hello"]).status == 254


def test_json_list_holds_full_ids_and_sizes(runs: PodRuns) -> None:
    rows = json.loads(runs.rkt("image", "list", "--format=json").checked().stdout)
    assert all(len(row["id"]) == len("sha512-") + 128 and row["size"] > 0 for row in rows)
    assert {row["id"][: len(key)] for row in rows for key in runs.ids.values() if row["id"].startswith(key)} == set(
        runs.ids.values()
    )


def test_nothing_is_trusted_at_first(rkt: RktCommand, fixture_images: Path) -> None:
    result = rkt("fetch", fixture_images / "hello.aci").checked(254)
    assert "signature made by unknown entity" in result.stderr and "rkt trust --prefix" in result.stderr
    assert rkt("image", "list", "--no-legend").checked().stdout == ""


@pytest.mark.parametrize(("prefix", "status"), [("example.com", 0), ("example.com/hello", 0), ("example.org", 254)])
def test_key_counts_for_its_prefix_only(rkt: RktCommand, fixture_images: Path, prefix: str, status: int) -> None:
    rkt("trust", f"--prefix={prefix}", "--skip-fingerprint-review", fixture_images / "fixture-key.asc").checked()
    rkt("fetch", fixture_images / "hello.aci").checked(status)


def test_trust_asks_and_takes_no_for_an_answer(rkt: RktCommand, fixture_images: Path) -> None:
    words = ["trust", "--root", str(fixture_images / "fixture-key.asc")]
    for answer, status in ((b"no\r", 254), (b"yes\r", 0)):
        with PseudoTerminal(rkt.argv(*words)) as terminal:
            terminal.read_until(b"A595 0349 5429")
            terminal.type_in(answer)
            terminal.wait()
        rkt("fetch", fixture_images / "hello.aci").checked(status)


def test_image_with_one_changed_byte_is_refused(trusting_rkt: RktCommand, fixture_images: Path, tmp_path: Path) -> None:
    """The archive is whole and valid; only its compression level differs from what was signed."""
    other = tmp_path / "hello.aci"
    other.write_bytes(gzip.compress(gzip.decompress((fixture_images / "hello.aci").read_bytes()), 1, mtime=0))
    (tmp_path / "hello.aci.asc").write_bytes((fixture_images / "hello.aci.asc").read_bytes())
    result = trusting_rkt("fetch", other).checked(254)
    assert "signature" in result.stderr
    assert trusting_rkt("image", "list", "--no-legend").checked().stdout == ""


def test_signature_file_can_be_named(trusting_rkt: RktCommand, fixture_images: Path, tmp_path: Path) -> None:
    image, signature = tmp_path / "image.aci", tmp_path / "elsewhere"
    image.write_bytes((fixture_images / "hello.aci").read_bytes())
    signature.write_bytes((fixture_images / "hello.aci.asc").read_bytes())
    trusting_rkt("fetch", image).checked(254)
    trusting_rkt("fetch", image, f"--signature={signature}").checked()


def test_image_stored_without_signature_is_not_run_by_its_hash(rkt: RktCommand, fixture_images: Path) -> None:
    """R9: a check that was skipped once is not skipped for ever."""
    short = rkt("fetch", "--insecure-options=image", fixture_images / "hello.aci").checked().stdout.strip()
    refused = rkt("run", "--net=none", short).checked(254)
    assert "without a verified signature" in refused.stderr and refused.stdout == ""
    assert rkt("run", "--net=none", "--insecure-options=image", short).checked().stdout == "hello\n"


def test_version_and_help(rkt: RktCommand) -> None:
    shown = rkt("version").checked().stdout
    assert "rkt Version:" in shown and "appc Version: 0.8.11" in shown
    for words in (["help"], ["help", "run"], ["image", "list", "--help"], ["--help"]):
        assert "USAGE:" in rkt(*words).checked().stdout


def test_unknown_verb_is_named(rkt: RktCommand) -> None:
    result = rkt("frobnicate")
    assert result.status not in (0, 1) and "frobnicate" in result.stderr
