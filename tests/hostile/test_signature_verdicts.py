"""Signatures and keys that must be refused, and those that must not (security rows P1 to P4): one table of verdicts.

gpg signs what gpg is willing to sign; the rest is forged at packet level. Each case is signatures x certificates x
bytes. A good case is also given to pysequoia: were it to refuse one, the case would not be what it claims.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator

import pysequoia
import pytest
from harness.gpg import Gpg
from harness.openpgp_forge import (
    CERTIFY,
    SIGN,
    ForgedKey,
    created,
    expires,
    flags,
    key_expires,
    packet,
    subpacket,
)

from rkt.keys.certificate import parse_certificates
from rkt.keys.errors import SignatureError
from rkt.keys.packets import read_packets
from rkt.keys.signature import DetachedSignature

DATA = b"the exact bytes of an image\n" * 1000
NOW = int(time.time())
LONG_AGO = NOW - 86400 * 400


class Case:
    """A signature file, the trusted keys, and the bytes that arrived."""

    def __init__(self, signature: bytes, keys: bytes, data: bytes = DATA) -> None:
        self.signature = signature
        self.keys = keys
        self.data = data


class Keyring:
    """gpg's keys and the cases, each made once for the whole module."""

    def __init__(self, gpg: Gpg) -> None:
        self.gpg = gpg
        self.names: dict[str, str] = {}
        self.cases: dict[str, Case] = {}

    def case(self, name: str, make: Callable[[Keyring], Case]) -> Case:
        """The case, made when it is first asked for: a key that is revoked in it cannot sign a second time."""
        if name not in self.cases:
            self.cases[name] = make(self)
        return self.cases[name]

    def primary(self, algorithm: str, usage: str = "sign") -> str:
        name = f"{algorithm}-{usage}"
        if name not in self.names:
            self.names[name] = self.gpg.generate(f"{name} <{name}@example.com>", algorithm=algorithm, usage=usage)
        return self.names[name]

    def subkey(self, algorithm: str, of: str) -> str:
        name = f"{algorithm} under {of}"
        if name not in self.names:
            self.names[name] = self.gpg.add_subkey(of, algorithm=algorithm)
        return self.names[name]


@pytest.fixture(scope="module")
def ring() -> Iterator[Keyring]:
    with Gpg() as gpg:
        yield Keyring(gpg)


def verdict(case: Case, *, now: float | None = None) -> str:
    """``accept``, or why not."""
    try:
        signature = DetachedSignature(case.signature)
        signature.update(case.data)
        signature.verify(parse_certificates(case.keys), now=now)
    except SignatureError as error:
        return error.message
    return "accept"


def sequoia_accepts(case: Case) -> bool:
    """The verdict of a second, independent implementation."""
    certificates = pysequoia.Cert.split_bytes(case.keys)
    try:
        signature = pysequoia.Sig.from_bytes(case.signature)
        pysequoia.verify(bytes=case.data, store=lambda _: certificates, signature=signature)
    except Exception:
        return False
    return True


# --- good ---


def _primary(algorithm: str, *, armor: bool) -> Callable[[Keyring], Case]:
    def make(ring: Keyring) -> Case:
        key = ring.primary(algorithm)
        return Case(ring.gpg.sign(DATA, key=key, armor=armor), ring.gpg.export(key))

    return make


def _subkey(algorithm: str) -> Callable[[Keyring], Case]:
    def make(ring: Keyring) -> Case:
        primary = ring.primary("ed25519", "cert")
        subkey = ring.subkey(algorithm, primary)
        return Case(ring.gpg.sign(DATA, key=subkey), ring.gpg.export(primary))

    return make


GOOD: dict[str, Callable[[Keyring], Case]] = {
    "rsa, armored": _primary("rsa2048", armor=True),
    "rsa, binary": _primary("rsa2048", armor=False),
    "ed25519, armored": _primary("ed25519", armor=True),
    "ed25519, binary": _primary("ed25519", armor=False),
    "dsa": _primary("dsa2048", armor=True),
    "ecdsa p256": _primary("nistp256", armor=True),
    "ed25519 subkey": _subkey("ed25519"),
    "rsa subkey": _subkey("rsa2048"),
    "forged key, everything in order": lambda _: forged_case(),
    "forged subkey, everything in order": lambda _: forged_subkey_case(),
    "sha224": lambda _: forged_case(hash_number=11),
    "sha256": lambda _: forged_case(hash_number=8),
    "signature that expires tomorrow": lambda _: forged_case(extra=expires(NOW - LONG_AGO + 86400)),
    "unhashed issuer": lambda _: forged_unhashed_issuer(),
    "key with a direct self-signature only": lambda _: direct_key_case(),
    "key with a newer self-signature that prolongs it": lambda _: prolonged_key_case(),
    "key signed by others too": lambda _: certified_by_others_case(),
}


@pytest.mark.spec("ACI-026", "ACI-028")
@pytest.mark.parametrize("name", GOOD)
def test_a_good_signature_is_accepted(name: str, ring: Keyring) -> None:
    case = ring.case(name, GOOD[name])
    assert verdict(case) == "accept"
    assert sequoia_accepts(case)


# --- forged cases that differ from a good one in one point ---


def forged_case(
    *,
    extra: bytes = b"",
    kind: int = 0x00,
    hash_number: int = 10,
    made: int = LONG_AGO + 2,
    signer: ForgedKey | None = None,
) -> Case:
    key = signer or ForgedKey(at=LONG_AGO)
    body = key.sign(kind, DATA, hashed=created(made) + key.issuer + extra, hash_number=hash_number)
    return Case(packet(2, body), key.certificate())


def forged_unhashed_issuer() -> Case:
    key = ForgedKey(at=LONG_AGO)
    body = key.sign(0x00, DATA, hashed=created(LONG_AGO + 2), unhashed=key.issuer)
    return Case(packet(2, body), key.certificate())


def forged_subkey_case(*, bound: Callable[[ForgedKey, ForgedKey], bytes] | None = None) -> Case:
    """A signature by a subkey; ``bound(primary, subkey)`` are the packets that tie them together."""
    primary, subkey = ForgedKey(at=LONG_AGO), ForgedKey(at=LONG_AGO + 10)
    body = subkey.sign(0x00, DATA, hashed=created(LONG_AGO + 20) + subkey.issuer)
    tie = bound(primary, subkey) if bound else primary.bind(subkey)
    return Case(packet(2, body), primary.certificate() + tie)


def forged_certificate_case(make: Callable[[ForgedKey], bytes], *, rsa_bits: int | None = None) -> Case:
    """A perfect signature by a key about which ``make`` says something odd."""
    key = ForgedKey(at=LONG_AGO, rsa_bits=rsa_bits)
    body = key.sign(0x00, DATA, hashed=created(LONG_AGO + 20) + key.issuer)
    return Case(packet(2, body), make(key))


def direct_key_case() -> Case:
    def make(key: ForgedKey) -> bytes:
        area = created(LONG_AGO + 1) + key.issuer + flags(SIGN)
        return key.packet() + packet(2, key.sign(0x1F, key.signed_form, hashed=area))

    return forged_certificate_case(make)


def prolonged_key_case() -> Case:
    def make(key: ForgedKey) -> bytes:
        identity = b"One <one@example.com>"
        form = b"\xb4" + len(identity).to_bytes(4, "big") + identity
        newer = key.sign(0x13, key.signed_form, form, hashed=created(NOW - 10) + key.issuer + flags(SIGN))
        return key.packet() + key.certify(identity, hashed=key_expires(3600)) + packet(2, newer)

    return forged_certificate_case(make)


def certified_by_others_case() -> Case:
    def make(key: ForgedKey) -> bytes:
        identity = b"One <one@example.com>"
        form = b"\xb4" + len(identity).to_bytes(4, "big") + identity
        other = ForgedKey(at=LONG_AGO)
        foreign = packet(2, other.sign(0x10, key.signed_form, form))
        revocation = packet(2, other.sign(0x20, key.signed_form))
        return key.packet() + revocation + key.certify(identity) + foreign

    return forged_certificate_case(make)


def self_signature(key: ForgedKey, kind: int, *, extra: bytes = b"", made: int = LONG_AGO + 1) -> bytes:
    return packet(2, key.sign(kind, key.signed_form, hashed=created(made) + key.issuer + extra))


def two_signatures(*, good_first: bool) -> Case:
    key, other = ForgedKey(at=LONG_AGO), ForgedKey(at=LONG_AGO)
    good = packet(2, key.sign(0x00, DATA, hashed=created(LONG_AGO + 2) + key.issuer))
    evil = packet(2, other.sign(0x00, DATA, hashed=created(LONG_AGO + 2) + other.issuer))
    return Case(good + evil if good_first else evil + good, key.certificate())


def with_signature(change: Callable[[bytes], bytes]) -> Case:
    case = forged_case()
    return Case(change(case.signature), case.keys)


def armored(case: Case, template: str) -> Case:
    body = base64.b64encode(case.signature).decode()
    return Case(template.format(body=body).encode(), case.keys)


def expired_key(ring: Keyring) -> Case:
    key = ring.gpg.generate("Expired <x@example.com>", algorithm="ed25519", expire="1d", at="20200101T000000")
    return Case(ring.gpg.sign(DATA, key=key, at="20200101T010000"), ring.gpg.export(key))


def revoked_key(ring: Keyring) -> Case:
    key = ring.gpg.generate("Revoked <r@example.com>", algorithm="ed25519")
    signature = ring.gpg.sign(DATA, key=key)
    ring.gpg.revoke(key)
    return Case(signature, ring.gpg.export(key))


def revoked_subkey(ring: Keyring) -> Case:
    key = ring.gpg.generate("Subrevoked <s@example.com>", algorithm="ed25519", usage="cert")
    signature = ring.gpg.sign(DATA, key=ring.gpg.add_subkey(key, algorithm="ed25519"))
    ring.gpg.revoke_subkey(key)
    return Case(signature, ring.gpg.export(key))


def expired_subkey(ring: Keyring) -> Case:
    key = ring.gpg.generate("Subexpired <e@example.com>", algorithm="ed25519", usage="cert", at="20200101T000000")
    subkey = ring.gpg.add_subkey(key, algorithm="ed25519", expire="1d", at="20200101T000010")
    return Case(ring.gpg.sign(DATA, key=subkey, at="20200101T010000"), ring.gpg.export(key))


def expired_signature(ring: Keyring) -> Case:
    key = ring.gpg.generate("Old <o@example.com>", algorithm="ed25519", at="20200101T000000")
    signature = ring.gpg.sign(DATA, "--default-sig-expire", "1d", key=key, at="20200101T010000")
    return Case(signature, ring.gpg.export(key))


def gpg_digest(name: str) -> Callable[[Keyring], Case]:
    def make(ring: Keyring) -> Case:
        key = ring.primary("rsa2048")
        return Case(ring.gpg.sign(DATA, "--digest-algo", name, key=key), ring.gpg.export(key))

    return make


def grafted(ring: Keyring, *, tie: Callable[[Keyring, str, str], bytes]) -> Case:
    """The trusted key with somebody else's subkey in it, by which the image is signed."""
    trusted, thief = ring.primary("ed25519"), ring.primary("ed25519", "cert")
    subkey = ring.subkey("ed25519", thief)
    stolen = next(p for p in read_packets(ring.gpg.export(thief, armor=False)) if p.tag == 14)
    keys = ring.gpg.export(trusted, armor=False) + packet(14, stolen.body) + tie(ring, trusted, thief)
    return Case(ring.gpg.sign(DATA, key=subkey), keys)


def binding_of_thief(ring: Keyring, trusted: str, thief: str) -> bytes:
    packets = list(read_packets(ring.gpg.export(thief, armor=False)))
    where = next(i for i, p in enumerate(packets) if p.tag == 14)
    return packet(2, packets[where + 1].body)


def certification_of_trusted(ring: Keyring, trusted: str, thief: str) -> bytes:
    packets = list(read_packets(ring.gpg.export(trusted, armor=False)))
    return packet(2, next(p.body for p in packets if p.tag == 2))


def corrupt_self_signature(key: ForgedKey) -> bytes:
    content = bytearray(key.certificate())
    content[-1] ^= 1
    return bytes(content)


def inline_message(ring: Keyring) -> Case:
    key = ring.primary("ed25519")
    message = ring.gpg.run("--local-user", key, "--compress-level", "0", "--sign", stdin=DATA)
    return Case(message, ring.gpg.export(key))


def cleartext_message(ring: Keyring) -> Case:
    key = ring.primary("ed25519")
    return Case(ring.gpg.run("--local-user", key, "--clearsign", stdin=DATA), ring.gpg.export(key))


def text_signature(ring: Keyring) -> Case:
    key = ring.primary("ed25519")
    return Case(ring.gpg.sign(DATA, "--textmode", key=key), ring.gpg.export(key))


def wrong_key(ring: Keyring) -> Case:
    return Case(ring.gpg.sign(DATA, key=ring.primary("ed25519")), ring.gpg.export(ring.primary("rsa2048")))


def wrong_data(ring: Keyring) -> Case:
    key = ring.primary("rsa2048")
    return Case(ring.gpg.sign(DATA, key=key), ring.gpg.export(key), DATA + b"x")


def key_id_collision() -> Case:
    """A signature that names the trusted key by its 64-bit ID, made by another key."""
    trusted, other = ForgedKey(at=LONG_AGO), ForgedKey(at=LONG_AGO)
    issuer = subpacket(16, bytes.fromhex(trusted.fingerprint[-16:]))
    return Case(packet(2, other.sign(0x00, DATA, hashed=created(LONG_AGO + 2) + issuer)), trusted.certificate())


def contradictory_issuer() -> Case:
    """The ID is the trusted key's, the fingerprint another's."""
    trusted, other = ForgedKey(at=LONG_AGO), ForgedKey(at=LONG_AGO)
    issuer = subpacket(16, bytes.fromhex(trusted.fingerprint[-16:])) + other.issuer
    return Case(packet(2, trusted.sign(0x00, DATA, hashed=created(LONG_AGO + 2) + issuer)), trusted.certificate())


def withdrawn_identity(key: ForgedKey) -> bytes:
    identity = b"One <one@example.com>"
    form = b"\xb4" + len(identity).to_bytes(4, "big") + identity
    withdrawal = key.sign(0x30, key.signed_form, form, hashed=created(LONG_AGO + 50) + key.issuer)
    return key.packet() + key.certify(identity) + packet(2, withdrawal)


def revoked_by_designated(key: ForgedKey) -> bytes:
    revoker = ForgedKey(at=LONG_AGO)
    appoints = subpacket(12, b"\x80\x16" + bytes.fromhex(revoker.fingerprint))
    revocation = packet(2, revoker.sign(0x20, key.signed_form))
    return key.packet() + revocation + self_signature(key, 0x1F, extra=appoints) + key.certify(b"One <1@example.com>")


def revoked_with_weak_hash(key: ForgedKey) -> bytes:
    return (
        key.packet() + packet(2, key.sign(0x20, key.signed_form, hash_number=2)) + key.certify(b"One <1@example.com>")
    )


def bound_and_revoked(primary: ForgedKey, subkey: ForgedKey) -> bytes:
    revocation = primary.sign(0x28, primary.signed_form, subkey.signed_form)
    return primary.bind(subkey) + packet(2, revocation)


def back_signed_by_another(primary: ForgedKey, subkey: ForgedKey) -> bytes:
    """The confirmation in the binding is made by the primary key instead of the subkey."""
    area = created(subkey.at + 1) + primary.issuer + flags(SIGN)
    area += subpacket(32, primary.sign(0x19, primary.signed_form, subkey.signed_form))
    return subkey.subkey_packet() + packet(2, primary.sign(0x18, primary.signed_form, subkey.signed_form, hashed=area))


def flags_outside_the_signed_area(primary: ForgedKey, subkey: ForgedKey) -> bytes:
    area = created(subkey.at + 1) + primary.issuer + flags(b"\x0c")
    loose = flags(SIGN) + subpacket(32, subkey.sign(0x19, primary.signed_form, subkey.signed_form))
    body = primary.sign(0x18, primary.signed_form, subkey.signed_form, hashed=area, unhashed=loose)
    return subkey.subkey_packet() + packet(2, body)


def expiry_outside_the_signed_area() -> Case:
    """A signature that expired; what is not signed says that it never does."""
    key = ForgedKey(at=LONG_AGO)
    area = created(LONG_AGO + 2) + key.issuer + expires(60)
    return Case(packet(2, key.sign(0x00, DATA, hashed=area, unhashed=expires(0))), key.certificate())


BEGIN, END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"

#: name: (case, a word of the reason)
BAD: dict[str, tuple[Callable[[Keyring], Case], str]] = {
    "tampered data": (wrong_data, "not one over these bytes"),
    "wrong key": (wrong_key, "unknown key"),
    "truncated signature": (lambda _: with_signature(lambda s: s[:-20]), "truncated"),
    "truncated body, header repaired": (
        lambda _: with_signature(lambda s: packet(2, s[6:-20])),
        "not one over these bytes",
    ),
    "garbage signature": (lambda _: with_signature(lambda s: b"garbage" * 100), "bad signature file"),
    "empty signature": (lambda _: with_signature(lambda s: b""), "exactly one signature"),
    "huge signature": (lambda _: with_signature(lambda s: packet(2, s[6:] + bytes(70_000))), "more than"),
    "bytes after the numbers": (lambda _: with_signature(lambda s: packet(2, s[6:] + b"x")), "do not belong"),
    "expired key, signed while it was valid": (expired_key, "expired"),
    "revoked key": (revoked_key, "revoked"),
    "revoked key, with SHA-1": (lambda _: forged_certificate_case(revoked_with_weak_hash), "revoked"),
    "revoked by a designated revoker": (lambda _: forged_certificate_case(revoked_by_designated), "revoked"),
    "expired subkey": (expired_subkey, "expired"),
    "revoked subkey": (revoked_subkey, "revoked"),
    "revoked subkey, forged": (lambda _: forged_subkey_case(bound=bound_and_revoked), "revoked"),
    "expired signature": (expired_signature, "the signature expired"),
    "expired signature, unsigned expiry": (lambda _: expiry_outside_the_signed_area(), "the signature expired"),
    "signature from the future": (lambda _: forged_case(made=NOW + 86400 * 1000), "future"),
    "signature without a date": (
        lambda _: undated(),
        "does not say when",
    ),
    "signature older than its key": (lambda _: forged_case(made=LONG_AGO - 10), "older than the key"),
    "SHA-1": (gpg_digest("SHA1"), "sha1"),
    "RIPEMD-160": (gpg_digest("RIPEMD160"), "ripemd160"),
    "MD5": (lambda _: forged_case(hash_number=1, signer=ForgedKey(at=LONG_AGO, rsa_bits=2048)), "md5"),
    "unknown hash": (lambda _: with_signature(lambda s: s[:9] + b"\x63" + s[10:]), "hash function"),
    "primary key that may only certify": (
        lambda _: forged_certificate_case(lambda k: k.packet() + k.certify(b"One <1@example.com>", usage=CERTIFY)),
        "does not let it sign",
    ),
    "primary key without flags": (
        lambda _: forged_certificate_case(lambda k: k.packet() + self_signature(k, 0x1F)),
        "does not let it sign",
    ),
    "grafted subkey, no binding": (lambda r: grafted(r, tie=lambda *_: b""), "not bound"),
    "grafted subkey, binding of its owner": (lambda r: grafted(r, tie=binding_of_thief), "not bound"),
    "grafted subkey, certification as binding": (lambda r: grafted(r, tie=certification_of_trusted), "not bound"),
    "subkey that did not confirm": (
        lambda _: forged_subkey_case(bound=lambda p, s: p.bind(s, back=False)),
        "not confirmed",
    ),
    "subkey confirmed by another key": (lambda _: forged_subkey_case(bound=back_signed_by_another), "not confirmed"),
    "subkey without sign flag": (
        lambda _: forged_subkey_case(bound=lambda p, s: p.bind(s, usage=b"\x0c")),
        "does not let it sign",
    ),
    "sign flag that nobody signed": (
        lambda _: forged_subkey_case(bound=flags_outside_the_signed_area),
        "does not let it sign",
    ),
    "bare key": (lambda _: forged_certificate_case(lambda k: k.packet()), "no valid signature of its own"),
    "user ID without self-signature": (
        lambda _: forged_certificate_case(lambda k: k.packet() + packet(13, b"One <1@example.com>")),
        "no valid signature of its own",
    ),
    "corrupt self-signature": (
        lambda _: forged_certificate_case(corrupt_self_signature),
        "no valid signature of its own",
    ),
    "self-signature with SHA-1": (
        lambda _: forged_certificate_case(lambda k: k.packet() + k.certify(b"One <1@example.com>", hash_number=2)),
        "SHA-1",
    ),
    "only identity withdrawn": (
        lambda _: forged_certificate_case(withdrawn_identity),
        "no valid signature of its own",
    ),
    "RSA of 1024 bits": (lambda _: forged_certificate_case(ForgedKey.certificate, rsa_bits=1024), "too weak"),
    "key from the future": (lambda _: forged_case(signer=ForgedKey(at=NOW + 86400), made=NOW), "future"),
    "evil signature, then a good one": (lambda _: two_signatures(good_first=False), "exactly one signature"),
    "good signature, then an evil one": (lambda _: two_signatures(good_first=True), "exactly one signature"),
    "the same signature twice": (lambda _: with_signature(lambda s: s + s), "exactly one signature"),
    "a literal packet after it": (
        lambda _: with_signature(lambda s: s + packet(11, b"b\0\0\0\0\0evil")),
        "signed message",
    ),
    "a padding packet after it": (lambda _: with_signature(lambda s: s + packet(21, b"\0" * 9)), "exactly one"),
    "inline message": (inline_message, "signed message"),
    "cleartext message": (cleartext_message, "cleartext"),
    "text signature": (text_signature, "type 0x01"),
    "certification used as signature": (lambda _: forged_case(kind=0x10), "type 0x10"),
    "version 3": (lambda _: with_signature(lambda s: s[:6] + b"\x03" + s[7:]), "version 3"),
    "version 6": (lambda _: with_signature(lambda s: s[:6] + b"\x06" + s[7:]), "version 6"),
    "critical notation": (
        lambda _: forged_case(extra=subpacket(20, bytes(8), critical=True)),
        "subpacket 20",
    ),
    "unknown critical subpacket": (
        lambda _: forged_case(extra=subpacket(101, b"x", critical=True)),
        "subpacket 101",
    ),
    "no issuer": (lambda _: without_issuer(), "which key made it"),
    "key ID of the trusted key, other key": (lambda _: key_id_collision(), "not one over these bytes"),
    "issuers that contradict each other": (lambda _: contradictory_issuer(), "unknown key"),
    "partial lengths": (lambda _: with_signature(lambda s: b"\xc2\xe0" + s[6:]), "undetermined length"),
    "no length": (lambda _: with_signature(lambda s: b"\x8b" + s[6:]), "undetermined length"),
    "text before the armor": (
        lambda _: armored(forged_case(), f"hello\n{BEGIN}\n\n{{body}}\n{END}\n"),
        "bad signature file",
    ),
    "text after the armor": (lambda _: armored(forged_case(), f"{BEGIN}\n\n{{body}}\n{END}\nhello\n"), "does not end"),
    "armor without an empty line": (lambda _: armored(forged_case(), f"{BEGIN}\n{{body}}\n{END}\n"), "empty line"),
    "wrong checksum": (lambda _: armored(forged_case(), f"{BEGIN}\n\n{{body}}\n=AAAA\n{END}\n"), "checksum"),
    "two armored blocks": (
        lambda _: armored(forged_case(), f"{BEGIN}\n\n{{body}}\n{END}\n{BEGIN}\n\n{{body}}\n{END}\n"),
        "base64",
    ),
    "armor of another kind": (
        lambda _: armored(forged_case(), "-----BEGIN PGP MESSAGE-----\n\n{body}\n-----END PGP MESSAGE-----\n"),
        "does not begin",
    ),
    "form feed in the armor": (
        lambda _: armored(forged_case(), f"{BEGIN}\n\n\f{{body}}\n{END}\n"),
        "base64",
    ),
}


def without_issuer() -> Case:
    key = ForgedKey(at=LONG_AGO)
    return Case(packet(2, key.sign(0x00, DATA, hashed=created(LONG_AGO + 2))), key.certificate())


def undated() -> Case:
    key = ForgedKey(at=LONG_AGO)
    return Case(packet(2, key.sign(0x00, DATA, hashed=key.issuer)), key.certificate())


@pytest.mark.parametrize("name", BAD)
def test_a_bad_signature_is_refused_for_its_own_reason(name: str, ring: Keyring) -> None:
    make, reason = BAD[name]
    assert reason in verdict(ring.case(name, make))


#: where we are stricter than pysequoia: times of keys count now and not when the signature was made, the file is one
#: signature and nothing else, the armor is one block and nothing else
STRICTER = {
    "huge signature",
    "bytes after the numbers",
    "expired key, signed while it was valid",
    "revoked by a designated revoker",
    "expired subkey",
    "only identity withdrawn",
    "good signature, then an evil one",
    "the same signature twice",
    "a literal packet after it",
    "a padding packet after it",
    "text signature",
    "issuers that contradict each other",
    "text before the armor",
    "text after the armor",
    "armor without an empty line",
    "wrong checksum",
    "two armored blocks",
    "armor of another kind",
    "form feed in the armor",
}


@pytest.mark.parametrize("name", BAD)
def test_a_second_implementation_refuses_it_too_unless_we_mean_to_be_stricter(name: str, ring: Keyring) -> None:
    assert sequoia_accepts(ring.case(name, BAD[name][0])) == (name in STRICTER)


def test_the_verdict_is_for_a_moment(ring: Keyring) -> None:
    case = expired_key(ring)
    assert verdict(case, now=time.mktime((2020, 1, 1, 12, 0, 0, 0, 0, 0))) == "accept"
    assert "expired" in verdict(case)


def test_pgpys_own_verdict_is_never_asked(monkeypatch: pytest.MonkeyPatch, ring: Keyring) -> None:
    import pgpy

    def refuse(*_: object) -> None:
        raise AssertionError("pgpy.PGPKey.verify was called")

    monkeypatch.setattr(pgpy.PGPKey, "verify", refuse)
    assert verdict(GOOD["rsa, armored"](ring)) == "accept"
