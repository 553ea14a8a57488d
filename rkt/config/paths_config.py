"""The configuration kind ``paths``: where rkt keeps its data and looks for stage1 images (rkt 1.30, section 2.8)."""

from __future__ import annotations

from rkt.config.errors import parse_error
from rkt.config.files import load_levels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.config.files import ConfigFile
    from rkt.paths import ConfigDirectories

KIND = "paths"
SUBDIRECTORY = "paths.d"

_DATA = "data"
_STAGE1_IMAGES = "stage1-images"
_DESCRIPTIONS = {_DATA: "data directory", _STAGE1_IMAGES: "stage1 images directory"}


class PathsConfig:
    """Absolute paths, or None where nothing is configured."""

    __slots__ = ("data", "stage1_images")

    def __init__(self, *, data: str | None, stage1_images: str | None) -> None:
        self.data = data
        self.stage1_images = stage1_images


def load_paths(directories: ConfigDirectories) -> PathsConfig:
    """The paths that all configuration directories together state, each key on its own. Raises ConfigError."""
    chosen: dict[str, str] = {}
    for level in load_levels(directories, subdirectory=SUBDIRECTORY, kinds=(KIND,)):
        chosen |= _read_level(level)
    return PathsConfig(data=chosen.get(_DATA), stage1_images=chosen.get(_STAGE1_IMAGES))


def _read_level(files: list[ConfigFile]) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files:
        for name, description in _DESCRIPTIONS.items():
            path = file.text(name)
            if path is None:
                continue
            if name in found:
                raise parse_error(file.path, f"{description} is already specified")
            if not path.startswith("/") or "\0" in path:
                raise parse_error(file.path, f"{description} must be an absolute path")
            found[name] = path
    return found
