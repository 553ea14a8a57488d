"""Ports of a pod that are published on the host (appc pods.md, POD-035..041)."""

from __future__ import annotations

from rkt.schema.app import MAX_PORT, Port, decode_port
from rkt.schema.json_writer import object_text, string_text
from rkt.schema.names import find_name_problem
from rkt.schema.reading import Members, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

_DIGITS = frozenset("0123456789")
_MEMBERS = member_names("name", "hostPort", "hostIP", "podPort")


class ExposedPort(Value):
    """Port ``name`` of the pod's apps (or ``pod_port`` itself) on ``host_port`` of ``host_ip`` (empty = all)."""

    __slots__ = ("host_ip", "host_port", "name", "pod_port", "unknown")
    _fields = ("name", "host_port", "host_ip", "pod_port", "unknown")
    name: str
    host_port: int
    host_ip: str
    pod_port: Port | None
    unknown: Unknown

    def __init__(
        self, *, name: str, host_port: int, host_ip: str = "", pod_port: Port | None = None, unknown: Unknown = ()
    ) -> None:
        self._freeze(name, host_port, host_ip, pod_port, unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("name", string_text(self.name)),
            ("hostPort", str(self.host_port)),
            ("hostIP", string_text(self.host_ip) if self.host_ip else None),
            ("podPort", None if self.pod_port is None else self.pod_port.json_text()),
        )
        return object_text(members, self.unknown)


def decode_exposed_port(value: JSON, path: str, reading: Reading) -> ExposedPort:
    """The exposed port object at ``path``; its range on the host must lie in 1 to 65535."""
    members = Members(value, path, reading, _MEMBERS)
    port = members.given.get("podPort")
    pod_port = None if port is None else decode_port(port, members.at("podPort"), reading)
    host_port = members.integer("hostPort", low=1, high=MAX_PORT, required=True) or 1
    last = host_port + (1 if pod_port is None else pod_port.count) - 1
    if last > MAX_PORT:
        members.report("hostPort", f"makes the range on the host end at {last}, above {MAX_PORT}")
    return ExposedPort(
        name=members.string("name", find_name_problem, required=True),
        host_port=host_port,
        host_ip=members.string("hostIP", _find_ip_problem),
        pod_port=pod_port,
        unknown=members.unknown,
    )


def _find_ip_problem(text: str) -> str | None:
    """The original writes ``""`` for a ``hostIP`` that is not given: empty counts as absent."""
    parts = text.split(".")
    is_ip = len(parts) == 4 and all(
        part and _DIGITS.issuperset(part) and len(part) <= 3 and int(part) <= 255 and str(int(part)) == part
        for part in parts
    )
    return None if is_ip or not text else "must be an IPv4 address such as 192.0.2.1"
