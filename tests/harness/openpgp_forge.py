"""OpenPGP packets made by hand, for certificates and signatures that no honest program makes (RFC 4880)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

SIGN = b"\x02"
CERTIFY = b"\x01"
SHA512 = 10

_HASHES: dict[int, Callable[[], hashes.HashAlgorithm]] = {
    1: hashes.MD5,
    2: hashes.SHA1,
    8: hashes.SHA256,
    9: hashes.SHA384,
    10: hashes.SHA512,
    11: hashes.SHA224,
}
_ED25519_OID = bytes.fromhex("2b06010401da470f01")


def packet(tag: int, body: bytes) -> bytes:
    """A packet with a length of five bytes."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def subpacket(kind: int, content: bytes, *, critical: bool = False) -> bytes:
    """A subpacket with a length of five bytes."""
    return b"\xff" + (len(content) + 1).to_bytes(4, "big") + bytes([kind | (0x80 if critical else 0)]) + content


def created(seconds: int) -> bytes:
    return subpacket(2, seconds.to_bytes(4, "big"))


def expires(seconds: int) -> bytes:
    return subpacket(3, seconds.to_bytes(4, "big"))


def key_expires(seconds: int) -> bytes:
    return subpacket(9, seconds.to_bytes(4, "big"))


def flags(value: bytes) -> bytes:
    return subpacket(27, value)


def number(value: int) -> bytes:
    return value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8, "big")


class ForgedKey:
    """A key pair whose owner signs whatever he is asked to. ``at`` is when it was made (Unix time)."""

    def __init__(self, *, at: int, rsa_bits: int | None = None) -> None:
        self.at = at
        self._rsa = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else None
        self._ed25519 = ed25519.Ed25519PrivateKey.generate()
        if self._rsa:
            public = self._rsa.public_key().public_numbers()
            material, self.algorithm = number(public.n) + number(public.e), 1
        else:
            raw = self._ed25519.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            point = number(int.from_bytes(b"\x40" + raw, "big"))
            material, self.algorithm = bytes([len(_ED25519_OID)]) + _ED25519_OID + point, 22
        self.body = b"\x04" + at.to_bytes(4, "big") + bytes([self.algorithm]) + material

    @property
    def signed_form(self) -> bytes:
        return b"\x99" + len(self.body).to_bytes(2, "big") + self.body

    @property
    def fingerprint(self) -> str:
        return hashlib.sha1(self.signed_form, usedforsecurity=False).hexdigest()

    @property
    def issuer(self) -> bytes:
        """The subpacket that names this key."""
        return subpacket(33, b"\x04" + bytes.fromhex(self.fingerprint))

    def packet(self) -> bytes:
        return packet(6, self.body)

    def subkey_packet(self) -> bytes:
        return packet(14, self.body)

    def sign(
        self,
        kind: int,
        *parts: bytes,
        hashed: bytes | None = None,
        unhashed: bytes = b"",
        hash_number: int = SHA512,
        version: int = 4,
    ) -> bytes:
        """The body of a signature over ``parts``; by default made one second after the key, and naming it."""
        area = created(self.at + 1) + self.issuer if hashed is None else hashed
        head = bytes([version, kind, self.algorithm, hash_number]) + len(area).to_bytes(2, "big") + area
        function = hashes.Hash(_HASHES[hash_number]())
        for part in (*parts, head, bytes([version, 0xFF]), len(head).to_bytes(4, "big")):
            function.update(part)
        digest = function.finalize()
        return head + len(unhashed).to_bytes(2, "big") + unhashed + digest[:2] + self._numbers(digest, hash_number)

    def certify(self, identity: bytes, *, hashed: bytes = b"", hash_number: int = SHA512, usage: bytes = SIGN) -> bytes:
        """A user ID and the self-signature that makes it one, as packets."""
        area = created(self.at + 1) + self.issuer + flags(usage) + hashed
        form = b"\xb4" + len(identity).to_bytes(4, "big") + identity
        return packet(13, identity) + packet(
            2, self.sign(0x13, self.signed_form, form, hashed=area, hash_number=hash_number)
        )

    def bind(self, subkey: ForgedKey, *, back: bool = True, usage: bytes = SIGN, hashed: bytes = b"") -> bytes:
        """``subkey`` and its binding to this key, as packets; with ``back`` the subkey confirms it."""
        area = created(subkey.at + 1) + self.issuer + flags(usage) + hashed
        if back:
            area += subpacket(32, subkey.sign(0x19, self.signed_form, subkey.signed_form))
        return subkey.subkey_packet() + packet(2, self.sign(0x18, self.signed_form, subkey.signed_form, hashed=area))

    def certificate(self, identity: bytes = b"Forged <forged@example.com>") -> bytes:
        return self.packet() + self.certify(identity)

    def _numbers(self, digest: bytes, hash_number: int) -> bytes:
        if self._rsa:
            prehashed = utils.Prehashed(_HASHES[hash_number]())
            return number(int.from_bytes(self._rsa.sign(digest, padding.PKCS1v15(), prehashed), "big"))
        raw = self._ed25519.sign(digest)
        return number(int.from_bytes(raw[:32], "big")) + number(int.from_bytes(raw[32:], "big"))
