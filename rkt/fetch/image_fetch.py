"""From an image reference to a verified image in the store: look it up, or read a file or download it.

One pass: bytes go from the source through the signature's digest into the store's staging area, and the image becomes
visible only after the verdict. What the user asked for is told apart in :mod:`rkt.fetch.reference`. Discovery of names,
credentials, resumed downloads and Docker images are not here yet; dependencies are looked at, not fetched.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from rkt import diagnostics
from rkt.errors import reason
from rkt.fetch import messages
from rkt.fetch.errors import FetchError
from rkt.fetch.reference import FILE, URL, parse_reference
from rkt.fetch.signature_files import load_signature_beside, load_signature_file
from rkt.fetch.stored import NEVER, NEW, find_stored
from rkt.fetch.verification import SignedSource, check_signer_is_known, verify
from rkt.keys.errors import SignatureError
from rkt.keys.signature import DetachedSignature
from rkt.store.record import ImageOrigin

if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.fetch.reference import ImageReference
    from rkt.fetch.transport import Timeouts
    from rkt.keys.trust_store import TrustStore
    from rkt.store.image_store import ImageStore
    from rkt.store.pipeline import Source
    from rkt.store.record import ImageRecord


class Fetcher:
    """Fetches images into ``store``, verified with the keys of ``trust_store``.

    ``insecure`` holds the single protections that are off: ``image`` (no signature is asked for), ``http``, ``tls``.
    ``pull_policy`` is ``never``, ``new`` or ``update`` (section 5.2). ``timeouts`` are the network's; ``wait_seconds``
    is how long to wait for another rkt that downloads the same image.
    """

    __slots__ = ("insecure", "pull_policy", "store", "timeouts", "trust_store", "wait_seconds")

    def __init__(
        self,
        store: ImageStore,
        trust_store: TrustStore,
        *,
        insecure: frozenset[str] = frozenset(),
        pull_policy: str = NEW,
        timeouts: Timeouts | None = None,
        wait_seconds: float = 3600.0,
    ) -> None:
        self.store = store
        self.trust_store = trust_store
        self.insecure = insecure
        self.pull_policy = pull_policy
        self.timeouts = timeouts
        self.wait_seconds = wait_seconds

    @property
    def verifies(self) -> bool:
        """Whether images need a good signature."""
        return "image" not in self.insecure

    def fetch(self, reference: str, *, signature: str | None = None) -> ImageRecord:
        """The stored image that ``reference`` means, fetched if the pull policy asks for it.

        ``signature`` is the path of a detached signature to use instead of the one beside the image. When this
        returns, the image is durable and, unless ``image`` is insecure, verified; when it raises, the store is as it
        was. Raises ImageReferenceError, FetchError, DownloadError, UnverifiedImageError, SignatureError,
        TrustStoreError, ArchiveError, ManifestError, StoreError, NotSupportedError.
        """
        wanted = parse_reference(reference)
        found = find_stored(wanted, self.store, insecure=self.insecure, pull_policy=self.pull_policy)
        if found is not None:
            return found
        if wanted.kind == FILE:
            record = self._fetch_file(wanted.location, signature)
        elif wanted.kind == URL and self.pull_policy != NEVER:
            from rkt.fetch.download import fetch_url  # the network's modules take 150 ms to import

            record = fetch_url(self, wanted.location, signature=signature)
        else:
            raise _not_found(wanted)
        self._tell_missing_dependencies(record)
        return record

    def import_image(
        self, source: Source, signature: DetachedSignature | None, *, progress: Callable[[int], None] | None = None
    ) -> ImageRecord:
        """Stage, verify, commit: the only way in which an image enters the store. ``signature`` None: unverified.

        Raises SignatureError and the errors of the store; then nothing is left in it.
        """
        if signature is None and self.verifies:
            raise SignatureError("no signature to verify the image with")
        reader = SignedSource(source, signature=signature, progress=progress)
        with self.store.stage(reader) as staged:
            reader.drain()
            signers = () if signature is None else (verify(staged, signature, self.trust_store),)
            return staged.commit(ImageOrigin(signed_by=signers))

    def parse_signature(self, data: bytes) -> DetachedSignature:
        """A signature of which it is worth to fetch the image. Raises SignatureError."""
        signature = DetachedSignature(data)
        check_signer_is_known(signature, self.trust_store)
        return signature

    def _fetch_file(self, path: str, signature_path: str | None) -> ImageRecord:
        diagnostics.debug(f"using image from file {path}", prefix="image")
        with _ImageFile(path) as source:
            if not self.verifies:
                messages.verification_disabled()
                return self.import_image(source, None)
            if signature_path is not None:
                data = load_signature_file(signature_path, image=path)
            else:
                data = load_signature_beside(path)
            return self.import_image(source, self.parse_signature(data))

    def _tell_missing_dependencies(self, record: ImageRecord) -> None:
        from rkt.schema.image import decode_image_manifest
        from rkt.store.dependencies import find_dependency

        manifest = decode_image_manifest(self.store.load_manifest(record.key))
        for dependency in manifest.dependencies:
            if find_dependency(self.store, dependency) is None:
                messages.dependency_missing(str(dependency.image_name), image=record.name)


class _ImageFile:
    """An image file as a source, opened once. A context manager; raises FetchError if it cannot be opened or read."""

    __slots__ = ("_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise FetchError(f'cannot open image "{path}": {reason(error)}') from error
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            self.__exit__()
            raise FetchError(f'cannot open image "{path}": it is not a regular file')

    def read(self, size: int, /) -> bytes:
        try:
            return os.read(self._fd, size)
        except OSError as error:
            raise FetchError(f'cannot read image "{self._path}": {reason(error)}') from error

    def __enter__(self) -> _ImageFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _not_found(wanted: ImageReference) -> FetchError:
    what = "URL" if wanted.kind == URL else "image name"
    why = "it is not in the store" if wanted.kind != URL else "it is not in the store and --pull-policy=never was given"
    hint = (
        "fetch it without --pull-policy=never" if wanted.kind == URL else "fetch it by its URL or file first: rkt fetch"
    )
    return FetchError(f'unable to fetch image from {what} "{wanted.text}": {why}', hint)
