"""The grammar of rkt's flags: long names, optional values, repeated flags, one dash or two.

Accepted are ``--flag=value``, ``--flag value``, ``--flag`` for booleans and for flags with an implied value
(``--net`` is ``--net=default``), and each of them with a single dash as rkt 0.2 had it. argparse cannot express this:
it has no implied value that never swallows the next word, abbreviates long flags, and takes 10 ms to import.

It collects the texts of flags; what a text means is for the module that owns the flag (:mod:`rkt.cli.pod_values`
and its neighbours). Section 1.1 of the behaviour document.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: what Go's ParseBool takes for true and for false
TRUE_WORDS = frozenset(("1", "t", "T", "TRUE", "true", "True"))
FALSE_WORDS = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class HelpRequested(Exception):
    """``--help`` or ``-h`` was given: the rest of the command line does not matter any more."""


class Flag:
    """One flag: its name without dashes, what it does, and which form its value has.

    ``boolean`` flags take no separate word as value. ``implied`` is the value of the bare flag (``--net``).
    ``repeatable`` only changes how help shows it: the owner of a flag decides what a repetition means.
    ``of_image`` flags belong to the image before them (section 1.2). ``unavailable`` names what a later version
    will bring; using such a flag is an error that says so.
    """

    __slots__ = (
        "boolean",
        "default",
        "deprecated",
        "hidden",
        "implied",
        "name",
        "of_image",
        "repeatable",
        "summary",
        "unavailable",
    )

    def __init__(
        self,
        name: str,
        summary: str = "",
        *,
        default: str = "",
        boolean: bool = False,
        implied: str | None = None,
        repeatable: bool = False,
        of_image: bool = False,
        hidden: bool = False,
        deprecated: str | None = None,
        unavailable: str | None = None,
    ) -> None:
        self.name = name
        self.summary = summary
        self.default = ("false" if boolean and not default else default) or ""
        self.boolean = boolean
        self.implied = "true" if boolean else implied
        self.repeatable = repeatable
        self.of_image = of_image
        self.hidden = hidden or deprecated is not None or unavailable is not None
        self.deprecated = deprecated
        self.unavailable = unavailable


class FlagValues:
    """The flags that were given, each with its texts in the order of the command line."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given: dict[str, list[str]] = {}

    def add(self, flag: Flag, text: str) -> None:
        self._given.setdefault(flag.name, []).append(text)

    def is_given(self, name: str) -> bool:
        return name in self._given

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a flag, in order; empty if it was not given."""
        return tuple(self._given.get(name, ()))

    def find_text(self, name: str) -> str | None:
        """The last value of a flag, or None."""
        given = self._given.get(name)
        return given[-1] if given else None

    def text(self, name: str, default: str = "") -> str:
        """The last value of a flag, or ``default``."""
        found = self.find_text(name)
        return default if found is None else found

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """The last value of a boolean flag; it was checked when it was taken."""
        found = self.find_text(name)
        return default if found is None else found in TRUE_WORDS


def flag_table(*groups: Iterable[Flag]) -> dict[str, Flag]:
    """Flags by name, for :func:`take_flag`."""
    return {flag.name: flag for group in groups for flag in group}


def is_flag(word: str) -> bool:
    """Whether a word is written as a flag. ``-`` alone is a word, ``--`` is for the caller to look at."""
    return len(word) > 1 and word[0] == "-"


def parse_boolean(text: str) -> bool | None:
    """Go's ParseBool: True, False, or None for anything else."""
    if text in TRUE_WORDS:
        return True
    return False if text in FALSE_WORDS else None


def take_flag(words: Sequence[str], index: int, table: Mapping[str, Flag]) -> tuple[Flag, str, int]:
    """Read the flag at ``words[index]``: the flag, its text, and the index of the next unread word.

    Raises UsageError for an unknown flag, a missing or bad value; HelpRequested for ``--help``.
    """
    word = words[index]
    name, separator, text = word[2 if word.startswith("--") else 1 :].partition("=")
    if not name or name[0] == "-":
        raise UsageError(f'bad flag syntax: "{word}"')
    flag = table.get(name)
    if flag is None:
        if name in ("h", "help"):
            raise HelpRequested
        raise _unknown_flag(name, table)
    index += 1
    if not separator:
        if flag.implied is not None:
            text = flag.implied
        elif index < len(words):
            text = words[index]
            index += 1
        else:
            raise UsageError(f"flag needs an argument: --{name}", "write it as --" + name + "=VALUE")
    _check_use(flag, text)
    return flag, text, index


def parse_flags(
    words: Sequence[str], table: Mapping[str, Flag], values: FlagValues, *, interspersed: bool = True
) -> list[str]:
    """Take the flags among ``words`` into ``values`` and return the other words.

    ``--`` ends the flags. With ``interspersed=False`` the first other word does so too, and everything from there
    on is returned untouched. Raises what :func:`take_flag` raises.
    """
    others: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--" and interspersed:
            return [*others, *words[index + 1 :]]
        if word != "--" and is_flag(word):
            flag, text, index = take_flag(words, index, table)
            values.add(flag, text)
        elif interspersed:
            others.append(word)
            index += 1
        else:
            return list(words[index:])
    return others


def _check_use(flag: Flag, text: str) -> None:
    if flag.boolean and parse_boolean(text) is None:
        raise UsageError(f'invalid value "{text}" for flag --{flag.name}: must be true or false')
    if flag.unavailable is not None and not (flag.boolean and parse_boolean(text) is False):
        raise NotSupportedError(f"flag --{flag.name} is not supported: {flag.unavailable}")
    if flag.deprecated is not None:
        diagnostics.line(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")


def _unknown_flag(name: str, table: Mapping[str, Flag]) -> UsageError:
    import difflib  # only on the way to an error

    visible = [known for known, flag in table.items() if not flag.hidden]
    near = difflib.get_close_matches(name, visible, n=1, cutoff=0.6)
    return UsageError(f'unknown flag: "--{name}"', f'did you mean "--{near[0]}"?' if near else None)
