"""The verdict about one image: which keys may vouch for its name, and whether its signature is one of theirs.

The digest grows while the image streams into the store (:class:`SignedSource`), so what was verified and what was
stored are the same bytes, read once. An image without a verdict is never committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkt.errors import RktError
from rkt.fetch import messages
from rkt.keys.errors import SignatureError, TrustStoreError, UnknownSignerError
from rkt.store.record import SignedBy

if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.keys.signature import DetachedSignature
    from rkt.keys.trust_store import TrustStore
    from rkt.store.pipeline import Source
    from rkt.store.staging import StagedImage

_CHUNK_BYTES = 1 << 20


class SignedSource:
    """A source of image bytes that feeds ``signature`` (if there is one) with all that passes.

    ``progress`` is called with the size of each chunk, and with 0 at the end.
    """

    __slots__ = ("_progress", "_signature", "_source")

    def __init__(
        self, source: Source, *, signature: DetachedSignature | None, progress: Callable[[int], None] | None = None
    ) -> None:
        self._source = source
        self._signature = signature
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        if self._signature is not None:
            self._signature.update(data)
        if self._progress is not None:
            self._progress(len(data))
        return data

    def drain(self) -> None:
        """Read what the decompressor did not ask for, so that the digest covers the whole file."""
        while self.read(_CHUNK_BYTES):
            pass


def check_signer_is_known(signature: DetachedSignature, trust_store: TrustStore) -> None:
    """Refuse early, before an image is downloaded, a signature by a key that is trusted for nothing at all.

    The image's name is not known yet, so this says nothing about whether the key is trusted for *it*. Raises
    UnknownSignerError.
    """
    try:
        keys = trust_store.list_keys()
    except TrustStoreError:
        return  # perhaps about keys for other images; the verdict will tell
    if signature.find_signer([key.certificate for key in keys]) is None:
        raise _unknown(signature, tried=sorted({key.fingerprint for key in keys}), prefix="PREFIX")


def verify(staged: StagedImage, signature: DetachedSignature, trust_store: TrustStore) -> SignedBy:
    """The verdict about a staged image, told to the user. Raises SignatureError, TrustStoreError."""
    keys = trust_store.keys_for(staged.name)
    try:
        verified = signature.verify([key.certificate for key in keys])
    except UnknownSignerError:
        raise _unknown(
            signature, tried=sorted({key.fingerprint for key in keys}), prefix=staged.name, image=staged.name
        ) from None
    except SignatureError as error:
        raise _rename(error, f'image "{staged.name}" verification failed: {error.message}') from None
    messages.signature_verified(verified, image_id=staged.image_id)
    return SignedBy(verified.fingerprint, verified.identities)


def _unknown(
    signature: DetachedSignature, *, tried: list[str], prefix: str, image: str | None = None
) -> UnknownSignerError:
    what = f'image "{image}" verification failed' if image else "image verification failed"
    keys = f"trusted keys: {', '.join(tried)}" if tried else "no key is trusted for it"
    return UnknownSignerError(
        f'{what}: signature made by unknown entity "{signature.issuer}" ({keys})',
        f'if you expected this signing key, try running: rkt trust --prefix "{prefix}" PUBKEY',
    )


def _rename(error: RktError, message: str) -> SignatureError:
    return SignatureError(message, error.hint)
