"""The global flags, accepted before and after the verb, and the settings that come of them.

It decides which directories apply and which protections are off; it creates and opens nothing. Sections 1.1.1, 1.1.2.
"""

from __future__ import annotations

import os

from rkt.cli.flags import Flag
from rkt.errors import UsageError, reason
from rkt.paths import DEFAULT_DATA, DEFAULT_LOCAL_CONFIG, DEFAULT_SYSTEM_CONFIG, ConfigDirectories, DataDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.cli.flags import FlagValues

GLOBAL_FLAGS = (
    Flag("debug", "print more, and the whole chain of causes of an error", boolean=True),
    Flag("dir", "data directory", default=DEFAULT_DATA),
    Flag(
        "insecure-options",
        "comma-separated list of protections to turn off: none, image, tls, ondisk, http, pubkey, capabilities, "
        "paths, seccomp, all-fetch, all-run, all",
        default="none",
        repeatable=True,
    ),
    Flag("local-config", "directory of the administrator's configuration", default=DEFAULT_LOCAL_CONFIG),
    Flag("system-config", "directory of the vendor's configuration", default=DEFAULT_SYSTEM_CONFIG),
    Flag("trust-keys-from-https", "trust signing keys that were found over HTTPS without asking", boolean=True),
    Flag("user-config", "directory of the user's configuration"),
)

#: every single protection (``ondisk`` is accepted and has had no effect since rkt 1.26)
_SINGLE = ("image", "tls", "ondisk", "http", "pubkey", "capabilities", "paths", "seccomp")
INSECURE_OPTIONS: dict[str, frozenset[str]] = {
    "none": frozenset(),
    **{name: frozenset((name,)) for name in _SINGLE},
    "all-fetch": frozenset(("image", "tls", "http", "pubkey")),
    "all-run": frozenset(("capabilities", "paths", "seccomp")),
    "all": frozenset(_SINGLE),
}


class Settings:
    """What the global flags say.

    ``insecure`` holds single protections only: ``all``, ``all-run`` and ``all-fetch`` are spelled out.
    """

    __slots__ = ("configuration", "data", "debug", "insecure", "trust_keys_from_https")

    def __init__(
        self,
        *,
        data: DataDirectory,
        configuration: ConfigDirectories,
        insecure: frozenset[str] = frozenset(),
        debug: bool = False,
        trust_keys_from_https: bool = False,
    ) -> None:
        self.data = data
        self.configuration = configuration
        self.insecure = insecure
        self.debug = debug
        self.trust_keys_from_https = trust_keys_from_https


def read_settings(flags: FlagValues) -> Settings:
    """The settings of a command line. Raises UsageError, and ConfigError of a broken ``paths`` configuration."""
    user = flags.text("user-config")
    configuration = ConfigDirectories(
        local=_absolute("local-config", flags.text("local-config", DEFAULT_LOCAL_CONFIG)),
        system=_absolute("system-config", flags.text("system-config", DEFAULT_SYSTEM_CONFIG)),
        user=_absolute("user-config", user) if user else None,
    )
    given = flags.find_text("dir")
    data = find_configured_data(configuration) if given is None else given
    return Settings(
        data=DataDirectory(_absolute("dir", DEFAULT_DATA if data is None else data)),
        configuration=configuration,
        insecure=parse_insecure_options(flags.texts("insecure-options")),
        debug=flags.boolean("debug"),
        trust_keys_from_https=flags.boolean("trust-keys-from-https"),
    )


def parse_insecure_options(texts: tuple[str, ...]) -> frozenset[str]:
    """The single protections to turn off. Names in any case, none twice, none unknown. Raises UsageError."""
    names = [name.strip().lower() for text in texts for name in text.split(",")]
    off: set[str] = set()
    for position, name in enumerate(names):
        if name not in INSECURE_OPTIONS:
            allowed = ", ".join(INSECURE_OPTIONS)
            raise UsageError(f'invalid value "{name}" for flag --insecure-options', f"must be one of: {allowed}")
        if name in names[:position]:
            raise UsageError(f'invalid value for flag --insecure-options: "{name}" is given twice')
        off |= INSECURE_OPTIONS[name]
    return frozenset(off)


def find_configured_data(configuration: ConfigDirectories) -> str | None:
    """The data directory of the ``paths`` configuration, or None. Without a ``paths.d`` nothing is imported."""
    if not any(os.path.isdir(f"{directory}/paths.d") for directory in configuration.in_order()):
        return None
    from rkt.config.paths_config import load_paths

    return load_paths(configuration).data


def _absolute(flag: str, path: str) -> str:
    """``path`` without symbolic links; it need not exist. Raises UsageError."""
    if not path:
        raise UsageError(f"invalid value for flag --{flag}: the path is empty")
    try:
        return os.path.realpath(path)
    except OSError as error:  # a relative path, and the working directory has been deleted
        raise UsageError(f'resolve --{flag} "{path}": {reason(error)}', "give an absolute path") from error
