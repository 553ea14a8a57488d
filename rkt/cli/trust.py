"""``rkt trust``: public keys become trusted for a prefix of image names, after a look at their fingerprints (1.15)."""

from __future__ import annotations

import os

from rkt import diagnostics
from rkt.cli.flags import Flag
from rkt.cli.output import write_line
from rkt.cli.verb import Invocation, Verb

#: an answer longer than this is not one
_ANSWER_BYTES = 4096


class TerminalDialogue:
    """The user at the terminal: results on stdout, questions on stderr, answers from stdin."""

    def __init__(self) -> None:
        #: whether somebody can see a question and answer it
        self.can_ask = os.isatty(0) and os.isatty(2)

    def show(self, text: str) -> None:
        """A line of the result."""
        write_line(text)

    def note(self, text: str) -> None:
        """A line about what happens."""
        diagnostics.line(text)

    def ask(self, question: str) -> str | None:
        """The line that is typed after ``question``, None at the end of the input."""
        diagnostics.line(question)
        answer = b""
        while not answer.endswith(b"\n") and len(answer) < _ANSWER_BYTES:
            byte = os.read(0, 1)
            if not byte:
                return None
            answer += byte
        return answer.removesuffix(b"\n").decode("utf-8", "backslashreplace")


def execute(invocation: Invocation) -> int:
    from rkt.fetch.trust import TrustRequest, trust_keys
    from rkt.keys.trust_store import TrustStore

    flags, settings = invocation.flags, invocation.settings
    request = TrustRequest(
        locations=tuple(invocation.words),
        prefix=flags.find_text("prefix"),
        root=flags.boolean("root"),
        skip_review=flags.boolean("skip-fingerprint-review"),
        allow_http=flags.boolean("insecure-allow-http"),
        trust_https=settings.trust_keys_from_https,
    )
    trust_keys(request, TrustStore(settings.configuration), dialogue=TerminalDialogue(), insecure=settings.insecure)
    return 0


VERB = Verb(
    usage="PUBKEY...",
    description=(
        "Trusts public keys to sign images whose names begin with a prefix, or all images. PUBKEY is a file or a URL. "
        "The fingerprint of each key is shown, and nothing is trusted before you have said yes."
    ),
    flags=(
        Flag("insecure-allow-http", "allow keys to be fetched over plain HTTP", boolean=True),
        Flag("prefix", "beginning of the image names to trust the keys for"),
        Flag("root", "trust the keys for every image", boolean=True),
        Flag("skip-fingerprint-review", "do not ask", boolean=True),
    ),
    execute=execute,
)
