"""A detached OpenPGP signature over an image, checked while the image streams by.

The signature is parsed before the first byte of the image is asked for, the digest grows with each chunk, and the
verdict comes last: nothing is read twice and nothing is held in memory. What counts as good is stricter than OpenPGP
(``docs/security.md``): one signature packet of version 4 and type binary, SHA-2, made at a time that is past and not
expired, by a key that :mod:`rkt.keys.certificate` lets sign. PGPy's own verdict is never asked: it accepts keys that
nobody bound, revoked keys and MD5 (measured). Every doubt is a refusal.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rkt.keys.arithmetic import is_signed
from rkt.keys.armor import SIGNATURE, ArmorError, is_armored, parse_armor
from rkt.keys.certificate import CLOCK_SKEW_SECONDS, STRONG_HASHES
from rkt.keys.errors import SignatureError, UnknownSignerError
from rkt.keys.packets import HASH_NAMES, SIGNATURE_TAG, PacketError, SignaturePacket, new_hash, read_packets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.keys.certificate import Certificate

#: a signature of RSA 4096 is under 1 KB of text
LARGEST_SIGNATURE_BYTES = 64 << 10

_BINARY_DOCUMENT = 0x00
_INLINE_TAGS = frozenset({4, 8, 11})


class Verified:
    """The verdict *good*: the fingerprint of the certificate that signed (40 hex digits), and whom it names."""

    __slots__ = ("fingerprint", "identities")

    def __init__(self, fingerprint: str, identities: tuple[str, ...]) -> None:
        self.fingerprint = fingerprint
        self.identities = identities

    def __repr__(self) -> str:
        return f"Verified({self.fingerprint!r}, {self.identities!r})"


class DetachedSignature:
    """One signature file, and the digest of the bytes that it is about.

    ``DetachedSignature(file_bytes)`` parses (armor first, then binary) and applies what can be decided without a key;
    then :meth:`update` with the exact bytes of the ``.aci`` in order; then :meth:`verify`, once. Each of them raises
    SignatureError.
    """

    __slots__ = ("_digest", "_packet")

    def __init__(self, data: bytes) -> None:
        try:
            self._packet = _parse_signature(data)
            self._digest = new_hash(self._packet.hash_number)
        except (ArmorError, PacketError) as error:
            raise SignatureError(f"bad signature file: {error}") from None

    @property
    def issuer(self) -> str:
        """Who signed, by their own account: a fingerprint, or a key ID of 16 hex digits."""
        return max(self._packet.issuers, key=len)

    def update(self, chunk: bytes | memoryview) -> None:
        """The next bytes of the image archive, as they came over the wire or from the file."""
        self._digest.update(chunk)

    def find_signer(self, certificates: Sequence[Certificate]) -> Certificate | None:
        """The certificate that holds the key which the signature names. No verdict: the key may not be fit to sign."""
        return next((one for one in certificates if one.find_key(self._packet.issuers)), None)

    def verify(self, certificates: Sequence[Certificate], *, now: float | None = None) -> Verified:
        """The verdict over all bytes given to :meth:`update`; ``now`` in seconds since 1970, by default the clock.

        Raises UnknownSignerError if no certificate holds the signing key, SignatureError for every other doubt.
        """
        instant = time.time() if now is None else now
        certificate = self.find_signer(certificates)
        key = certificate.find_key(self._packet.issuers) if certificate else None
        if certificate is None or key is None:
            raise UnknownSignerError(f'signature made by unknown key "{self.issuer}"')
        certificate.check_may_sign(key, now=instant)
        _check_times(self._packet, made_by=key.created, now=instant)
        self._digest.update(self._packet.trailer())
        try:
            good = is_signed(key, self._packet, self._digest.digest())
        except PacketError as error:
            raise SignatureError(f'key "{key.fingerprint}" cannot sign images: {error}') from None
        if not good:
            raise SignatureError(
                f'the signature of key "{key.fingerprint}" is not one over these bytes',
                "the image or its signature was altered or is incomplete: get both again from their publisher",
            )
        return Verified(certificate.fingerprint, certificate.identities(now=instant))


def _parse_signature(data: bytes) -> SignaturePacket:
    """The one signature packet of a file. Raises ArmorError and PacketError."""
    if len(data) > LARGEST_SIGNATURE_BYTES:
        raise PacketError(f"more than {LARGEST_SIGNATURE_BYTES} bytes")
    content = parse_armor(data, kind=SIGNATURE) if is_armored(data) else data
    packets = []
    for packet in read_packets(content):
        if packet.tag in _INLINE_TAGS:
            raise PacketError("it is a signed message, not a detached signature")
        packets.append(packet)
    if len(packets) != 1 or packets[0].tag != SIGNATURE_TAG:
        raise PacketError("it must hold exactly one signature and nothing else")
    signature = SignaturePacket(packets[0].body)
    if signature.kind != _BINARY_DOCUMENT:
        raise PacketError(f"it is a signature of type 0x{signature.kind:02x}, not one over a file")
    if signature.hash_number not in STRONG_HASHES:
        name = HASH_NAMES.get(signature.hash_number, str(signature.hash_number))
        raise PacketError(f"it uses the hash function {name}, which is not accepted (SHA-2 is)")
    if signature.unknown_critical:
        raise PacketError(f"it depends on subpacket {signature.unknown_critical[0]}, which is not understood here")
    if not signature.issuers:
        raise PacketError("it does not say which key made it")
    return signature


def _check_times(signature: SignaturePacket, *, made_by: int, now: float) -> None:
    """Raises SignatureError for a signature of no date, of the future, older than its key, or expired."""
    created, lifetime = signature.created, signature.expires_after
    if created is None:
        raise SignatureError("the signature does not say when it was made")
    if created > now + CLOCK_SKEW_SECONDS:
        raise SignatureError("the signature was made in the future", "check this machine's clock: date")
    if created < made_by:
        raise SignatureError("the signature is older than the key that made it")
    if lifetime is not None and created + lifetime <= now:
        day = time.strftime("%Y-%m-%d", time.gmtime(created + lifetime))
        raise SignatureError(f"the signature expired on {day}", "ask the image's publisher for a new signature")
