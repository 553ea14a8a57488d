"""``rkt help [COMMAND]`` and ``--help``: text made from the table of verbs and from the flags themselves.

Sections in the order of section 1.1. Hidden, deprecated and unavailable flags are left out.
"""

from __future__ import annotations

from rkt import __version__
from rkt.cli.main import VERBS, find_verb, load_verb
from rkt.cli.output import write
from rkt.cli.settings import GLOBAL_FLAGS
from rkt.cli.table import format_table
from rkt.cli.verb import Invocation, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rkt.cli.flags import Flag

#: columns of the running text
WIDTH = 100

#: the first word of two-word verbs -> one line about them
GROUPS = {"image": "Work with the images in the store, and with image files"}

DESCRIPTION = (
    "Runs App Containers (appc) on Linux: fetches images, verifies their signatures, keeps them in a "
    "content-addressed store, and runs them in isolated pods.\n\n"
    'For help about one command, run "rkt help COMMAND".'
)


def execute(invocation: Invocation) -> int:
    name = ""
    for word in invocation.words:
        name, _ = find_verb(name, word)
    return print_help(name)


VERB = Verb(usage="[COMMAND]", description="Shows help about one command, or the list of commands.", execute=execute)


def print_help(name: str) -> int:
    """Write the help of a verb, of a group of verbs, or of rkt itself (the empty name) to stdout."""
    write(verb_help(name) if name in VERBS else group_help(name))
    return 0


def verb_help(name: str) -> str:
    """The help page of one verb."""
    verb = load_verb(name)
    usage = " ".join(part for part in (f"rkt {name}", "[FLAGS]" if verb.flags else "", verb.usage) if part)
    sections = [
        _section("NAME", f"{name} - {VERBS[name][1]}"),
        _section("USAGE", usage),
        _section("DESCRIPTION", verb.description),
    ]
    own = _visible(verb.flags)
    if any(flag.of_image for flag in own):
        sections.append(_flag_section("OPTIONS", (flag for flag in own if not flag.of_image)))
        sections.append(_flag_section("OPTIONS OF THE IMAGE BEFORE THEM", (flag for flag in own if flag.of_image)))
    elif own:
        sections.append(_flag_section("OPTIONS", own))
    sections.append(_flag_section("GLOBAL OPTIONS", GLOBAL_FLAGS))
    return "\n".join(sections)


def group_help(group: str) -> str:
    """The help page of rkt, or of a group of verbs such as ``image``."""
    head = f"{group} " if group else ""
    rows = [(name, summary) for name, (_, summary) in VERBS.items() if name.startswith(head)]
    title = f"{group} - {GROUPS[group]}" if group else "rkt - the App Container runtime"
    sections = [_section("NAME", title), _section("USAGE", f"rkt {head}COMMAND [FLAGS] [ARGUMENTS]")]
    if not group:
        sections.append(_section("VERSION", __version__))
    sections.append("COMMANDS:\n" + _indent(format_table(rows)))
    if not group:
        sections.append(_section("DESCRIPTION", DESCRIPTION))
    sections.append(_flag_section("GLOBAL OPTIONS", GLOBAL_FLAGS))
    return "\n".join(sections)


def describe_flag(flag: Flag) -> str:
    """A flag as help shows it: ``--debug=false``, ``--dir="/var/lib/rkt"``, ``--net[="default"]``."""
    if flag.boolean:
        return f"--{flag.name}[={flag.default}]"
    if flag.implied is not None:
        return f'--{flag.name}[="{flag.implied}"]'
    return f'--{flag.name}="{flag.default}"'


def _visible(flags: Iterable[Flag]) -> list[Flag]:
    return sorted((flag for flag in flags if not flag.hidden), key=lambda flag: flag.name)


def _flag_section(title: str, flags: Iterable[Flag]) -> str:
    rows = []
    for flag in _visible(flags):
        summary = flag.summary + (" (may be repeated)" if flag.repeatable else "")
        for number, line in enumerate(_wrap(summary)):
            rows.append((describe_flag(flag) if number == 0 else "", line))
    return f"{title}:\n" + _indent(format_table(rows))


def _section(title: str, text: str) -> str:
    lines = [line for paragraph in text.split("\n") for line in _wrap(paragraph)]
    return f"{title}:\n" + _indent("".join(f"{line}\n" for line in lines))


def _indent(text: str) -> str:
    return "".join(f"\t{line}" if line.strip() else line.lstrip(" \t") for line in text.splitlines(keepends=True))


def _wrap(text: str) -> Sequence[str]:
    """Break at blanks; a line that begins with blanks is an example and stays as it is."""
    if text.startswith(" "):
        return [text]
    lines, current = [], ""
    for word in text.split():
        if current and len(current) + 1 + len(word) > WIDTH:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*lines, current]
