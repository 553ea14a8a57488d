"""What can be wrong with a signature, a key and the store of trusted keys."""

from __future__ import annotations

from rkt.errors import RktError


class SignatureError(RktError):
    """A signature is malformed, forbidden by the policy, not made by a usable key, or plainly wrong."""

    code = "signature-verification-failed"


class UnknownSignerError(SignatureError):
    """The signature may be good, but nobody told us to trust its key."""

    code = "signature-by-unknown-key"


class KeyFileError(RktError):
    """Bytes that should be OpenPGP public keys are not."""

    code = "bad-public-key"


class TrustStoreError(RktError):
    """The store of trusted keys is not in the shape that makes it trustworthy."""

    code = "bad-trust-store"
