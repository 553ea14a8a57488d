"""0.2.0 -> 0.3.0: the environment becomes a list, isolators get names with dashes, volumes get a name.

A volume said which mount points it fulfils; from 0.3.0 on it has a name. A mount point takes the volume of its own
name, so one volume for each fulfilled mount point says the same (two mount points on one ``empty`` volume no longer
share it).
"""

from __future__ import annotations

from rkt.schema.migration import find_key, get, get_objects, list_from_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON

#: spellings of the text and of its examples -> those of 0.3.0
_ISOLATORS: dict[str, JSON] = {
    "cpu/shares/": "cpu/shares",
    "blockIO/readBandwidth": "block-io/read-bandwidth",
    "blockIO/writeBandwidth": "block-io/write-bandwidth",
    "networkIO/readBandwidth": "network-io/read-bandwidth",
    "networkIO/writeBandwidth": "network-io/write-bandwidth",
    "privateNetwork": "private-network",
    "capabilities/boundingSet": "capabilities/bounding-set",
}


def migrate_app(app: dict[str, JSON]) -> None:
    """The environment of an app."""
    list_from_object(app, "environment")


def migrate_isolators(isolators: list[JSON]) -> None:
    """The name of each isolator."""
    for isolator in isolators:
        if isinstance(isolator, dict):
            name = get(isolator, "name")
            if isinstance(name, str) and name in _ISOLATORS:
                isolator[find_key(isolator, "name") or "name"] = _ISOLATORS[name]


def migrate_pod(document: dict[str, JSON]) -> None:
    """The volumes of a pod, and the names of isolators that stand in its app entries."""
    for entry in get_objects(document, "apps"):
        isolators = get(entry, "isolators")
        if isinstance(isolators, list):
            migrate_isolators(isolators)
    key = find_key(document, "volumes")
    if key is None or not isinstance(document[key], list):
        return
    named: list[JSON] = []
    for volume in get_objects(document, "volumes"):
        named.extend(_name_volume(volume))
    document[key] = named


def _name_volume(volume: dict[str, JSON]) -> list[dict[str, JSON]]:
    fulfills = get(volume, "fulfills")
    if get(volume, "name") is not None or not isinstance(fulfills, list) or not fulfills:
        return [volume]
    rest = {name: value for name, value in volume.items() if name.lower() != "fulfills"}
    return [{"name": name, **rest} for name in fulfills]
