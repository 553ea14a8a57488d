"""An image from a URL: the signature first, then the image, asked for only if the server has a newer one.

Several processes that want one URL download it once: the others wait for the first and use its result. What the server
said (ETag, max-age) is remembered with the URL in the store. Retries and resuming are not here yet.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from rkt import diagnostics
from rkt.errors import reason
from rkt.fetch import messages
from rkt.fetch.caching import is_fresh, parse_etag, parse_max_age
from rkt.fetch.progress import Progress
from rkt.fetch.signature_files import download_signature, load_signature_file
from rkt.fetch.stored import is_acceptable
from rkt.fetch.transport import Transport
from rkt.linux import durable
from rkt.store.errors import StoreError
from rkt.store.index import RemoteRecord
from rkt.store.locks import FileLock, find_lock, open_lock

if TYPE_CHECKING:
    from rkt.fetch.image_fetch import Fetcher
    from rkt.fetch.transport import Answer
    from rkt.keys.signature import DetachedSignature
    from rkt.store.record import ImageRecord


def fetch_url(fetcher: Fetcher, url: str, *, signature: str | None) -> ImageRecord:
    """Download the image at ``url``, or find that the stored one is what the server has. See ``Fetcher.fetch``."""
    diagnostics.debug(f'remote fetching from URL "{url}"', prefix="image")
    with _lock_download(fetcher, url) as lock:
        known = _find_known(fetcher, url)
        now = time.time()
        if known and (lock.since <= known.remote.download_time if lock.waited else is_fresh(known.remote, now=now)):
            diagnostics.debug(f"image for {url} isn't expired, not fetching.", prefix="image")
            return known.record
        messages.fetching(url)
        if "tls" in fetcher.insecure and url.startswith("https:"):
            messages.tls_verification_disabled()
        with Transport(insecure=fetcher.insecure, timeouts=fetcher.timeouts) as transport:
            return _download(fetcher, transport, url, signature=signature, known=known)


class _Known:
    """An earlier download of the URL whose image is still in the store and may be used."""

    __slots__ = ("record", "remote")

    def __init__(self, remote: RemoteRecord, record: ImageRecord) -> None:
        self.remote = remote
        self.record = record


def _find_known(fetcher: Fetcher, url: str) -> _Known | None:
    remote = fetcher.store.find_remote(url)
    record = fetcher.store.find_record(remote.key) if remote else None
    if remote is None or record is None or not is_acceptable(record, insecure=fetcher.insecure):
        return None
    try:
        os.close(fetcher.store.open_blob(record.key))
    except StoreError:
        return None  # damaged: a server that says "not modified" must not keep it alive
    return _Known(remote, record)


def _download(
    fetcher: Fetcher, transport: Transport, url: str, *, signature: str | None, known: _Known | None
) -> ImageRecord:
    signature_url, parsed = _get_signature(fetcher, transport, url, path=signature)
    asked = {"If-None-Match": known.remote.etag} if known and known.remote.etag else {}
    with transport.open(url, headers=asked) as answer:
        if answer.status == 304 and known and asked:
            _remember(fetcher, answer, url, record=known.record, signature_url=signature_url, etag=known.remote.etag)
            return known.record
        answer.expect_ok()
        with Progress("Downloading aci", total=answer.length) as progress:
            record = fetcher.import_image(answer, parsed, progress=progress.advance)
        _remember(fetcher, answer, url, record=record, signature_url=signature_url)
    return record


def _get_signature(
    fetcher: Fetcher, transport: Transport, url: str, *, path: str | None
) -> tuple[str, DetachedSignature | None]:
    """Where the signature came from (a URL or ""), and the signature; none where none is asked for."""
    if not fetcher.verifies:
        messages.verification_disabled()
        return "", None
    if path is not None:
        return "", fetcher.parse_signature(load_signature_file(path, image=url))
    signature_url, data = download_signature(transport, url)
    return signature_url, fetcher.parse_signature(data)


def _remember(
    fetcher: Fetcher, answer: Answer, url: str, *, record: ImageRecord, signature_url: str, etag: str = ""
) -> None:
    cache_control = answer.header("Cache-Control")
    fetcher.store.put_remote(
        RemoteRecord(
            url=url,
            sig_url=signature_url,
            etag=parse_etag(answer.header("ETag") or etag, cache_control=cache_control),
            key=record.key,
            max_age=parse_max_age(cache_control),
            download_time=int(time.time()),
        )
    )


class _DownloadLock:
    """The right to download one URL. ``waited``: somebody else had it first; ``since``: Unix time of our asking."""

    __slots__ = ("_lock", "since", "waited")

    def __init__(self, lock: FileLock, *, waited: bool, since: int) -> None:
        self._lock = lock
        self.waited = waited
        self.since = since

    def __enter__(self) -> _DownloadLock:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            durable.remove_if_present(self._lock.path)
        except OSError:
            pass  # an empty file stays; it locks nothing
        finally:
            self._lock.close()


def _lock_download(fetcher: Fetcher, url: str) -> _DownloadLock:
    """Raises StoreBusyError, which names the other process, after ``fetcher.wait_seconds``; StoreError."""
    directory = f"{fetcher.store.layout.cas}/downloadlocks"
    since = int(time.time())
    try:
        durable.make_directories(directory, mode=0o700)
    except OSError as error:
        raise StoreError(f'cannot store images in "{directory}": {reason(error)}', "run as root") from error
    path = f"{directory}/{hashlib.sha512(url.encode()).hexdigest()[:64]}"
    lock = find_lock(path, exclusive=True)
    if lock is not None:
        return _DownloadLock(lock, waited=False, since=since)
    messages.waiting_for_download()
    lock = open_lock(path, exclusive=True, wait_seconds=fetcher.wait_seconds)
    return _DownloadLock(lock, waited=True, since=since)
