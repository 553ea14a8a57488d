"""What fetching tells the user on stderr, in the founding document's words. It decides nothing.

Text that comes from an image, a key or a server is shown with its control characters made visible.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rkt import diagnostics

if TYPE_CHECKING:
    from rkt.keys.signature import Verified

_PREFIX = "rkt"

#: hexadecimal digits of an image ID that are shown
_SHORT_ID_LENGTH = len("sha512-") + 32


def fetching(url: str) -> None:
    diagnostics.line(f"fetching image from {url}", prefix=_PREFIX)


def downloading_signature(url: str) -> None:
    """Shown on a terminal, as the progress bar is, and with ``--debug``."""
    if is_terminal():
        write_line(f"Downloading signature from {url}")
    else:
        diagnostics.debug(f"downloading signature from {url}", prefix="image")


def signature_verified(verified: Verified, *, image_id: str) -> None:
    diagnostics.line("signature verified:", prefix=_PREFIX)
    for identity in verified.identities or (f"key {verified.fingerprint}",):
        write_line(f"  {identity}")
    write_line(f"  {image_id[:_SHORT_ID_LENGTH]}")


def verification_disabled() -> None:
    diagnostics.line("warning: image signature verification has been disabled", prefix=_PREFIX)


def tls_verification_disabled() -> None:
    diagnostics.line("warning: TLS verification has been disabled", prefix=_PREFIX)


def waiting_for_download() -> None:
    diagnostics.line("another rkt instance is downloading this file, waiting...", prefix=_PREFIX)


def dependency_missing(name: str, *, image: str) -> None:
    diagnostics.line(
        f'warning: image "{image}" depends on "{name}", which is not in the store; fetch it before a run',
        prefix=_PREFIX,
    )


def is_terminal() -> bool:
    """Whether stderr is a terminal; a closed one is not."""
    return os.isatty(2)


def write_line(text: str) -> None:
    """One line without a prefix."""
    write_raw(diagnostics.printable(text) + "\n")


def write_raw(text: str) -> None:
    """``text`` as it is, carriage returns included. A closed stderr is not an error."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        pass
