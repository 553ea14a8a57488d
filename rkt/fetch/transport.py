"""HTTP and HTTPS: one request at a time, answered with a stream of the exact bytes that the server holds.

Content encodings are never undone (the signature is over the bytes as they are), redirects are followed by our own
rules, nothing is taken from ``~/.netrc``, and every way in which a server can fail becomes a DownloadError. Credentials
(the ``auth`` configuration), resuming and discovery are not here yet.
"""

from __future__ import annotations

import os
import warnings
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
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

#: digits of a Content-Length that are read; 2^63 has 19
_LONGEST_LENGTH = 18

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
        self._session = _Session()
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
            here = _join(here, target)
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
        self.length = _parse_length(response.headers.get("Content-Length", "").strip())

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


class _Session(requests.Session):
    """Sees no redirects. Where they are not to be followed requests would still read the body of each, however long it
    is and into memory, to find out where the next one would lead."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _NoCredentials(AuthBase):
    """Sends nothing; without an ``auth`` of ours requests would look into ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def shown(url: str) -> str:
    """``url`` for a message: without a user name and password, which a server may have put into a redirect."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _join(here: str, target: str) -> str:
    try:
        return urljoin(here, target)
    except ValueError as error:  # half an IPv6 address
        raise DownloadError(
            f'cannot download "{shown(here)}": it redirects to "{target.rpartition("@")[2][:200]}": {error}'
        ) from error


def _find_bundle() -> bool | str:
    """The file of trusted authorities: the environment's, the system's, or True for the one that requests carries."""
    for variable in _BUNDLE_VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable]
    return next((path for path in _SYSTEM_BUNDLES if os.path.exists(path)), True)


def _parse_length(announced: str) -> int | None:
    """The Content-Length, None for what is no number that a file's size can be."""
    plain = announced.isascii() and announced.isdigit() and len(announced) <= _LONGEST_LENGTH
    return int(announced) if plain else None


def _download_error(url: str, error: Exception) -> DownloadError:
    what, cause = f'cannot download "{shown(url)}"', _innermost(error)
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        hint = "check the server's certificate; --insecure-options=tls accepts any"
        return DownloadError(f"{what}: TLS verification failed: {_words(cause)}", hint)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return DownloadError(f"{what}: the server did not answer in time", "try again later")
    if isinstance(cause, IncompleteRead):
        came = len(cause.partial) if isinstance(cause.partial, bytes) else cause.partial
        total = came + cause.expected if isinstance(cause.expected, int) else "more"
        return DownloadError(f"{what}: {came} of {total} bytes came", "try again")
    if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
        return DownloadError(f"{what}: the server does not speak HTTP", "look at the URL's scheme and port")
    return DownloadError(f"{what}: {_words(cause)}")


def _innermost(error: BaseException) -> BaseException:
    """The error that requests and urllib3 wrap three times; the last one from the kernel, if there is one."""
    kernel, current, seen = None, error, set[int]()
    while id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and isinstance(current.errno, int):
            kernel = current
        inner = next((a for a in current.args if isinstance(a, BaseException)), None) or getattr(
            current, "reason", None
        )
        inner = inner if isinstance(inner, BaseException) else (current.__cause__ or current.__context__)
        current = inner or current
    return kernel or current


def _words(error: BaseException) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
