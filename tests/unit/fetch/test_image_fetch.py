"""Images from files: what is accepted, what is refused, and what is in the store afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.openpgp_forge import ForgedKey

from rkt.errors import NotSupportedError, RktError
from rkt.fetch.errors import FetchError, UnverifiedImageError
from rkt.fetch.image_fetch import Fetcher
from rkt.keys.armor import SIGNATURE, format_armor
from rkt.keys.errors import SignatureError, UnknownSignerError
from rkt.keys.trust_store import TrustStore
from rkt.store.image_store import ImageStore

Make = Callable[..., bytes]
MakeFetcher = Callable[..., Fetcher]


class ImageFile:
    """An image file and where its signature may lie."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.content = content
        path.write_bytes(content)

    def __str__(self) -> str:
        return str(self.path)

    def put_signature(self, data: bytes, suffix: str = ".aci.asc") -> Path:
        path = self.path.with_suffix(suffix)
        path.write_bytes(data)
        return path


@pytest.fixture
def image(tmp_path: Path, make_aci: Make) -> ImageFile:
    return ImageFile(tmp_path / "app.aci", make_aci())


@pytest.mark.spec("ACI-025", "ACI-027")
@pytest.mark.parametrize("suffix", [".aci.asc", ".sig", ".aci.sig"])
def test_a_signed_file_is_stored_with_its_signer(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, store: ImageStore, key: ForgedKey, suffix: str
) -> None:
    image.put_signature(format_armor(sign(image.content), kind=SIGNATURE), suffix)
    record = fetcher().fetch(str(image))
    assert record.verified
    assert [one.fingerprint for one in record.signed_by] == [key.fingerprint]
    assert record.archive_size == len(image.content)
    assert store.get_record(record.key) == record
    store.verify_blob(record.key)


def test_the_verdict_is_told_in_the_founding_documents_words(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    image.put_signature(sign(image.content))
    record = fetcher().fetch(str(image))
    expected = f"rkt: signature verified:\n  Builder <builder@example.com>\n  {record.image_id[:39]}\n"
    assert capfd.readouterr().err == expected


def test_an_unsigned_file_is_refused(
    image: ImageFile, fetcher: MakeFetcher, leftovers: Callable[[], list[str]]
) -> None:
    with pytest.raises(UnverifiedImageError, match="error opening signature file") as caught:
        fetcher().fetch(str(image))
    assert "--insecure-options=image" in (caught.value.hint or "")
    assert leftovers() == []


def test_without_verification_no_signature_is_looked_at(
    image: ImageFile, fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    image.put_signature(b"garbage")
    record = fetcher("image").fetch(str(image))
    assert not record.verified
    assert capfd.readouterr().err == "rkt: warning: image signature verification has been disabled\n"


def test_a_named_signature_is_used_instead_of_the_one_beside(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, tmp_path: Path
) -> None:
    image.put_signature(b"garbage")
    named = tmp_path / "elsewhere.sig"
    named.write_bytes(sign(image.content))
    assert fetcher().fetch(str(image), signature=str(named)).verified
    with pytest.raises(UnverifiedImageError, match="no such file"):
        fetcher().fetch(str(image), signature=str(tmp_path / "absent"))


@pytest.mark.parametrize("where", [0, 100, -1])
def test_a_tampered_file_is_refused_and_leaves_nothing(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, leftovers: Callable[[], list[str]], where: int
) -> None:
    image.put_signature(sign(image.content))
    content = bytearray(image.content)
    content[where] ^= 0x01
    image.path.write_bytes(content)
    with pytest.raises(RktError):
        fetcher().fetch(str(image))
    assert leftovers() == []


def test_the_signature_covers_bytes_that_the_decompressor_does_not_need(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, leftovers: Callable[[], list[str]]
) -> None:
    """The header of a gzip file holds a time that changes nothing in the image."""
    image.put_signature(sign(image.content))
    image.path.write_bytes(image.content[:4] + b"\x01\x02\x03\x04" + image.content[8:])
    with pytest.raises(SignatureError, match="not one over these bytes"):
        fetcher().fetch(str(image))
    assert leftovers() == []


def test_a_signature_by_a_stranger_names_the_keys_that_were_tried(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, key: ForgedKey, other_key: ForgedKey
) -> None:
    image.put_signature(sign(image.content, other_key))
    with pytest.raises(UnknownSignerError, match="signature made by unknown entity") as caught:
        fetcher().fetch(str(image))
    assert other_key.fingerprint in caught.value.message
    assert key.fingerprint in caught.value.message
    assert "rkt trust --prefix" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["example.community/app", "example.org/app", "example.com-evil/app"])
def test_a_key_vouches_only_for_its_prefix(
    tmp_path: Path,
    make_aci: Make,
    sign: Make,
    fetcher: MakeFetcher,
    leftovers: Callable[[], list[str]],
    name: str,
) -> None:
    """Security row R12: the key is trusted for example.com."""
    image = ImageFile(tmp_path / "evil.aci", make_aci(name))
    image.put_signature(sign(image.content))
    with pytest.raises(UnknownSignerError, match=f'image "{name}" verification failed'):
        fetcher().fetch(str(image))
    assert leftovers() == []


def test_a_damaged_key_for_other_names_does_not_hinder(
    image: ImageFile, sign: Make, fetcher: MakeFetcher, trust_store: TrustStore, other_key: ForgedKey
) -> None:
    Path(trust_store.add(other_key.certificate(), prefix="example.org")).write_bytes(b"damaged")
    image.put_signature(sign(image.content))
    assert fetcher().fetch(str(image)).verified


@pytest.mark.parametrize("policy", ["never", "new", "update"])
def test_a_file_is_imported_under_every_policy(image: ImageFile, fetcher: MakeFetcher, policy: str) -> None:
    assert fetcher("image", policy=policy).fetch(f"file://{image}").name == "example.com/app"


def test_a_signature_that_comes_later_makes_the_image_verified(
    image: ImageFile, sign: Make, fetcher: MakeFetcher
) -> None:
    unsigned = fetcher("image").fetch(str(image))
    with pytest.raises(UnverifiedImageError):
        fetcher().fetch(unsigned.key)
    image.put_signature(sign(image.content))
    assert fetcher().fetch(str(image)).key == unsigned.key
    assert fetcher().fetch(unsigned.key).verified


def test_a_missing_dependency_is_told_and_no_failure(
    tmp_path: Path, make_aci: Make, fetcher: MakeFetcher, capfd: pytest.CaptureFixture[str]
) -> None:
    image = ImageFile(
        tmp_path / "top.aci", make_aci("example.com/top", dependencies=[{"imageName": "example.com/app"}])
    )
    fetcher("image").fetch(str(image))
    assert 'depends on "example.com/app", which is not in the store' in capfd.readouterr().err
    ImageFile(image.path, make_aci())
    fetcher("image").fetch(str(image))
    ImageFile(image.path, make_aci("example.com/top", dependencies=[{"imageName": "example.com/app"}]))
    capfd.readouterr()
    fetcher("image").fetch(str(image))
    assert "depends on" not in capfd.readouterr().err


def test_what_is_no_regular_file_is_refused(tmp_path: Path, fetcher: MakeFetcher) -> None:
    os.mkfifo(tmp_path / "fifo.aci")
    (tmp_path / "directory.aci").mkdir()
    for name, reason in (("fifo.aci", "regular"), ("directory.aci", "regular"), ("absent.aci", "no such file")):
        with pytest.raises(FetchError, match=reason):
            fetcher("image").fetch(str(tmp_path / name))


def test_a_fifo_as_signature_is_not_waited_for(image: ImageFile, fetcher: MakeFetcher, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "app.aci.asc")
    with pytest.raises(UnverifiedImageError, match="regular"):
        fetcher().fetch(str(image))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("example.com/absent", 'unable to fetch image from image name "example.com/absent"'),
        ("https://example.com/absent.aci", 'unable to fetch image from URL "https://example.com/absent.aci"'),
    ],
)
def test_what_is_not_in_the_store_is_not_found(fetcher: MakeFetcher, reference: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        fetcher(policy="never").fetch(reference)


def test_docker_images_are_named_as_missing(fetcher: MakeFetcher) -> None:
    with pytest.raises(NotSupportedError):
        fetcher().fetch("docker://busybox")


def test_hostile_identities_are_shown_harmless(
    image: ImageFile,
    sign: Make,
    fetcher: MakeFetcher,
    trust_store: TrustStore,
    other_key: ForgedKey,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Security row O1."""
    trust_store.add(other_key.certificate("\x1b[2JEvil\nrkt: ok\u202e".encode()), prefix="example.com")
    image.put_signature(sign(image.content, other_key))
    fetcher().fetch(str(image))
    shown = capfd.readouterr().err
    assert "\x1b" not in shown and "\u202e" not in shown
    assert shown.count("\n") == 3
