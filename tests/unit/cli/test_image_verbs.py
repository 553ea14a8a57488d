"""The verbs on images, with committed images and a store on disk."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Rkt = Callable[..., tuple[int, str, str]]


def test_fetch_prints_the_id_and_who_signed(trusting_rkt: Rkt, fixture_images: Path) -> None:
    status, output, errors = trusting_rkt("fetch", fixture_images / "hello.aci")
    assert status == 0
    assert output.startswith("sha512-")
    assert len(output) == len("sha512-") + 32 + 1
    assert "signature verified:\n" in errors


def test_fetched_image_is_found_and_reproduced_as_the_founding_document_does_it(
    trusting_rkt: Rkt, fixture_images: Path, hello: str, tmp_path: Path
) -> None:
    digest = hashlib.sha512(gzip.decompress((fixture_images / "hello.aci").read_bytes())).hexdigest()
    assert hello == f"sha512-{digest[:64]}"
    blob = tmp_path / "data" / "cas" / "blob" / "sha512" / digest[:2] / hello
    assert hashlib.sha512(blob.read_bytes()).hexdigest() == digest


def test_unsigned_image_is_refused_and_fetched_when_told_to(rkt: Rkt, fixture_images: Path, tmp_path: Path) -> None:
    image = tmp_path / "unsigned.aci"
    image.write_bytes((fixture_images / "hello.aci").read_bytes())
    status, output, errors = rkt("fetch", image)
    assert (status, output) == (254, "")
    assert "error opening signature file" in errors
    assert rkt("image", "list", "--no-legend")[1] == ""
    status, output, errors = rkt("fetch", image, "--insecure-options=image")
    assert status == 0
    assert "warning: image signature verification has been disabled" in errors


def test_signature_may_lie_elsewhere(trusting_rkt: Rkt, fixture_images: Path, tmp_path: Path) -> None:
    image, signature = tmp_path / "a.aci", tmp_path / "b.asc"
    image.write_bytes((fixture_images / "hello.aci").read_bytes())
    signature.write_bytes((fixture_images / "hello.aci.asc").read_bytes())
    assert trusting_rkt("fetch", image, f"--signature={signature}")[0] == 0


def test_id_in_the_store_is_not_fetched_again(trusting_rkt: Rkt, hello: str) -> None:
    assert trusting_rkt("fetch", hello[:20]) == (0, f"{hello[:39]}\n", "")


def test_images_are_listed(trusting_rkt: Rkt, hello: str) -> None:
    status, output, errors = trusting_rkt("image", "list")
    assert (status, errors) == (0, "")
    heading, row = (line.split("\t") for line in output.splitlines())
    assert [word for word in heading if word] == ["ID", "NAME", "SIZE", "IMPORT TIME", "LAST USED"]
    cells = [word for word in row if word]
    assert cells[0] == hello[:19]
    assert cells[1].startswith("example.com/hello:")
    assert cells[2].endswith("KiB")


def test_list_shows_the_fields_asked_for_in_full(trusting_rkt: Rkt, hello: str) -> None:
    _, output, _ = trusting_rkt("image", "list", "--fields=size,id", "--no-legend", "--full")
    size, image_id = output.split()
    assert image_id.startswith(hello)
    assert len(image_id) == len("sha512-") + 128
    assert int(size) > 1024


def test_list_is_sorted_as_asked_for(trusting_rkt: Rkt, hello: str, fixture_images: Path) -> None:
    trusting_rkt("fetch", fixture_images / "reader.aci")
    names = {}
    for order in ("asc", "desc"):
        words = ("image", "list", "--no-legend", "--fields=name", "--sort=name", f"--order={order}")
        names[order] = trusting_rkt(*words)[1].split()
    assert names["asc"] == sorted(names["desc"])
    assert names["asc"] == names["desc"][::-1]
    assert len(names["asc"]) == 2


@pytest.mark.parametrize("form", ["json", "json-pretty"])
def test_list_is_json_when_asked_for(trusting_rkt: Rkt, hello: str, form: str) -> None:
    _, output, _ = trusting_rkt("image", "list", f"--format={form}")
    (image,) = json.loads(output)
    assert list(image) == ["id", "name", "import_time", "last_used_time", "size"]
    assert image["id"].startswith(hello)
    assert ("\n\t" in output) == (form == "json-pretty")


def test_manifest_is_printed_as_stored_or_indented(trusting_rkt: Rkt, hello: str, tmp_path: Path) -> None:
    stored = (tmp_path / "data" / "cas" / "imageManifest" / "sha512" / hello[7:9] / hello).read_text()
    _, plain, _ = trusting_rkt("image", "cat-manifest", hello[:12], "--pretty-print=false")
    assert plain.rstrip("\n") == stored.rstrip("\n")
    _, pretty, _ = trusting_rkt("image", "cat-manifest", "example.com/hello")
    assert json.loads(pretty) == json.loads(stored)
    assert pretty.startswith('{\n\t"')


def test_images_are_removed_by_name_and_by_id(trusting_rkt: Rkt, hello: str, fixture_images: Path) -> None:
    _, reader, _ = trusting_rkt("fetch", "--full", fixture_images / "reader.aci")
    status, output, errors = trusting_rkt("image", "rm", "example.com/hello", reader.strip(), "sha512-0000", hello)
    assert status == 0
    removed = [f'successfully removed aci for image: "{key}"' for key in (hello, reader.strip())]
    assert output.splitlines() == removed
    assert 'rm: image "sha512-0000" is not removed: ' in errors
    assert errors.endswith("rm: 2 image(s) successfully removed\n")
    assert trusting_rkt("image", "list", "--no-legend")[1] == ""


def test_layout_is_built_checked_and_fetched(rkt: Rkt, tmp_path: Path) -> None:
    layout, archive = tmp_path / "layout", tmp_path / "x.aci"
    (layout / "rootfs").mkdir(parents=True)
    manifest = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/x"}
    (layout / "manifest").write_text(json.dumps(manifest))
    assert rkt("image", "build", layout, archive) == (0, "", "")
    assert rkt("image", "validate", archive, layout, layout / "manifest") == (0, "", "")
    status, _, errors = rkt("image", "validate", archive, "--debug")
    assert (status, errors) == (0, f"validate: {archive}: valid app container image\n")
    status, _, errors = rkt("image", "build", layout, archive)
    assert status == 254
    assert "target file exists (try --overwrite)" in errors
    assert rkt("image", "build", "--overwrite", "--no-compression", layout, archive)[0] == 0
    assert archive.read_bytes()[257:262] == b"ustar"
    assert rkt("fetch", "--insecure-options=image", archive)[0] == 0


def test_every_problem_of_a_manifest_is_a_line(rkt: Rkt, tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    path.write_text('{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "Example", "labels": {}}')
    status, output, errors = rkt("image", "validate", path)
    assert (status, output) == (254, "")
    lines = errors.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"validate: {path}: invalid ImageManifest: ") for line in lines)


def test_key_is_reviewed_on_a_terminal_only(rkt: Rkt, fixture_images: Path, tmp_path: Path) -> None:
    key = fixture_images / "fixture-key.asc"
    status, output, errors = rkt("trust", "--prefix=example.com", key)
    assert status == 254
    assert output.startswith("gpg key fingerprint is: ")
    assert errors.splitlines()[:2] == ['trust: prefix: "example.com"', f'trust: key: "{key}"']
    assert "unable to ask user to review fingerprint due to lack of tty" in errors
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    ("typed", "status", "trusted"),
    [(b"yes\n", 0, True), (b"no\n", 0, False), (b"y\nyes\n", 0, True), (b"\x04", 254, False)],
)
def test_user_decides_on_a_terminal(
    fixture_images: Path, tmp_path: Path, typed: bytes, status: int, trusted: bool
) -> None:
    import pty

    key = fixture_images / "fixture-key.asc"
    pid, terminal = pty.fork()
    if pid == 0:
        from rkt.cli.main import run

        os._exit(run([f"--local-config={tmp_path}/etc", "trust", "--prefix=example.com", str(key)]))
    shown = b""
    with open(terminal, "r+b", buffering=0) as stream:
        while b"(yes/no)?" not in shown:
            shown += stream.read(1024)
        stream.write(typed)
        try:
            while chunk := stream.read(1024):
                shown += chunk
        except OSError:
            pass  # the other side of the terminal is gone
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status, shown
    assert any((tmp_path / "etc").rglob("prefix.d/example.com/*")) == trusted
    assert (b"not trusting" in shown) == (typed == b"no\n")
