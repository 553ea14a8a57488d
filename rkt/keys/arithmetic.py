"""The public-key arithmetic: did this key sign this digest? RSA, DSA, ECDSA, Ed25519, by the ``cryptography`` package.

It also knows which keys are too weak to ask. It knows nothing of certificates, times or trust.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkt.keys.packets import DSA, ECDSA, EDDSA, HASH_NAMES, RSA, RSA_SIGN, KeyPacket, PacketError, SignaturePacket

if TYPE_CHECKING:
    from typing import Any

#: the smallest modulus of RSA and DSA and the smallest curve that are accepted, in bits
MINIMUM_MODULUS_BITS = 2048
MINIMUM_CURVE_BITS = 224


def is_signed(key: KeyPacket, signature: SignaturePacket, digest: bytes) -> bool:
    """Whether ``signature`` is ``key``'s signature of ``digest``. Raises PacketError for a weak or unreadable key."""
    from cryptography.exceptions import InvalidSignature

    if signature.left_bits != digest[:2] or not signature.numbers or not _of_one_family(key, signature):
        return False
    material = key.load_material()
    try:
        _check(material, key.algorithm, signature, digest)
    except (InvalidSignature, ValueError, OverflowError):
        return False
    return True


def check_strength(key: KeyPacket) -> None:
    """Raises PacketError, with the reason, unless ``key`` is of a kind and size that may sign images."""
    if key.algorithm not in (RSA, RSA_SIGN, DSA, ECDSA, EDDSA):
        raise PacketError(f"it uses public-key algorithm {key.algorithm}, which cannot be checked here")
    material = key.load_material()
    bits = getattr(material, "key_size", 256)
    minimum = MINIMUM_CURVE_BITS if key.algorithm in (ECDSA, EDDSA) else MINIMUM_MODULUS_BITS
    if bits < minimum:
        raise PacketError(f"it has {bits} bits, and fewer than {minimum} are too weak")


def _of_one_family(key: KeyPacket, signature: SignaturePacket) -> bool:
    rsa = (RSA, RSA_SIGN)
    return key.algorithm == signature.algorithm or (key.algorithm in rsa and signature.algorithm in rsa)


def _check(material: Any, algorithm: int, signature: SignaturePacket, digest: bytes) -> None:
    """Raises InvalidSignature, or ValueError and OverflowError for numbers out of range."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if algorithm == EDDSA:
        r, s = signature.numbers
        material.verify(r.to_bytes(32, "big") + s.to_bytes(32, "big"), digest)
        return
    prehashed = utils.Prehashed(getattr(hashes, HASH_NAMES[signature.hash_number].upper())())
    if algorithm in (RSA, RSA_SIGN):
        content = signature.numbers[0].to_bytes((material.key_size + 7) // 8, "big")
        material.verify(content, digest, padding.PKCS1v15(), prehashed)
        return
    content = utils.encode_dss_signature(*signature.numbers)
    if algorithm == ECDSA:
        material.verify(content, digest, ec.ECDSA(prehashed))
    else:
        material.verify(content, digest, prehashed)
