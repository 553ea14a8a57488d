"""One network of a pod, as ``net-info.json`` records it: JSON to typed values and back. Pure, no I/O.

What a network is and how it is set up is the business of :mod:`rkt.network`. Facts: rkt 1.30, sections 1.8.1 and 2.5,
Appendix B of the behaviour document.
"""

from __future__ import annotations

from rkt.pod.errors import PodContentError
from rkt.schema.value import Value

#: name in JSON -> attribute
_MEMBERS = {
    "netName": "name",
    "netConf": "conf",
    "pluginPath": "plugin_path",
    "ifName": "interface",
    "ip": "ip",
    "args": "args",
    "mask": "mask",
}


class NetworkInfo(Value):
    """A network of a pod: all text, ``conf`` and ``plugin_path`` relative to the pod, ``mask`` as a dotted quad."""

    __slots__ = _fields = ("args", "conf", "interface", "ip", "mask", "name", "plugin_path")
    name: str
    conf: str
    plugin_path: str
    interface: str
    ip: str
    args: str
    mask: str

    def __init__(
        self,
        *,
        name: str,
        conf: str = "",
        plugin_path: str = "",
        interface: str = "",
        ip: str = "",
        args: str = "",
        mask: str = "",
    ) -> None:
        self._freeze(args, conf, interface, ip, mask, name, plugin_path)

    def to_json(self) -> dict[str, str]:
        """The members in their documented order."""
        return {member: getattr(self, attribute) for member, attribute in _MEMBERS.items()}

    def describe(self) -> str:
        """``name:ip4=ADDRESS``, as list and status show it."""
        return f"{self.name}:ip4={self.ip}"


def decode_networks(data: bytes, *, source: str) -> tuple[NetworkInfo, ...]:
    """The networks in the bytes of a ``net-info.json``. Raises PodContentError; unknown members are passed over."""
    from rkt.schema.json_reader import decode_json
    from rkt.schema.problems import ManifestError

    try:
        document: object = decode_json(data, source=source)
    except ManifestError as error:
        raise PodContentError(error.message) from error
    if document is None:
        return ()
    if not isinstance(document, list):
        raise PodContentError(f'cannot read "{source}": it is not a list')
    return tuple(_decode_network(item, source) for item in document)


def _decode_network(item: object, source: str) -> NetworkInfo:
    if not isinstance(item, dict):
        raise PodContentError(f'cannot read "{source}": a network is not an object')
    members: dict[str, str] = {}
    for member, attribute in _MEMBERS.items():
        value = item.get(member, "")
        if not isinstance(value, str):
            raise PodContentError(f'cannot read "{source}": a network\'s {attribute} is not text')
        members[attribute] = value
    return NetworkInfo(**members)
