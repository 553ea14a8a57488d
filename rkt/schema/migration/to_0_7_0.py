"""0.6.1 -> 0.7.0: CPU quantities are cores instead of thousandths of a core; mounts name a path.

Until then a mount named a mount point; its path stands in the ``app`` of the same entry. When there is none (the app is
the image's), a volume of the mount point's name says the same; any other mount stays without a path and is reported.
"""

from __future__ import annotations

from rkt.schema.json_reader import JSONNumber
from rkt.schema.migration import find_key, get, get_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON

_DIGITS = frozenset("0123456789.")


def migrate_isolators(isolators: list[JSON]) -> None:
    """Request and limit of ``resource/cpu``."""
    for isolator in isolators:
        if isinstance(isolator, dict) and get(isolator, "name") == "resource/cpu":
            value = get(isolator, "value")
            if isinstance(value, dict):
                for member in ("request", "limit"):
                    _convert_millicores(value, member)


def _convert_millicores(value: dict[str, JSON], member: str) -> None:
    """A plain number is thousandths of a core. Who wrote a suffix wrote cores, as the code of then read them."""
    key = find_key(value, member)
    number = None if key is None else value[key]
    if isinstance(number, JSONNumber):
        number = number.text
    elif isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if key is not None and isinstance(number, str) and number.strip() and _DIGITS.issuperset(number.strip()):
        value[key] = f"{number.strip()}m"


def migrate_pod(document: dict[str, JSON]) -> None:
    """The mounts of each app entry."""
    for entry in get_objects(document, "apps"):
        app = get(entry, "app")
        paths = {}
        for mount_point in get_objects(app, "mountPoints") if isinstance(app, dict) else ():
            name = get(mount_point, "name")
            if isinstance(name, str):
                paths[name] = get(mount_point, "path")
        key = find_key(entry, "mounts")
        mounts = None if key is None else entry[key]
        if key is not None and isinstance(mounts, list):
            entry[key] = [mount for mount in mounts if not _turn_mount(mount, paths)]


def _turn_mount(mount: JSON, paths: dict[str, JSON]) -> bool:
    """Give a mount its path; True when it can go, because the volume has the mount point's name."""
    if not isinstance(mount, dict) or get(mount, "path") is not None:
        return False
    mount_point = get(mount, "mountPoint")
    if not isinstance(mount_point, str):
        return False
    if mount_point in paths:
        mount["path"] = paths[mount_point]
        del mount[find_key(mount, "mountPoint") or "mountPoint"]
        return False
    return mount_point == get(mount, "volume")
