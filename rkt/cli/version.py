"""``rkt version``: the versions of rkt, of the specification and of the interpreter, and what is built in."""

from __future__ import annotations

import sys

from rkt import APPC_VERSION, __version__
from rkt.cli.output import write
from rkt.cli.verb import Invocation, Verb

FEATURES = "-TPM -SDJOURNAL"


def print_version() -> int:
    """Write the five lines of section 1.19."""
    write(
        f"rkt Version: {__version__}\n"
        f"appc Version: {APPC_VERSION}\n"
        f"Python Version: {'.'.join(map(str, sys.version_info[:3]))}\n"
        "OS/Arch: linux/amd64\n"
        f"Features: {FEATURES}\n"
    )
    return 0


def execute(invocation: Invocation) -> int:
    invocation.no_words()
    return print_version()


VERB = Verb(usage="", description="Prints the versions of what this program consists of.", execute=execute)
