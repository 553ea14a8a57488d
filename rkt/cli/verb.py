"""What a verb's module hands to :mod:`rkt.cli.main`: one :class:`Verb`; and what it gets back: one :class:`Invocation`.

Values only. Which verbs exist, and in which modules they live, is the table in :mod:`rkt.cli.main`.
"""

from __future__ import annotations

import os

from rkt.errors import NotPermittedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.cli.app_arguments import AppArguments
    from rkt.cli.flags import Flag, FlagValues
    from rkt.cli.settings import Settings


class Verb:
    """One verb: how it is called, what it does, its own flags, and the function that does it.

    ``usage`` is what follows ``rkt VERB``. With ``takes_apps`` the words are read by the grammar of section 1.2 and
    ``Invocation.apps`` is set; otherwise ``Invocation.words`` is. ``needs_root`` refuses other users (section 1.1).
    """

    __slots__ = ("description", "execute", "flags", "needs_root", "takes_apps", "usage")

    def __init__(
        self,
        *,
        usage: str,
        description: str,
        execute: Callable[[Invocation], int],
        flags: tuple[Flag, ...] = (),
        takes_apps: bool = False,
        needs_root: bool = False,
    ) -> None:
        self.usage = usage
        self.description = description
        self.execute = execute
        self.flags = flags
        self.takes_apps = takes_apps
        self.needs_root = needs_root


class Invocation:
    """A command line that has been read: settings from the global flags, the verb's flags, and its words or apps."""

    __slots__ = ("apps", "flags", "settings", "words")

    def __init__(
        self, settings: Settings, flags: FlagValues, words: list[str], apps: AppArguments | None = None
    ) -> None:
        self.settings = settings
        self.flags = flags
        self.words = words
        self.apps = apps

    def get_apps(self) -> AppArguments:
        """The images and their arguments, of a verb that takes apps."""
        assert self.apps is not None, "the verb does not declare takes_apps"
        return self.apps

    def no_words(self) -> None:
        """Refuse words after the flags. Raises UsageError."""
        if self.words:
            raise UsageError(f'unexpected argument "{self.words[0]}"')


def require_root() -> None:
    """Raises NotPermittedError unless this process is root."""
    if os.geteuid() != 0:
        raise NotPermittedError("cannot run as unprivileged user", "run it as root, for example with sudo")
