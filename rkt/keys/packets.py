"""OpenPGP packets of version 4 as checked values: the bytes that were signed, and what the policy asks about.

PGPy reads packet headers, key material and the integers of a signature. What a verdict hangs on is cut out of the
received bytes here rather than taken from PGPy's objects, because PGPy writes hashed subpackets anew instead of keeping
what came, ignores their lengths, and mixes what the signature protects with what it does not (measured). Nothing here
decides whether a signature is good: see :mod:`rkt.keys.certificate` and :mod:`rkt.keys.signature`.

Numbers are those of RFC 4880: packet tags in section 4.3, signature types in 5.2.1, subpackets in 5.2.3.1.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SIGNATURE_TAG = 2
SECRET_KEY_TAG = 5
PUBLIC_KEY_TAG = 6
USER_ID_TAG = 13
SUBKEY_TAG = 14
USER_ATTRIBUTE_TAG = 17

#: hash functions by OpenPGP number; which of them are good enough is the policy's matter
HASH_NAMES = {1: "md5", 2: "sha1", 3: "ripemd160", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}

RSA, RSA_SIGN, DSA, ECDSA, EDDSA = 1, 3, 17, 19, 22

_CREATED, _EXPIRES, _KEY_EXPIRES, _REVOCATION_KEY = 2, 3, 9, 12
_ISSUER, _KEY_FLAGS, _EMBEDDED, _ISSUER_FINGERPRINT = 16, 27, 32, 33
#: what a signature may mark as critical without being refused: we act on it, or it is advice that cannot widen trust.
#: A notation (20) is not among them: marked critical it means something to somebody else
_UNDERSTOOD = frozenset({2, 3, 4, 7, 9, 11, 12, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33})

_SIGN_FLAG = 0x02


class PacketError(ValueError):
    """Bytes are not well-formed OpenPGP packets of a version that we read."""


class Packet:
    """One packet: its tag and its body, byte for byte as received."""

    __slots__ = ("body", "tag")

    def __init__(self, tag: int, body: bytes) -> None:
        self.tag = tag
        self.body = body


def read_packets(data: bytes) -> Iterator[Packet]:
    """Cut ``data`` into packets. Raises PacketError for a truncated packet or a length that is not stated outright."""
    header_class = _pgpy_header()
    rest = bytearray(data)
    while rest:
        first, second = rest[0], rest[1] if len(rest) > 1 else 0
        if not first & 0x80:
            raise PacketError("not an OpenPGP packet")
        if (first & 0x40 and 224 <= second < 255) or (not first & 0x40 and first & 0x03 == 3):
            raise PacketError("a packet of undetermined length")
        if len(rest) < _header_size(first, second):
            raise PacketError("a truncated packet")
        header = header_class()
        try:
            header.parse(rest)
        except Exception:
            raise PacketError("a packet header that makes no sense") from None
        if header.length > len(rest):
            raise PacketError("a truncated packet")
        yield Packet(int(header.tag), bytes(rest[: header.length]))
        del rest[: header.length]


def _header_size(first: int, second: int) -> int:
    """Bytes of a packet header of stated length, from its first two bytes (RFC 4880, section 4.2)."""
    if first & 0x40:
        return 2 if second < 192 else 3 if second < 224 else 6
    return (2, 3, 5)[first & 0x03]


class KeyPacket:
    """A public key or subkey of version 4. ``fingerprint``: 40 lower-case hex digits; ``created``: Unix time."""

    __slots__ = ("_material", "algorithm", "body", "created", "fingerprint")

    def __init__(self, body: bytes) -> None:
        self._material: Any = None
        if len(body) < 6 or body[0] != 4:
            raise PacketError(f"a key of version {body[0] if body else '?'}, and only version 4 is read")
        if len(body) > 0xFFFF:
            raise PacketError("a key that is larger than OpenPGP allows")
        self.body = body
        self.created = int.from_bytes(body[1:5], "big")
        self.algorithm = body[5]
        self.fingerprint = hashlib.sha1(self.signed_form(), usedforsecurity=False).hexdigest()

    def signed_form(self) -> bytes:
        """The key as it enters the digest of a certification (RFC 4880, section 5.2.4)."""
        return b"\x99" + len(self.body).to_bytes(2, "big") + self.body

    def answers_to(self, issuer: str) -> bool:
        """Whether ``issuer``, a fingerprint or a 16 digit key ID in lower case, means this key."""
        return self.fingerprint == issuer or (len(issuer) == 16 and self.fingerprint.endswith(issuer))

    def load_material(self) -> Any:
        """The public key as an object of the ``cryptography`` package. Raises PacketError."""
        if self._material is not None:
            return self._material
        packet_class = _pgpy_packet()
        raw = bytearray(b"\xc6\xff" + len(self.body).to_bytes(4, "big") + self.body)
        try:
            packet = packet_class(raw)
            fingerprint = str(packet.fingerprint).replace(" ", "").lower()
            material = packet.keymaterial.__pubkey__()
        except Exception:
            raise PacketError("key material that cannot be read") from None
        # PGPy computes it from what it understood, we from what we received: bytes that it skipped show up here
        if fingerprint != self.fingerprint:
            raise PacketError("key material with bytes that do not belong to it")
        self._material = material
        return material


class SignaturePacket:
    """A signature of version 4; times are seconds since 1970 and durations seconds.

    Everything but ``embedded`` and the issuer is taken from the hashed area only. ``expires_after`` and
    ``key_expires_after`` are None when there is no limit, ``key_flags`` is None when none are stated.
    """

    __slots__ = (
        "algorithm", "created", "embedded", "expires_after", "hash_number", "hashed", "issuers", "key_expires_after",
        "key_flags", "kind", "left_bits", "numbers", "revokers", "unknown_critical",
    )  # fmt: skip

    def __init__(self, body: bytes) -> None:
        if not body or body[0] != 4:
            raise PacketError(f"a signature of version {body[0] if body else '?'}, and only version 4 is read")
        if len(body) < 6:
            raise PacketError("a truncated signature")
        self.kind, self.algorithm, self.hash_number = body[1], body[2], body[3]
        hashed, end = _sized_area(body, 4)
        self.hashed = body[:end]
        unhashed, end = _sized_area(body, end)
        self.left_bits = body[end : end + 2]
        self.numbers = _read_numbers(self.algorithm, body[end + 2 :])
        self._take_hashed(list(_read_subpackets(hashed)))
        self._take_unhashed(list(_read_subpackets(unhashed)))

    def _take_hashed(self, subpackets: list[tuple[int, bool, bytes]]) -> None:
        found = {kind: content for kind, _, content in subpackets}
        self.created = _optional_number(found.get(_CREATED))
        self.expires_after = _optional_number(found.get(_EXPIRES)) or None
        self.key_expires_after = _optional_number(found.get(_KEY_EXPIRES)) or None
        flags = found.get(_KEY_FLAGS)
        self.key_flags = None if flags is None else (flags[0] if flags else 0)
        self.revokers = tuple(c[2:22].hex() for kind, _, c in subpackets if kind == _REVOCATION_KEY)
        self.unknown_critical = tuple(kind for kind, critical, _ in subpackets if critical and kind not in _UNDERSTOOD)
        self.issuers = _issuers(subpackets)
        self.embedded = tuple(content for kind, _, content in subpackets if kind == _EMBEDDED)

    def _take_unhashed(self, subpackets: list[tuple[int, bool, bytes]]) -> None:
        # a hint about who signed and a signature that proves itself may stand where the signature does not protect them
        self.issuers |= _issuers(subpackets)
        self.embedded += tuple(content for kind, _, content in subpackets if kind == _EMBEDDED)

    @property
    def may_sign(self) -> bool:
        """Whether the key flags of this self-signature or binding allow signing data."""
        return bool((self.key_flags or 0) & _SIGN_FLAG)

    def trailer(self) -> bytes:
        """What ends the digest: the hashed part of this packet and its length (RFC 4880, section 5.2.4)."""
        return self.hashed + b"\x04\xff" + len(self.hashed).to_bytes(4, "big")

    def digest(self, *parts: bytes) -> bytes:
        """The digest of ``parts`` and this signature's trailer. Raises PacketError for an unknown hash function."""
        function = new_hash(self.hash_number)
        for part in parts:
            function.update(part)
        function.update(self.trailer())
        return function.digest()


def new_hash(number: int) -> hashlib._Hash:
    """A hash object by OpenPGP number. Raises PacketError when there is none."""
    try:
        return hashlib.new(HASH_NAMES[number], usedforsecurity=False)
    except (KeyError, ValueError):
        raise PacketError(f"hash function {number}, which is unknown here") from None


def _sized_area(body: bytes, start: int) -> tuple[bytes, int]:
    end = start + 2 + int.from_bytes(body[start : start + 2], "big")
    if len(body) < start + 2 or len(body) < end:
        raise PacketError("a truncated signature")
    return body[start + 2 : end], end


def _read_subpackets(area: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """(type, critical, content) of each subpacket (RFC 4880, section 5.2.3.1); lengths must fit exactly."""
    position = 0
    while position < len(area):
        first = area[position]
        if first < 192:
            length, size = first, 1
        elif first < 255:
            length, size = ((first - 192) << 8) + int.from_bytes(area[position + 1 : position + 2], "big") + 192, 2
        else:
            length, size = int.from_bytes(area[position + 1 : position + 5], "big"), 5
        start, end = position + size, position + size + length
        if length < 1 or end > len(area):
            raise PacketError("a subpacket that does not fit its signature")
        yield area[start] & 0x7F, bool(area[start] & 0x80), area[start + 1 : end]
        position = end


def _optional_number(content: bytes | None) -> int | None:
    if content is None:
        return None
    if len(content) != 4:
        raise PacketError("a time that is not four bytes long")
    return int.from_bytes(content, "big")


def _issuers(subpackets: list[tuple[int, bool, bytes]]) -> frozenset[str]:
    """Whom the signature names: fingerprints (40 digits) and key IDs (16 digits)."""
    named = {content.hex() for kind, _, content in subpackets if kind == _ISSUER}
    named |= {c[1:].hex() for kind, _, c in subpackets if kind == _ISSUER_FINGERPRINT and c[:1] == b"\x04"}
    return frozenset(named)


def _read_numbers(algorithm: int, content: bytes) -> tuple[int, ...]:
    """The integers of the signature proper; () for an algorithm that we cannot check."""
    names = {RSA: ("md_mod_n",), RSA_SIGN: ("md_mod_n",), DSA: ("r", "s"), ECDSA: ("r", "s"), EDDSA: ("r", "s")}
    if algorithm not in names:
        return ()
    fields = _pgpy_signature_fields(algorithm)
    rest = bytearray(content)
    try:
        fields.parse(rest)
    except Exception:
        raise PacketError("a truncated signature") from None
    if rest:
        raise PacketError("a signature with bytes that do not belong to it")
    return tuple(int(getattr(fields, name)) for name in names[algorithm])


def _pgpy_header() -> Any:
    return _pgpy().packet.types.Header


def _pgpy_packet() -> Any:
    return _pgpy().packet.Packet


def _pgpy_signature_fields(algorithm: int) -> Any:
    packet = _pgpy().packet.packets.SignatureV4()
    packet.pubalg = algorithm
    return packet.signature


def _pgpy() -> Any:
    """PGPy, imported when first needed (100 ms) and without the warnings that its import gives users to read."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgpy
        import pgpy.packet.packets
        import pgpy.packet.types
    return pgpy
