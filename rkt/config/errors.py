"""What can be wrong with a configuration file."""

from __future__ import annotations

from rkt.errors import RktError


class ConfigError(RktError):
    """A configuration file or directory is not as section 2.8 asks; no command goes on with half a configuration."""

    code = "bad-configuration"


def parse_error(path: str, why: str, hint: str | None = None) -> ConfigError:
    """The error for one file."""
    return ConfigError(f'failed to parse "{path}": {why}', hint)
