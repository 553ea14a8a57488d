from __future__ import annotations

import time

import pytest
from harness.openpgp_forge import CERTIFY, ForgedKey, created, key_expires, packet

from rkt.keys import certificate as certificate_module
from rkt.keys.certificate import parse_certificates
from rkt.keys.errors import KeyFileError, SignatureError


def test_identities_are_those_that_the_key_stands_by(key: ForgedKey) -> None:
    content = key.packet() + key.certify(b"First <1@example.com>") + packet(13, b"Nobody <n@example.com>")
    content += key.certify(b"Second <2@example.com>") + key.certify("Ärger".encode("latin-1"))
    (found,) = parse_certificates(content)
    assert found.identities() == ("First <1@example.com>", "Second <2@example.com>", "\\xc4rger")


def test_armored_is_what_was_received(key: ForgedKey) -> None:
    (found,) = parse_certificates(key.certificate())
    (again,) = parse_certificates(found.armored())
    assert again.content == found.content == key.certificate()
    assert again.fingerprint == key.fingerprint


def test_a_file_of_several_keys_gives_them_all(key: ForgedKey, other_key: ForgedKey) -> None:
    found = parse_certificates(key.certificate() + other_key.certificate())
    assert [one.fingerprint for one in found] == [key.fingerprint, other_key.fingerprint]


def test_a_signature_of_an_unreadable_subkey_does_not_fall_to_its_neighbour(key: ForgedKey) -> None:
    subkey, strange = ForgedKey(at=key.at), b"\x06" + bytes(40)
    area = created(key.at + 1) + key.issuer
    revocation = packet(2, key.sign(0x28, key.signed_form, subkey.signed_form, hashed=area))
    (found,) = parse_certificates(key.certificate() + key.bind(subkey) + packet(14, strange) + revocation)
    assert found.subkey_fingerprints == (subkey.fingerprint,)
    signing = found.find_key([subkey.fingerprint])
    assert signing is not None
    found.check_may_sign(signing)


def test_the_problem_of_a_key_that_cannot_sign_is_named(key: ForgedKey) -> None:
    (good,) = parse_certificates(key.certificate())
    (certifier,) = parse_certificates(key.packet() + key.certify(b"x", usage=CERTIFY))
    assert good.find_signing_problem() is None
    assert "does not let it sign" in (certifier.find_signing_problem() or "")


def test_a_certifying_key_with_a_signing_subkey_has_no_problem(key: ForgedKey) -> None:
    content = key.packet() + key.certify(b"x", usage=CERTIFY) + key.bind(ForgedKey(at=key.at))
    (found,) = parse_certificates(content)
    assert found.find_signing_problem() is None


def test_an_expired_primary_key_takes_its_subkeys_with_it(key: ForgedKey) -> None:
    subkey = ForgedKey(at=key.at)
    content = key.packet() + key.certify(b"x", hashed=key_expires(1000)) + key.bind(subkey)
    (found,) = parse_certificates(content)
    signing = found.find_key([subkey.fingerprint])
    assert signing is not None
    found.check_may_sign(signing, now=key.at + 999)
    with pytest.raises(SignatureError, match="expired on"):
        found.check_may_sign(signing, now=key.at + 1000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no public key"),
        (b"hello", "not an OpenPGP packet"),
        (packet(13, b"x"), "does not begin with a public key"),
        (packet(5, b"\x04" + bytes(20)), "secret key"),
        (packet(6, b"\x03" + bytes(20)), "version 3"),
        (packet(6, b"\x06" + bytes(20)), "version 6"),
        (b"-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----", "does not begin"),
    ],
)
def test_what_is_no_public_key_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(KeyFileError, match=reason):
        parse_certificates(content)


def test_a_poisoned_key_is_refused_or_read_in_time(key: ForgedKey) -> None:
    """Security row P5: signatures by strangers, as many as fit, each of which looks like one of the key itself."""
    stranger = ForgedKey(at=key.at)
    flood = packet(2, stranger.sign(0x13, b"", hashed=created(key.at + 1) + key.issuer))
    room = certificate_module.LARGEST_KEY_FILE_BYTES - len(key.certificate())
    content = key.certificate() + flood * (room // len(flood))
    started = time.monotonic()
    (found,) = parse_certificates(content)
    assert found.find_signing_problem() is None
    assert time.monotonic() - started < 5
    with pytest.raises(KeyFileError, match="more than"):
        parse_certificates(content + flood)
