"""0.5.1 -> 0.5.2: code and text agree on the names of the isolators.

The code said ``revoke-set`` where the text said ``remove-set``; 0.4.0's headings lacked ``os/``, and an example of
0.5.1 had ``resources/cpu``.
"""

from __future__ import annotations

from rkt.schema.migration import find_key, get

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON

_NAMES: dict[str, JSON] = {
    "os/linux/capabilities-revoke-set": "os/linux/capabilities-remove-set",
    "linux/capabilities-revoke-set": "os/linux/capabilities-remove-set",
    "linux/capabilities-remove-set": "os/linux/capabilities-remove-set",
    "linux/capabilities-retain-set": "os/linux/capabilities-retain-set",
    "resources/cpu": "resource/cpu",
}


def migrate_isolators(isolators: list[JSON]) -> None:
    """The name of each isolator."""
    for isolator in isolators:
        if isinstance(isolator, dict):
            name = get(isolator, "name")
            if isinstance(name, str) and name in _NAMES:
                isolator[find_key(isolator, "name") or "name"] = _NAMES[name]
