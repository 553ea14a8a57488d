"""An OpenPGP certificate (a public key with what it says about itself) and which of its keys may sign, now.

Everything it says counts only if the primary key signed it: user IDs, expiry, what the key may do, its subkeys. The
signatures of other people are not looked at. Whether anybody *trusts* the certificate is the trust store's matter.

The policy (RFC 4880, sections 5.2.3.3 and 11.1, made stricter; ``docs/security.md`` has it in words): self-signatures
with SHA-2 only, the newest decides; a revocation counts whenever and with whatever hash it was made; a key that has
expired may not sign, not even what it signed while it was valid; a signing subkey must be bound by the primary key and
must have signed back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rkt.keys.arithmetic import check_strength, is_signed
from rkt.keys.armor import PUBLIC_KEY, ArmorError, format_armor, is_armored, parse_armor
from rkt.keys.errors import KeyFileError, SignatureError
from rkt.keys.packets import (
    PUBLIC_KEY_TAG,
    SECRET_KEY_TAG,
    SIGNATURE_TAG,
    SUBKEY_TAG,
    USER_ATTRIBUTE_TAG,
    USER_ID_TAG,
    KeyPacket,
    Packet,
    PacketError,
    SignaturePacket,
    read_packets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: no honest key is larger; reading one of this size takes well under a second
LARGEST_KEY_FILE_BYTES = 2 << 20

#: how far a signature's time may lie in our future, because clocks differ
CLOCK_SKEW_SECONDS = 300

#: SHA-256, SHA-384, SHA-512, SHA-224
STRONG_HASHES = frozenset({8, 9, 10, 11})

_CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13})
_BINDING, _BACK_SIGNATURE, _DIRECT = 0x18, 0x19, 0x1F
_KEY_REVOCATION, _SUBKEY_REVOCATION, _CERTIFICATION_REVOCATION = 0x20, 0x28, 0x30


class _Component:
    """What stands under one packet of the certificate: a user ID or subkey, and the signatures that follow it."""

    __slots__ = ("key", "signatures", "tag", "text")

    def __init__(self, tag: int, *, key: KeyPacket | None, text: bytes) -> None:
        self.tag = tag
        self.key = key
        self.text = text
        self.signatures: list[SignaturePacket] = []

    def signed_form(self) -> bytes:
        """How the component enters the digest of a signature over it (RFC 4880, section 5.2.4)."""
        if self.key is not None:
            return self.key.signed_form()
        mark = b"\xb4" if self.tag == USER_ID_TAG else b"\xd1"
        return mark + len(self.text).to_bytes(4, "big") + self.text


class Certificate:
    """One certificate. ``content`` is its packets as received; ``fingerprint`` 40 lower-case hex digits.

    Made by :func:`parse_certificates`. Nothing is verified until asked, and every answer is for a given time.
    """

    __slots__ = ("_direct", "_subkeys", "_user_ids", "content", "primary")

    def __init__(self, packets: list[Packet]) -> None:
        self.content = b"".join(b"%c\xff%b%b" % (0xC0 | p.tag, len(p.body).to_bytes(4, "big"), p.body) for p in packets)
        self.primary = KeyPacket(packets[0].body)
        self._direct = _Component(PUBLIC_KEY_TAG, key=self.primary, text=b"")
        components = list(_gather(self._direct, packets[1:]))
        self._user_ids = [one for one in components if one.tag in (USER_ID_TAG, USER_ATTRIBUTE_TAG)]
        self._subkeys = [one for one in components if one.key is not None]

    @property
    def fingerprint(self) -> str:
        return self.primary.fingerprint

    @property
    def subkey_fingerprints(self) -> tuple[str, ...]:
        """Of every subkey that is in the file, bound or not."""
        return tuple(one.key.fingerprint for one in self._subkeys if one.key is not None)

    def armored(self) -> bytes:
        """The certificate as text, the form in which the trust store keeps it."""
        return format_armor(self.content, kind=PUBLIC_KEY)

    def find_key(self, issuers: Iterable[str]) -> KeyPacket | None:
        """The primary key or subkey that all of ``issuers`` (fingerprints, key IDs) mean, bound or not."""
        wanted = tuple(issuers)
        keys = [self.primary, *(one.key for one in self._subkeys if one.key is not None)]
        return next((key for key in keys if wanted and all(key.answers_to(issuer) for issuer in wanted)), None)

    def identities(self, *, now: float | None = None) -> tuple[str, ...]:
        """The user IDs that the primary key stands by, in file order; text that is not UTF-8 with its bytes escaped."""
        instant = time.time() if now is None else now
        valid = (one for one in self._user_ids if one.tag == USER_ID_TAG and self._newest_certification(one, instant))
        return tuple(one.text.decode("utf-8", "backslashreplace") for one in valid)

    def check_may_sign(self, key: KeyPacket, *, now: float | None = None) -> None:
        """Raises SignatureError, with the reason, unless ``key`` of this certificate may sign data at ``now``."""
        instant = time.time() if now is None else now
        try:
            if max(key.created, self.primary.created) > instant + CLOCK_SKEW_SECONDS:
                raise PacketError("it was made in the future, or this clock is wrong")
            check_strength(self.primary)
            self._check_primary(key, instant)
            if key is not self.primary:
                check_strength(key)
                self._check_subkey(key, instant)
        except PacketError as error:
            raise SignatureError(f'key "{key.fingerprint}" cannot sign images: {error}') from None

    def find_signing_problem(self, *, now: float | None = None) -> str | None:
        """Why no key of this certificate may sign at ``now``; None if one may. For a user who is about to trust it."""
        problem: str | None = None
        for key in (self.primary, *(one.key for one in self._subkeys if one.key is not None)):
            try:
                self.check_may_sign(key, now=now)
            except SignatureError as error:
                problem = problem or error.message
            else:
                return None
        return problem

    def _check_primary(self, key: KeyPacket, now: float) -> None:
        if self._is_revoked():
            raise PacketError("it is revoked")
        direct = self._self_signatures(self._direct, {_DIRECT}, now)
        certifications = [found for one in self._user_ids if (found := self._newest_certification(one, now))]
        newest = max([*direct, *certifications], key=_time_of, default=None)
        if newest is None:
            raise PacketError(self._why_no_self_signature())
        _check_lifetime(self.primary, newest.key_expires_after, now)
        if key is self.primary and not newest.may_sign:
            raise PacketError("its owner does not let it sign data")

    def _check_subkey(self, key: KeyPacket, now: float) -> None:
        component = next(one for one in self._subkeys if one.key is key)
        if any(self._signed_by_primary(s, component) for s in component.signatures if s.kind == _SUBKEY_REVOCATION):
            raise PacketError("it is revoked")
        binding = max(self._self_signatures(component, {_BINDING}, now), key=_time_of, default=None)
        if binding is None:
            raise PacketError(f'it is not bound to the key "{self.fingerprint}"')
        _check_lifetime(key, binding.key_expires_after, now)
        if not binding.may_sign:
            raise PacketError("its owner does not let it sign data")
        if not any(self._signs_back(key, content, now) for content in binding.embedded):
            raise PacketError(f'it has not confirmed that it belongs to the key "{self.fingerprint}"')

    def _is_revoked(self) -> bool:
        revocations = [one for one in self._direct.signatures if one.kind == _KEY_REVOCATION]
        if any(self._signed_by_primary(one, self._direct) for one in revocations):
            return True
        # a designated revoker's key is not at hand to check with: take his word rather than a key that he withdrew
        revokers = {
            revoker
            for component in (self._direct, *self._user_ids)
            for one in component.signatures
            if one.revokers and self._signed_by_primary(one, component)
            for revoker in one.revokers
        }
        return any(_names(one, revoker) for one in revocations for revoker in revokers)

    def _newest_certification(self, user_id: _Component, now: float) -> SignaturePacket | None:
        """The newest self-signature of a user ID, unless it was withdrawn later."""
        newest = max(self._self_signatures(user_id, _CERTIFICATIONS, now), key=_time_of, default=None)
        withdrawn = (one for one in user_id.signatures if one.kind == _CERTIFICATION_REVOCATION)
        if newest and any(_time_of(o) >= _time_of(newest) and self._signed_by_primary(o, user_id) for o in withdrawn):
            return None
        return newest

    def _self_signatures(self, component: _Component, kinds: Iterable[int], now: float) -> list[SignaturePacket]:
        wanted = [one for one in component.signatures if one.kind in kinds and _is_good(one, now=now)]
        return [one for one in wanted if self._signed_by_primary(one, component)]

    def _signed_by_primary(self, signature: SignaturePacket, component: _Component) -> bool:
        if not self._names_primary(signature):
            return False
        parts = () if component is self._direct else (component.signed_form(),)
        return _is_signed_over(self.primary, signature, self.primary.signed_form(), *parts)

    def _names_primary(self, signature: SignaturePacket) -> bool:
        return all(self.primary.answers_to(issuer) for issuer in signature.issuers)

    def _signs_back(self, key: KeyPacket, content: bytes, now: float) -> bool:
        try:
            signature = SignaturePacket(content)
        except PacketError:
            return False
        if signature.kind != _BACK_SIGNATURE or not _is_good(signature, now=now):
            return False
        return _is_signed_over(key, signature, self.primary.signed_form(), key.signed_form())

    def _why_no_self_signature(self) -> str:
        weak = (
            one
            for component in (self._direct, *self._user_ids)
            for one in component.signatures
            if one.hash_number not in STRONG_HASHES and one.kind in {_DIRECT, *_CERTIFICATIONS}
            if self._signed_by_primary(one, component)
        )
        if next(weak, None):
            return "it vouches for itself with SHA-1 or MD5 only, which can be forged; its owner has to renew it"
        return "it has no valid signature of its own"


def parse_certificates(data: bytes) -> list[Certificate]:
    """The certificates in a key file, armored or binary. Raises KeyFileError unless there is at least one."""
    if len(data) > LARGEST_KEY_FILE_BYTES:
        raise KeyFileError(f"a key file of more than {LARGEST_KEY_FILE_BYTES} bytes")
    try:
        content = parse_armor(data, kind=PUBLIC_KEY) if is_armored(data) else data
        groups: list[list[Packet]] = []
        for packet in read_packets(content):
            if packet.tag == SECRET_KEY_TAG:
                raise KeyFileError("it holds a secret key", "export the public key: gpg --armor --export FINGERPRINT")
            if packet.tag == PUBLIC_KEY_TAG:
                groups.append([])
            if not groups:
                raise KeyFileError("it does not begin with a public key")
            groups[-1].append(packet)
        certificates = [Certificate(group) for group in groups]
    except (ArmorError, PacketError) as error:
        raise KeyFileError(str(error)) from None
    if not certificates:
        raise KeyFileError("it holds no public key")
    return certificates


def _gather(current: _Component, packets: list[Packet]) -> Iterator[_Component]:
    """The components after the primary key; signatures go to the component before them, ``current`` at first."""
    for packet in packets:
        if packet.tag == SIGNATURE_TAG:
            try:
                current.signatures.append(SignaturePacket(packet.body))
            except PacketError:  # of an old or new version, or damaged: it vouches for nothing
                continue
        elif packet.tag in (USER_ID_TAG, USER_ATTRIBUTE_TAG):
            current = _Component(packet.tag, key=None, text=packet.body)
            yield current
        elif packet.tag == SUBKEY_TAG:
            try:
                key: KeyPacket | None = KeyPacket(packet.body)
            except PacketError:  # a version that cannot sign for us; its signatures must not fall to its neighbour
                key = None
            current = _Component(packet.tag, key=key, text=b"")
            yield current


def _is_signed_over(key: KeyPacket, signature: SignaturePacket, *parts: bytes) -> bool:
    try:
        return is_signed(key, signature, signature.digest(*parts))
    except PacketError:
        return False


def _is_good(signature: SignaturePacket, *, now: float) -> bool:
    """The part of the policy that needs no key."""
    if signature.hash_number not in STRONG_HASHES or signature.unknown_critical or signature.created is None:
        return False
    if signature.created > now + CLOCK_SKEW_SECONDS:
        return False
    return signature.expires_after is None or signature.created + signature.expires_after > now


def _check_lifetime(key: KeyPacket, expires_after: int | None, now: float) -> None:
    if expires_after is not None and key.created + expires_after <= now:
        day = time.strftime("%Y-%m-%d", time.gmtime(key.created + expires_after))
        raise PacketError(f"it expired on {day}")


def _names(signature: SignaturePacket, fingerprint: str) -> bool:
    return any(fingerprint.endswith(issuer) for issuer in signature.issuers)


def _time_of(signature: SignaturePacket) -> int:
    return signature.created or 0
