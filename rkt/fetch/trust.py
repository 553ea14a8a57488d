"""``rkt trust``: get public keys, let the user look at their fingerprints, and put them into the trust store.

Everything that is shown or asked goes through the caller's :class:`TrustDialogue`, so that there is no terminal here.
Keys come from files and URLs; finding them by discovery is not here yet (rkt 1.30, sections 1.15 and 5.5).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from rkt.errors import NotSupportedError, RktError, UsageError, reason
from rkt.fetch.reference import parse_file_url
from rkt.keys.certificate import LARGEST_KEY_FILE_BYTES, parse_certificates
from rkt.keys.errors import KeyFileError
from rkt.keys.prefix import parse_prefix

if TYPE_CHECKING:
    from typing import Protocol

    from rkt.fetch.transport import Timeouts
    from rkt.keys.certificate import Certificate
    from rkt.keys.trust_store import TrustStore

    class TrustDialogue(Protocol):
        """The user. ``show`` takes a line for stdout, ``note`` a line for stderr (the verb's prefix is added there).

        ``can_ask`` says whether stdin and stderr are terminals; ``ask`` shows a question and returns the line that
        was typed, without its newline, or None at the end of the input. Lines may hold hostile text from a key: both
        make control characters visible (``rkt.diagnostics.printable``), except for a leading tab.
        """

        can_ask: bool

        def show(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

        def ask(self, question: str) -> str | None: ...


_QUESTION = "Are you sure you want to trust this key (yes/no)?"


class TrustError(RktError):
    """A key cannot be had or may not be trusted as asked."""

    code = "trust-failed"


class TrustRequest:
    """What was asked for: keys (paths or URLs) for a prefix, or for everything with ``root``.

    ``skip_review`` is ``--skip-fingerprint-review``, ``allow_http`` ``--insecure-allow-http``, ``trust_https``
    ``--trust-keys-from-https``. Raises UsageError for a combination that makes no sense.
    """

    __slots__ = ("allow_http", "locations", "prefix", "root", "skip_review", "trust_https")

    def __init__(
        self,
        *,
        locations: tuple[str, ...],
        prefix: str | None = None,
        root: bool = False,
        skip_review: bool = False,
        allow_http: bool = False,
        trust_https: bool = False,
    ) -> None:
        if root and prefix:
            raise UsageError("--root and --prefix usage mutually exclusive")
        if not root and not prefix:
            raise _unbounded() if locations else UsageError("nothing to trust", "rkt trust --prefix PREFIX PUBKEY")
        self.locations = locations
        self.prefix = parse_prefix(prefix) if prefix else None
        self.root = root
        self.skip_review = skip_review
        self.allow_http = allow_http
        self.trust_https = trust_https


def trust_keys(
    request: TrustRequest,
    trust_store: TrustStore,
    *,
    dialogue: TrustDialogue,
    insecure: frozenset[str] = frozenset(),
    timeouts: Timeouts | None = None,
) -> list[str]:
    """Review and add every key of the request, in order; returns the paths of the files that were written.

    A key that the user declines is skipped. ``insecure`` may hold ``tls``. Raises TrustError, KeyFileError,
    DownloadError, TrustStoreError; keys added before that stay.
    """
    if not request.locations:
        raise NotSupportedError(
            "finding keys by discovery is not supported yet", f'name them: rkt trust --prefix "{request.prefix}" PUBKEY'
        )
    added: list[str] = []
    for location in request.locations:
        certificates = _load_certificates(location, request, insecure=insecure, timeouts=timeouts)
        if not _is_wanted(location, certificates, request, dialogue):
            dialogue.note(f'not trusting "{location}"')
            continue
        for certificate in certificates:
            path = trust_store.add(certificate.armored(), prefix=request.prefix)
            added.append(path)
            what = "root key" if request.prefix is None else f'key for prefix "{request.prefix}"'
            dialogue.show(f'Added {what} at "{path}"')
    return added


def _is_wanted(location: str, certificates: list[Certificate], request: TrustRequest, dialogue: TrustDialogue) -> bool:
    """Show the keys and ask, unless the request makes asking unnecessary. Raises TrustError without a terminal."""
    prefix = request.prefix or ""
    dialogue.note(f'prefix: "{prefix}"')
    dialogue.note(f'key: "{location}"')
    for certificate in certificates:
        _show(certificate, dialogue)
    review = not request.skip_review and not (request.trust_https and location.lower().startswith("https://"))
    if review:
        if not dialogue.can_ask:
            raise _no_terminal(prefix, dialogue)
        if not _ask(dialogue):
            return False
    how = "after" if review else "without"
    dialogue.show(f'Trusting "{location}" for prefix "{prefix}" {how} fingerprint review.')
    return True


def _show(certificate: Certificate, dialogue: TrustDialogue) -> None:
    dialogue.show(f"gpg key fingerprint is: {format_fingerprint(certificate.fingerprint)}")
    for fingerprint in certificate.subkey_fingerprints:
        dialogue.show(f"    Subkey fingerprint: {format_fingerprint(fingerprint)}")
    for identity in certificate.identities():
        dialogue.show(f"\t{identity}")
    problem = certificate.find_signing_problem()
    if problem:
        dialogue.note(f"warning: images signed with this key will be refused: {problem}")


def _ask(dialogue: TrustDialogue) -> bool:
    while True:
        answer = dialogue.ask(_QUESTION)
        if answer in ("yes", "no"):
            return answer == "yes"
        if answer is None:
            raise TrustError("error reviewing key: the input ended before an answer")
        dialogue.note("Please enter 'yes' or 'no'")


def format_fingerprint(fingerprint: str) -> str:
    """Forty digits as gpg shows them: upper case, ten groups of four, two blanks in the middle."""
    groups = [fingerprint[start : start + 4].upper() for start in range(0, len(fingerprint), 4)]
    middle = len(groups) // 2
    return " ".join(groups[:middle]) + "  " + " ".join(groups[middle:])


def _load_certificates(
    location: str, request: TrustRequest, *, insecure: frozenset[str], timeouts: Timeouts | None
) -> list[Certificate]:
    data = _load(location, request, insecure=insecure, timeouts=timeouts)
    try:
        return parse_certificates(data)
    except KeyFileError as error:
        raise KeyFileError(f'cannot trust key "{location}": {error.message}', error.hint) from None


def _load(location: str, request: TrustRequest, *, insecure: frozenset[str], timeouts: Timeouts | None) -> bytes:
    scheme, colon, _ = location.partition(":")
    scheme = scheme.lower()
    if not colon or "/" in scheme or os.path.lexists(location):
        return _load_file(location)
    if scheme == "file":
        return _load_file(parse_file_url(location))
    if scheme not in ("http", "https"):
        raise TrustError(f'cannot trust key "{location}": only local files and http or https URLs supported')
    if scheme == "http" and not request.allow_http:
        raise TrustError(
            f'cannot trust key "{location}": --insecure-allow-http required for http URLs',
            "anybody on the way could put another key in its place; use https",
        )
    from rkt.fetch.transport import Transport  # 150 ms of imports

    allowed = (insecure & {"tls"}) | ({"http"} if request.allow_http else frozenset())
    with Transport(insecure=allowed, timeouts=timeouts) as transport:
        return transport.load(location, limit=LARGEST_KEY_FILE_BYTES)


def _load_file(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise TrustError(f'cannot read key "{path}": it is not a regular file')
            data = b""
            while len(data) <= LARGEST_KEY_FILE_BYTES and (chunk := os.read(fd, 1 << 16)):
                data += chunk
            return data
        finally:
            os.close(fd)
    except OSError as error:
        raise TrustError(f'cannot read key "{path}": {reason(error)}') from error


def _no_terminal(prefix: str, dialogue: TrustDialogue) -> TrustError:
    dialogue.note(f'To trust the key for "{prefix}", do one of the following:')
    dialogue.note(" - call rkt with --trust-keys-from-https")
    dialogue.note(f' - run: rkt trust --prefix "{prefix}"')
    return TrustError(
        "error reviewing key: unable to ask user to review fingerprint due to lack of tty",
        "compare the fingerprint above yourself, then add --skip-fingerprint-review",
    )


def _unbounded() -> UsageError:
    return UsageError(
        "aborting due to implicit unbounded trust (root domain)",
        'say what the key is trusted for: rkt trust --prefix "example.com/foo" PUBKEY, '
        'rkt trust --prefix "example.com/foo/*" PUBKEY, or for every image: rkt trust --root PUBKEY',
    )
