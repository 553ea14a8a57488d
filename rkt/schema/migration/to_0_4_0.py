"""0.3.0 -> 0.4.0: isolators take any JSON value and get today's names; a pod's app entries get an ``image`` object.

Units: up to 0.3.0 the suffixes K, M, G and T of bytes were powers of 1024. Isolators without a successor
(``private-network``, ``cpu/mask``, ``block-io/*``, ``network-io/*``) stay, to be reported as ignored.
"""

from __future__ import annotations

from rkt.schema.migration import find_key, get, get_list, get_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.schema.json_reader import JSON

#: what a kernel makes of values outside its range (kernel/sched: MIN_SHARES, MAX_SHARES)
_MIN_SHARES, _MAX_SHARES = 2, 262144
#: the default bounding set: taking all of it away leaves none, which an empty retain-set cannot say
_DEFAULT_CAPABILITIES = (
    *("CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD"),
    *("CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP"),
    "CAP_SYS_CHROOT",
)


def migrate_isolators(isolators: list[JSON]) -> None:
    """Name and value of each isolator."""
    for isolator in isolators:
        if isinstance(isolator, dict):
            name, value = get(isolator, "name"), get(isolator, "value")
            convert = _CONVERSIONS.get(name) if isinstance(name, str) else None
            converted = convert(value) if convert is not None and isinstance(value, str) else None
            if converted is not None:
                isolator[find_key(isolator, "name") or "name"] = converted[0]
                isolator[find_key(isolator, "value") or "value"] = converted[1]


def _convert_memory(value: str) -> tuple[JSON, JSON] | None:
    """Bytes with suffixes to the base 1024."""
    digits, suffix = (value[:-1], value[-1:] + "i") if value[-1:] in ("K", "M", "G", "T") else (value, "")
    if not (digits.isascii() and digits.isdigit()):
        return None
    return "resource/memory", {"limit": digits + suffix}


def _convert_shares(value: str) -> tuple[JSON, JSON] | None:
    """CPU shares, brought into the kernel's range as the kernel did it."""
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        return None
    return "os/linux/cpu-shares", max(_MIN_SHARES, min(int(value), _MAX_SHARES))


def _convert_bounding_set(value: str) -> tuple[JSON, JSON]:
    """Capabilities separated by blanks; 0.1.1's own example forgot one, so every CAP_ starts a name."""
    kept: list[JSON] = [*value.replace("CAP_", " CAP_").split()]
    if not kept:
        return "os/linux/capabilities-remove-set", {"set": [*_DEFAULT_CAPABILITIES]}
    return "os/linux/capabilities-retain-set", {"set": kept}


_CONVERSIONS: dict[str, Callable[[str], tuple[JSON, JSON] | None]] = {
    "memory/limit": _convert_memory,
    "cpu/shares": _convert_shares,
    "capabilities/bounding-set": _convert_bounding_set,
}


def migrate_pod(document: dict[str, JSON]) -> None:
    """The entries of ``apps``: ``app`` was the app's name, ``imageID`` stood beside it."""
    for index, entry in enumerate(get_objects(document, "apps")):
        name = _take_name(entry, index)
        image = get(entry, "image")
        if image is None:
            entry[find_key(entry, "image") or "image"] = image = {}
            key = find_key(entry, "imageID")
            if key is not None:
                image["id"] = entry.pop(key)
            if "/" in name or "." in name:
                image["name"] = name
        isolators = get_list(entry, "isolators")
        if isolators is not None:
            migrate_isolators(isolators)
            _bound_app(entry, isolators)


def _take_name(entry: dict[str, JSON], index: int) -> str:
    """The name of an app entry, put under ``name``; one without a name gets a number."""
    name, key = get(entry, "name"), find_key(entry, "app")
    app = entry.get(key) if key is not None else None
    if key is not None and isinstance(app, str):
        del entry[key]
        name = app if name is None else name
    if name is None:
        name = f"app-{index}"
    entry[find_key(entry, "name") or "name"] = name
    return name if isinstance(name, str) else ""


def _bound_app(entry: dict[str, JSON], isolators: list[JSON]) -> None:
    """Isolators of an entry move into its ``app``; without one they stay as an unknown member."""
    app = get(entry, "app")
    if isinstance(app, dict):
        del entry[find_key(entry, "isolators") or "isolators"]
        key = find_key(app, "isolators") or "isolators"
        own = app.get(key)
        app[key] = [*own, *isolators] if isinstance(own, list) else isolators
