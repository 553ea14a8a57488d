"""Manifests of older releases -> today's form, release by release (appc changes, section 4.4 of our notes).

One module for each release that changed the form; each knows only its own step and turns what it recognises, leaving
alone what already has the newer form (documents were often labelled with an older release than they followed) and
what is malformed, which the decoder then reports. What a step cannot turn it leaves under its old name: the decoder
keeps unknown members and isolators.

Documents are JSON values, changed in place: they are fresh out of the parser.
"""

from __future__ import annotations

from importlib import import_module

from rkt.schema.names import POD_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rkt.schema.json_reader import JSON
    from rkt.schema.version import Release

#: the releases that changed the form, oldest first, and the module that knows the change
STEPS: tuple[tuple[Release, str], ...] = (
    ((0, 2, 0), "rkt.schema.migration.to_0_2_0"),
    ((0, 3, 0), "rkt.schema.migration.to_0_3_0"),
    ((0, 4, 0), "rkt.schema.migration.to_0_4_0"),
    ((0, 5, 0), "rkt.schema.migration.to_0_5_0"),
    ((0, 5, 2), "rkt.schema.migration.to_0_5_2"),
    ((0, 6, 0), "rkt.schema.migration.to_0_6_0"),
    ((0, 7, 0), "rkt.schema.migration.to_0_7_0"),
    ((0, 7, 1), "rkt.schema.migration.to_0_7_1"),
)


def migrate(document: dict[str, JSON], *, release: Release, kind: str) -> dict[str, JSON]:
    """``document``, which says it is of ``release``, in today's form. A step's functions are all optional:

    ``migrate_image(document)`` and ``migrate_pod(document)`` for the whole document, then
    ``migrate_app(app)`` for each ``app`` object in it, and ``migrate_isolators(list)`` for each list of isolators.
    """
    for until, module in STEPS:
        if release < until:
            step = vars(import_module(module))
            _apply(step.get("migrate_pod" if kind == POD_KIND else "migrate_image"), document)
            for app in _apps(document, kind=kind):
                _apply(step.get("migrate_app"), app)
                _apply(step.get("migrate_isolators"), get_list(app, "isolators"))
            if kind == POD_KIND:
                _apply(step.get("migrate_isolators"), get_list(document, "isolators"))
    return document


def _apply(function: Callable[[object], None] | None, value: object) -> None:
    if function is not None and value is not None:
        function(value)


def _apps(document: dict[str, JSON], *, kind: str) -> Iterator[dict[str, JSON]]:
    """Every ``app`` object of a document."""
    owners = get_objects(document, "apps") if kind == POD_KIND else [document]
    for owner in owners:
        app = get(owner, "app")
        if isinstance(app, dict):
            yield app


def find_key(members: dict[str, JSON], name: str) -> str | None:
    """The spelling under which ``members`` has ``name``: case does not matter, as in the decoder."""
    if name in members:
        return name
    return next((key for key in members if key.isascii() and key.lower() == name.lower()), None)


def get(members: dict[str, JSON], name: str) -> JSON:
    """A member, whatever its case; None when absent."""
    key = find_key(members, name)
    return None if key is None else members[key]


def get_list(members: dict[str, JSON], name: str) -> list[JSON] | None:
    """A member that is a list, else None."""
    value = get(members, name)
    return value if isinstance(value, list) else None


def get_objects(members: dict[str, JSON], name: str) -> list[dict[str, JSON]]:
    """The objects in a member that is a list; empty when there are none."""
    return [item for item in get_list(members, name) or () if isinstance(item, dict)]


def rename(members: dict[str, JSON], old: str, new: str) -> None:
    """Give a member its new name; nothing happens when the new one is there already or the old one is not."""
    key = find_key(members, old)
    if key is None or find_key(members, new) is not None:
        return
    items = [(new if name == key else name, value) for name, value in members.items()]
    members.clear()
    members.update(items)


def list_from_object(members: dict[str, JSON], name: str) -> None:
    """Turn ``{"a": "b"}`` under ``name`` into ``[{"name": "a", "value": "b"}]``."""
    key = find_key(members, name)
    if key is None:
        return
    value = members[key]
    if isinstance(value, dict):
        members[key] = [{"name": each, "value": item} for each, item in value.items()]
