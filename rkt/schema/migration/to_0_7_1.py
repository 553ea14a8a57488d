"""0.7.0 -> 0.7.1: ``supplementaryGroups`` becomes ``supplementaryGIDs``."""

from __future__ import annotations

from rkt.schema.migration import rename

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON


def migrate_app(app: dict[str, JSON]) -> None:
    """The supplementary groups of an app."""
    rename(app, "supplementaryGroups", "supplementaryGIDs")
