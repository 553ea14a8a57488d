from __future__ import annotations

import pytest
from harness.openpgp_forge import ForgedKey, created, expires, packet

from rkt.keys.armor import SIGNATURE, format_armor
from rkt.keys.certificate import parse_certificates
from rkt.keys.errors import SignatureError, UnknownSignerError
from rkt.keys.signature import DetachedSignature

DATA = bytes(range(256)) * 5000


def sign(key: ForgedKey, extra: bytes = b"") -> bytes:
    return packet(2, key.sign(0x00, DATA, hashed=created(key.at + 2) + key.issuer + extra))


@pytest.mark.parametrize("chunk", [1, 7, 65536, len(DATA)])
def test_the_verdict_does_not_depend_on_how_the_bytes_arrive(key: ForgedKey, chunk: int) -> None:
    signature = DetachedSignature(sign(key))
    for start in range(0, len(DATA), chunk):
        signature.update(memoryview(DATA)[start : start + chunk])
    verified = signature.verify(parse_certificates(key.certificate(b"Someone <s@example.com>")))
    assert verified.fingerprint == key.fingerprint
    assert verified.identities == ("Someone <s@example.com>",)


@pytest.mark.parametrize("change", [DATA[:-1], DATA + b"\0", b"", b"\1" + DATA[1:], DATA[1:] + DATA[:1]])
def test_other_bytes_are_refused(key: ForgedKey, change: bytes) -> None:
    signature = DetachedSignature(sign(key))
    signature.update(change)
    with pytest.raises(SignatureError, match="not one over these bytes"):
        signature.verify(parse_certificates(key.certificate()))


def test_the_right_key_is_found_among_several(key: ForgedKey, other_key: ForgedKey) -> None:
    signature = DetachedSignature(format_armor(sign(key), kind=SIGNATURE))
    signature.update(DATA)
    certificates = parse_certificates(other_key.certificate() + key.certificate())
    assert signature.verify(certificates).fingerprint == key.fingerprint


def test_an_unknown_signer_is_told_apart_from_a_bad_signature(key: ForgedKey, other_key: ForgedKey) -> None:
    signature = DetachedSignature(sign(key))
    assert signature.issuer == key.fingerprint
    assert signature.find_signer(parse_certificates(other_key.certificate())) is None
    with pytest.raises(UnknownSignerError, match=key.fingerprint):
        signature.verify(parse_certificates(other_key.certificate()))
    with pytest.raises(UnknownSignerError):
        signature.verify([])


def test_clocks_may_differ_by_five_minutes(key: ForgedKey) -> None:
    made = key.at + 2
    for now, good in ((made - 299, True), (made - 301, False)):
        signature = DetachedSignature(sign(key))
        signature.update(DATA)
        if good:
            signature.verify(parse_certificates(key.certificate()), now=now)
        else:
            with pytest.raises(SignatureError, match="future"):
                signature.verify(parse_certificates(key.certificate()), now=now)


def test_a_signature_ends_when_it_says(key: ForgedKey) -> None:
    for now, good in ((key.at + 2 + 99, True), (key.at + 2 + 100, False)):
        signature = DetachedSignature(sign(key, expires(100)))
        signature.update(DATA)
        if good:
            signature.verify(parse_certificates(key.certificate()), now=now)
        else:
            with pytest.raises(SignatureError, match="expired"):
                signature.verify(parse_certificates(key.certificate()), now=now)
