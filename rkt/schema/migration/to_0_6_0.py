"""0.5.2 -> 0.6.0: a dependency's ``app`` becomes ``imageName``; AC Names are split into identifiers and names.

Names of mount points, ports, volumes and apps might hold ``.`` and ``/`` before. They only tie parts of one pod
together, and they become paths and words of a command line: each is made an AC Name, the same one wherever it stands.
"""

from __future__ import annotations

from rkt.schema.migration import find_key, get, get_objects, rename
from rkt.schema.names import find_name_problem, sanitize_ac_name
from rkt.schema.problems import InvalidValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON

_OLD_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-./")


def migrate_image(document: dict[str, JSON]) -> None:
    """The dependencies of an image."""
    for dependency in get_objects(document, "dependencies"):
        rename(dependency, "app", "imageName")


def migrate_app(app: dict[str, JSON]) -> None:
    """The names of mount points and ports."""
    for owner in ("mountPoints", "ports"):
        for index, item in enumerate(get_objects(app, owner)):
            _make_name(item, "name", spare=f"{owner[:-1].lower()}-{index}")


def migrate_pod(document: dict[str, JSON]) -> None:
    """The names of apps, volumes and published ports, and the mounts that use them."""
    for owner in ("apps", "volumes", "ports"):
        for index, item in enumerate(get_objects(document, owner)):
            _make_name(item, "name", spare=f"{owner[:-1]}-{index}")
    for entry in get_objects(document, "apps"):
        for mount in get_objects(entry, "mounts"):
            _make_name(mount, "volume", spare="volume")
            _make_name(mount, "mountPoint", spare="mountpoint")


def _make_name(members: dict[str, JSON], member: str, *, spare: str) -> None:
    """Make a member an AC Name if it was a name then; ``spare`` serves for one without letters or digits."""
    name = get(members, member)
    if not isinstance(name, str) or not name or not _OLD_CHARACTERS.issuperset(name) or not find_name_problem(name):
        return
    try:
        clean = sanitize_ac_name(name)
    except InvalidValueError:
        clean = spare
    members[find_key(members, member) or member] = clean
