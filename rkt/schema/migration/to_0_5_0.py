"""0.4.x -> 0.5.0: the container runtime manifest becomes the pod manifest.

The pod's UUID left the manifest for the metadata service in 0.5.1; it is data of one run and is dropped here.
"""

from __future__ import annotations

from rkt.schema.migration import find_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON


def migrate_pod(document: dict[str, JSON]) -> None:
    """Kind and UUID of a pod."""
    document[find_key(document, "acKind") or "acKind"] = "PodManifest"
    key = find_key(document, "uuid")
    if key is not None:
        del document[key]
