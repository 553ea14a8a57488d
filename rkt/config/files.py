"""Configuration files: which of them apply, in which order, and that each says what it is (rkt 1.30, section 2.8).

In each configuration directory (system, local, user: later ones override) a subdirectory such as ``paths.d`` holds
``*.json`` files, each with a ``rktKind`` and a ``rktVersion``. What a kind means is the matter of its own module
(:mod:`rkt.config.paths_config`); nothing is merged here.
"""

from __future__ import annotations

import os
import stat

from rkt.config.errors import ConfigError, parse_error
from rkt.errors import reason
from rkt.schema.json_reader import decode_json
from rkt.schema.problems import ManifestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rkt.paths import ConfigDirectories

VERSION = "v1"

#: a configuration file is written by hand
LARGEST_FILE_BYTES = 1 << 20


class ConfigFile:
    """One file: its path, its kind, and its members without ``rktKind`` and ``rktVersion``."""

    __slots__ = ("kind", "members", "path")

    def __init__(self, *, path: str, kind: str, members: dict[str, object]) -> None:
        self.path = path
        self.kind = kind
        self.members = members

    def text(self, name: str) -> str | None:
        """A member that is a text; None if it is absent or empty, as the original has it. Raises ConfigError."""
        value = self.members.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise parse_error(self.path, f'"{name}" must be a text')
        return value


def load_levels(
    directories: ConfigDirectories, *, subdirectory: str, kinds: tuple[str, ...]
) -> Iterator[list[ConfigFile]]:
    """The files of ``subdirectory``, one list for each configuration directory, the one that overrides last.

    Raises ConfigError for a file that is unreadable, not JSON, of no kind or version, or of a kind that does not
    belong there.
    """
    for directory in directories.in_order():
        where = f"{directory}/{subdirectory}"
        names = sorted(name for name in _list_directory(where) if name.endswith(".json"))
        yield [_load_file(f"{where}/{name}", kinds=kinds) for name in names if not os.path.isdir(f"{where}/{name}")]


def _list_directory(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise ConfigError(f'cannot read configuration: expected "{path}" to be a directory') from None
    except OSError as error:
        raise ConfigError(f'cannot read configuration "{path}": {reason(error)}') from error


def _load_file(path: str, *, kinds: tuple[str, ...]) -> ConfigFile:
    try:
        value = decode_json(_read_file(path), source=f'configuration "{path}"')
    except ManifestError as error:
        raise parse_error(path, "; ".join(problem.message for problem in error.problems)) from None
    if not isinstance(value, dict):
        raise parse_error(path, "it is not a JSON object")
    members: dict[str, object] = dict(value)
    kind, version = members.pop("rktKind", None), members.pop("rktVersion", None)
    if not isinstance(kind, str) or not kind:
        raise parse_error(path, f'no rktKind specified in "{path}"', f'add "rktKind": "{kinds[0]}"')
    if not isinstance(version, str) or not version:
        raise parse_error(path, f'no rktVersion specified in "{path}"', f'add "rktVersion": "{VERSION}"')
    if kind not in kinds:
        directory, name = os.path.split(path)
        expected = ", ".join(f'"{one}"' for one in kinds)
        wants = f'the configuration directory "{directory}" expects to have configuration files of kinds {expected}'
        raise parse_error(path, f'{wants}, but "{name}" has kind of "{kind}"')
    if version != VERSION:
        raise parse_error(path, f'no parser available for configuration of kind "{kind}" and version "{version}"')
    return ConfigFile(path=path, kind=kind, members=members)


def _read_file(path: str) -> bytes:
    """The content of a regular file; a link to one is allowed (an administrator's choice), a FIFO is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise parse_error(path, "it is not a regular file")
            data = b""
            while len(data) <= LARGEST_FILE_BYTES and (chunk := os.read(fd, 1 << 16)):
                data += chunk
        finally:
            os.close(fd)
    except OSError as error:
        raise parse_error(path, reason(error)) from error
    if len(data) > LARGEST_FILE_BYTES:
        raise parse_error(path, f"it has more than {LARGEST_FILE_BYTES} bytes")
    return data
