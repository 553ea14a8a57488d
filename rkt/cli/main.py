"""From the words typed to one verb's module and an exit status; the only place that ends the process.

The table below holds module paths as strings: a command pays for its own verb and for nothing else. It knows no flag
beyond the global ones and no verb's meaning.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from rkt.cli.flags import Flag, FlagValues
    from rkt.cli.verb import Invocation, Verb
    from rkt.errors import UsageError

#: allocations between two looks for cyclic garbage; Python's own 700 makes 30 looks while a verb is imported
_COLLECT_AFTER = 20_000
#: verb -> (module that holds its ``VERB``, one line for help); verbs of a group are two words
VERBS = {
    "cat-manifest": ("rkt.cli.cat_manifest", "Print a pod's manifest"),
    "fetch": ("rkt.cli.fetch", "Fetch images, verify them, and store them"),
    "gc": ("rkt.cli.gc", "Delete pods that have ended, and what failed to start"),
    "help": ("rkt.cli.help", "Show help about a command"),
    "image build": ("rkt.cli.image.build", "Build an image archive from a directory"),
    "image cat-manifest": ("rkt.cli.image.cat_manifest", "Print an image's manifest"),
    "image list": ("rkt.cli.image.list", "List the images in the store"),
    "image rm": ("rkt.cli.image.rm", "Remove images from the store"),
    "image validate": ("rkt.cli.image.validate", "Check image archives, manifests and layouts"),
    "list": ("rkt.cli.list", "List pods"),
    "prepare": ("rkt.cli.prepare", "Prepare a pod to run later"),
    "rm": ("rkt.cli.rm", "Remove pods that do not run"),
    "run": ("rkt.cli.run", "Run image(s) in a pod"),
    "run-prepared": ("rkt.cli.run_prepared", "Run a prepared pod"),
    "status": ("rkt.cli.status", "Show the state of a pod"),
    "stop": ("rkt.cli.stop", "Stop running pods"),
    "trust": ("rkt.cli.trust", "Trust a key for image verification"),
    "version": ("rkt.cli.version", "Print the version"),
}
#: other names for verbs, which help does not list
ALIASES = {"image fetch": "fetch"}

MISSING_COMMAND = 2


def main() -> NoReturn:
    """The console script: settle the process, run the command line, end."""
    from rkt.cli.process_start import settle_process

    settle_process()
    status = run(sys.argv[1:])
    # everything rkt opens is closed and everything it writes is written by now, so the interpreter's teardown, some
    # milliseconds of it, has nothing left to do
    os._exit(status)


def run(words: Sequence[str]) -> int:
    """Run one command line and return its exit status. Errors have been printed; nothing is raised."""
    # most of what is made while modules are imported lives as long as the process: looking for garbage there is waste
    gc.set_threshold(_COLLECT_AFTER)
    try:
        if words == ["version"]:  # the shortest command: no flags to read
            from rkt.cli.version import print_version

            return print_version()
        return dispatch(words)
    except BaseException as error:
        from rkt.cli.failure import report_failure

        return report_failure(error)


def dispatch(words: Sequence[str]) -> int:
    """Find the verb, read its flags and words, and execute it. Raises what the verb raises."""
    from rkt import diagnostics
    from rkt.cli.flags import FlagValues, HelpRequested, flag_table, parse_flags
    from rkt.cli.settings import GLOBAL_FLAGS

    debug = "--debug" in words  # for errors in the flags themselves; what was really given is settled below
    diagnostics.configure(prefix="rkt", debug=debug)
    _check_text(words)
    values = FlagValues()
    name = ""
    try:
        rest = parse_flags(words, flag_table(GLOBAL_FLAGS), values, interspersed=False)
        while rest:
            name, found = find_verb(name, rest[0])
            rest = rest[1:]
            if found:
                prefix = name.rpartition(" ")[2]
                diagnostics.configure(prefix=prefix, debug=debug)
                verb = load_verb(name)
                invocation = read_invocation(verb, GLOBAL_FLAGS, values, rest)
                diagnostics.configure(prefix=prefix, debug=invocation.settings.debug)
                return verb.execute(invocation)
            rest = parse_flags(rest, flag_table(GLOBAL_FLAGS), values, interspersed=False)
    except HelpRequested:
        from rkt.cli.help import print_help

        return print_help(name)
    from rkt.cli.help import print_help

    diagnostics.line("missing command", prefix=name or "rkt")
    print_help(name)
    return MISSING_COMMAND


def find_verb(group: str, word: str) -> tuple[str, bool]:
    """The verb or group of verbs that ``word`` names after the words ``group``, and whether it is a verb.

    A unique beginning is enough. Raises UsageError for no verb, or for more than one.
    """
    head = f"{group} " if group else ""
    known = {name[len(head) :].partition(" ")[0] for name in (*VERBS, *ALIASES) if name.startswith(head)}
    matches = sorted([word] if word in known else [name for name in known if word and name.startswith(word)])
    if len(matches) != 1:
        raise _unknown_command(head + word, matches or sorted(known), ambiguous=bool(matches))
    name = head + matches[0]
    name = ALIASES.get(name, name)
    return name, name in VERBS


def load_verb(name: str) -> Verb:
    """Import the module of a verb."""
    module = VERBS[name][0]
    __import__(module)
    verb: Verb = sys.modules[module].VERB
    return verb


def read_invocation(verb: Verb, global_flags: Sequence[Flag], values: FlagValues, words: Sequence[str]) -> Invocation:
    """Read flags and words after the verb; the checks that every verb shares are done here."""
    from rkt.cli.flags import flag_table, parse_flags
    from rkt.cli.settings import read_settings
    from rkt.cli.verb import Invocation, require_root

    table = flag_table(global_flags, verb.flags)
    apps = None
    others: list[str] = []
    if verb.takes_apps:
        from rkt.cli.app_arguments import parse_app_arguments

        apps = parse_app_arguments(words, table, values)
    else:
        others = parse_flags(words, table, values)
    settings = read_settings(values)
    if verb.needs_root:
        require_root()
    return Invocation(settings, values, others, apps)


def _check_text(words: Sequence[str]) -> None:
    """Manifests and names are UTF-8; a word that is not could not be written down again."""
    from rkt.errors import UsageError

    for number, word in enumerate(words, start=1):
        if not word.isascii() and any("\ud800" <= character <= "\udfff" for character in word):
            raise UsageError(f'argument {number} "{word}" is not valid UTF-8')


def _unknown_command(name: str, candidates: list[str], *, ambiguous: bool) -> UsageError:
    from rkt.errors import UsageError

    if ambiguous:
        return UsageError(f'ambiguous command "{name}"', f"it could be: {', '.join(candidates)}")
    import difflib  # only on the way to an error

    near = difflib.get_close_matches(name.rpartition(" ")[2], candidates, n=1, cutoff=0.5)
    return UsageError(f'unknown command "{name}"', f'did you mean "{near[0]}"?' if near else 'run "rkt help"')
