"""HTTP and HTTPS: one request at a time, answered with a stream of the exact bytes that the server holds.

Content encodings are never undone (the signature is over the bytes as they are), redirects are followed by our own
rules, nothing is taken from ``~/.netrc``, and every way in which a server can fail becomes a DownloadError. Credentials
(the ``auth`` configuration), resuming and discovery are not here yet.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from rkt import __version__
from rkt.fetch.errors import DownloadError

if TYPE_CHECKING:
    from types import TracebackType

#: redirects that are followed (section 5.4)
MOST_REDIRECTS = 10

#: larger reads are no faster and cost memory twice, in urllib3 and here
_LARGEST_READ_BYTES = 256 << 10

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: where distributions keep the authorities that the administrator trusts; requests' own list does not know them
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Timeouts:
    """Seconds to wait for a connection, and for the next bytes of an answer."""

    __slots__ = ("connect_seconds", "read_seconds")

    def __init__(self, *, connect_seconds: float = 20.0, read_seconds: float = 60.0) -> None:
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds


class Transport:
    """A client with one policy: ``insecure`` may hold ``http`` (plain HTTP is allowed), ``tls`` (any certificate is).

    A context manager; close it.
    """

    def __init__(self, *, insecure: frozenset[str], timeouts: Timeouts | None = None) -> None:
        self._insecure = insecure
        self._timeouts = timeouts or Timeouts()
        self._verify: bool | str = False if "tls" in insecure else _find_bundle()
        self._session = requests.Session()
        self._session.auth = _NoCredentials()
        self._session.headers.update({"User-Agent": f"rkt/{__version__}", "Accept-Encoding": "identity"})

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def open(self, url: str, *, headers: dict[str, str] | None = None) -> Answer:
        """GET ``url``, redirects followed, whatever the final status is. Raises DownloadError. Close the answer."""
        here = url
        for _ in range(MOST_REDIRECTS + 1):
            self._check_scheme(here, before=url)
            answer = self._request(here, headers or {})
            target = answer.header("Location") if answer.status in _REDIRECTS else ""
            if not target:
                return answer
            answer.close()
            here = urljoin(here, target)
        raise DownloadError(f'cannot download "{url}": more than {MOST_REDIRECTS} redirects')

    def load(self, url: str, *, limit: int) -> bytes:
        """The whole body of a small document. Raises DownloadError, also unless the status is 200."""
        with self.open(url) as answer:
            answer.expect_ok()
            return answer.read_all(limit=limit)

    def _check_scheme(self, url: str, *, before: str) -> None:
        scheme = urlsplit(url).scheme
        if scheme == "https" or (scheme == "http" and "http" in self._insecure and urlsplit(before).scheme == "http"):
            return
        if url != before:
            raise DownloadError(f'cannot download "{before}": it redirects to "{shown(url)}", which is not https')
        raise DownloadError(
            f'cannot download "{url}": plain http lets anybody on the way change what is sent',
            "use https, or allow it with --insecure-options=http",
        )

    def _request(self, url: str, headers: dict[str, str]) -> Answer:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
                response = self._session.get(
                    url,
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    verify=self._verify,
                    timeout=(self._timeouts.connect_seconds, self._timeouts.read_seconds),
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _download_error(url, error) from error
        return Answer(url, response)


class Answer:
    """A response: ``status``, headers, and the body as a stream. A context manager.

    ``length`` is what the server announced, in bytes, None if it announced nothing.
    """

    __slots__ = ("_received", "_response", "length", "status", "url")

    def __init__(self, url: str, response: requests.Response) -> None:
        self.url = url
        self._response = response
        self._received = 0
        self.status = response.status_code
        announced = response.headers.get("Content-Length", "").strip()
        self.length = int(announced) if announced.isascii() and announced.isdigit() else None

    def header(self, name: str) -> str:
        """The header's value, "" if there is none."""
        return self._response.headers.get(name, "")

    def expect_ok(self) -> None:
        """Raises DownloadError unless the status is 200."""
        if self.status != 200:
            raise DownloadError(f'cannot download "{shown(self.url)}": bad HTTP status code: {self.status}')

    def read(self, size: int, /) -> bytes:
        """The next bytes of the body as sent, b"" at its end. Raises DownloadError, also for a body cut short."""
        try:
            data: bytes = self._response.raw.read(min(size, _LARGEST_READ_BYTES), decode_content=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _download_error(self.url, error) from error
        self._received += len(data)
        if not data and size > 0 and self.length is not None and self._received != self.length:
            raise DownloadError(
                f'cannot download "{shown(self.url)}": {self._received} of {self.length} bytes came', "try again"
            )
        return data

    def read_all(self, *, limit: int) -> bytes:
        """The rest of the body. Raises DownloadError if it has more than ``limit`` bytes."""
        data = b""
        while chunk := self.read(min(1 << 16, limit + 1 - len(data))):
            data += chunk
            if len(data) > limit:
                raise DownloadError(f'cannot download "{shown(self.url)}": more than {limit} bytes')
        return data

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _NoCredentials(AuthBase):
    """Sends nothing; without an ``auth`` of ours requests would look into ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def shown(url: str) -> str:
    """``url`` for a message: without a user name and password, which a server may have put into a redirect."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _find_bundle() -> bool | str:
    """The file of trusted authorities: the environment's, the system's, or True for the one that requests carries."""
    for variable in _BUNDLE_VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable]
    return next((path for path in _SYSTEM_BUNDLES if os.path.exists(path)), True)


def _download_error(url: str, error: Exception) -> DownloadError:
    what = f'cannot download "{shown(url)}"'
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        why = f"TLS verification failed: {_innermost(error)}"
        return DownloadError(f"{what}: {why}", "check the server's certificate; --insecure-options=tls accepts any")
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return DownloadError(f"{what}: the server did not answer in time", "try again later")
    if isinstance(error, urllib3.exceptions.IncompleteRead):
        expected = error.partial + (error.expected or 0) if isinstance(error.partial, int) else None
        return DownloadError(f"{what}: {error.partial} of {expected or 'more'} bytes came", "try again")
    return DownloadError(f"{what}: {_innermost(error)}")


def _innermost(error: BaseException) -> str:
    """The kernel's or OpenSSL's own words, which requests wraps three times."""
    seen: BaseException | None = error
    text = str(error) or type(error).__name__
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            text = seen.strerror
        inner = next((a for a in seen.args if isinstance(a, BaseException)), None) or getattr(seen, "reason", None)
        seen = inner if isinstance(inner, BaseException) else (seen.__cause__ or seen.__context__)
    return text[:1].lower() + text[1:]
