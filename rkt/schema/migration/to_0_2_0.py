"""0.1.1 -> 0.2.0: ``val`` becomes ``value``, annotations become a list, dependencies get other names.

0.1.1 had no working directory (it was always ``/``) and its code did not insist on a user and a group: what is missing
is filled in with what it ran as, root. Digests were SHA-256, which today's image IDs are not: they stay under their
old name, as unknown members.
"""

from __future__ import annotations

from rkt.schema.migration import find_key, get, get_objects, list_from_object, rename

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON


def migrate_image(document: dict[str, JSON]) -> None:
    """Labels, annotations and dependencies of an image."""
    _rename_values(document, "labels")
    list_from_object(document, "annotations")
    for dependency in get_objects(document, "dependencies"):
        rename(dependency, "name", "app")
        _rename_values(dependency, "labels")
        digest = get(dependency, "hash")
        if isinstance(digest, str) and digest.startswith("sha512-"):
            rename(dependency, "hash", "imageID")


def migrate_app(app: dict[str, JSON]) -> None:
    """User, group and working directory of an app."""
    for name in ("user", "group"):
        if get(app, name) in (None, ""):
            app[find_key(app, name) or name] = "0"


def migrate_isolators(isolators: list[JSON]) -> None:
    """The value of each isolator."""
    for isolator in isolators:
        if isinstance(isolator, dict):
            rename(isolator, "val", "value")


def migrate_pod(document: dict[str, JSON]) -> None:
    """Annotations and isolators, also those of the apps."""
    for owner in (document, *get_objects(document, "apps")):
        list_from_object(owner, "annotations")
        _rename_values(owner, "isolators")


def _rename_values(owner: dict[str, JSON], name: str) -> None:
    for item in get_objects(owner, name):
        rename(item, "val", "value")
