"""The ``app`` object: what to execute and under which conditions (appc aci.md, IMG-010..061).

Names of users are not looked up, paths not resolved, handlers not run: that needs a root filesystem.
"""

from __future__ import annotations

from rkt.schema.isolator import Isolator, decode_app_isolators
from rkt.schema.json_writer import boolean_text, list_text, object_text, string_text, strings_text
from rkt.schema.named_value import NamedValue, decode_named_values, report_repeated
from rkt.schema.names import find_name_problem
from rkt.schema.problems import quoted
from rkt.schema.reading import (
    Members,
    find_absolute_path_problem,
    find_argument_problem,
    find_integer_problem,
    find_path_problem,
    member_names,
)
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

    #: a user map: pairs sorted by name
    Pairs: TypeAlias = tuple[tuple[str, str], ...]

#: the names that an event handler may have
EVENTS = ("pre-start", "post-stop")
#: the largest user or group ID; the one above stands for "none"
MAX_ID = (1 << 32) - 2
MAX_PORT = 65535

_APP = member_names(
    *("exec", "eventHandlers", "user", "group", "supplementaryGIDs", "workingDirectory", "environment"),
    *("mountPoints", "ports", "isolators", "userAnnotations", "userLabels"),
)
_EVENT_HANDLER = member_names("name", "exec")
_MOUNT_POINT = member_names("name", "path", "readOnly")
_PORT = member_names("name", "protocol", "port", "count", "socketActivated")


class EventHandler(Value):
    """``name`` is ``pre-start`` or ``post-stop``; ``exec`` what to run then."""

    __slots__ = ("exec", "name", "unknown")
    _fields = ("name", "exec", "unknown")
    name: str
    exec: tuple[str, ...]
    unknown: Unknown

    def __init__(self, *, name: str, exec: Sequence[str] = (), unknown: Unknown = ()) -> None:
        self._freeze(name, tuple(exec), unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        return object_text((("name", string_text(self.name)), ("exec", exec_text(self.exec))), self.unknown)


class EnvironmentVariable(NamedValue):
    """A variable of the app's environment; the value is passed on verbatim."""

    __slots__ = ()


class MountPoint(Value):
    """A place in the app's root filesystem where a volume goes; ``path`` is relative to that root even with ``/``."""

    __slots__ = ("name", "path", "read_only", "unknown")
    _fields = ("name", "path", "read_only", "unknown")
    name: str
    path: str
    read_only: bool
    unknown: Unknown

    def __init__(self, *, name: str, path: str, read_only: bool = False, unknown: Unknown = ()) -> None:
        self._freeze(name, path, read_only, unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("name", string_text(self.name)),
            ("path", string_text(self.path)),
            ("readOnly", "true" if self.read_only else None),
        )
        return object_text(members, self.unknown)


class Port(Value):
    """A range of ``count`` ports from ``port`` on that the app listens on."""

    __slots__ = ("count", "name", "port", "protocol", "socket_activated", "unknown")
    _fields = ("name", "protocol", "port", "count", "socket_activated", "unknown")
    name: str
    protocol: str
    port: int
    count: int
    socket_activated: bool
    unknown: Unknown

    def __init__(
        self,
        *,
        name: str,
        protocol: str,
        port: int,
        count: int = 1,
        socket_activated: bool = False,
        unknown: Unknown = (),
    ) -> None:
        self._freeze(name, protocol, port, count, socket_activated, unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("name", string_text(self.name)),
            ("protocol", string_text(self.protocol)),
            ("port", str(self.port)),
            ("count", str(self.count)),
            ("socketActivated", boolean_text(self.socket_activated)),
        )
        return object_text(members, self.unknown)


class App(Value):
    """How to execute an app. ``user_annotations`` and ``user_labels`` are pairs sorted by name and steer nothing."""

    _fields = (
        *("exec", "user", "group", "event_handlers", "supplementary_gids", "working_directory", "environment"),
        *("mount_points", "ports", "isolators", "user_annotations", "user_labels", "unknown"),
    )
    __slots__ = _fields
    exec: tuple[str, ...]
    user: str
    group: str
    event_handlers: tuple[EventHandler, ...]
    supplementary_gids: tuple[int, ...]
    #: empty = not given, which means ``/``
    working_directory: str
    environment: tuple[EnvironmentVariable, ...]
    mount_points: tuple[MountPoint, ...]
    ports: tuple[Port, ...]
    isolators: tuple[Isolator, ...]
    user_annotations: Pairs
    user_labels: Pairs
    unknown: Unknown

    def __init__(
        self,
        *,
        exec: Sequence[str] = (),
        user: str,
        group: str,
        event_handlers: Sequence[EventHandler] = (),
        supplementary_gids: Sequence[int] = (),
        working_directory: str = "",
        environment: Sequence[EnvironmentVariable] = (),
        mount_points: Sequence[MountPoint] = (),
        ports: Sequence[Port] = (),
        isolators: Sequence[Isolator] = (),
        user_annotations: Pairs = (),
        user_labels: Pairs = (),
        unknown: Unknown = (),
    ) -> None:
        self._freeze(
            *(tuple(exec), user, group, tuple(event_handlers), tuple(supplementary_gids), working_directory),
            *(tuple(environment), tuple(mount_points), tuple(ports), tuple(isolators)),
            *(user_annotations, user_labels, unknown),
        )

    def json_text(self) -> str:
        """The canonical JSON text; ``exec``, ``user`` and ``group`` are always there."""
        gids = self.supplementary_gids
        directory = self.working_directory
        members = (
            ("exec", exec_text(self.exec)),
            ("eventHandlers", values_text(self.event_handlers)),
            ("user", string_text(self.user)),
            ("group", string_text(self.group)),
            ("supplementaryGIDs", list_text(map(str, gids)) if gids else None),
            ("workingDirectory", string_text(directory) if directory else None),
            ("environment", values_text(self.environment)),
            ("mountPoints", values_text(self.mount_points)),
            ("ports", values_text(self.ports)),
            ("isolators", values_text(self.isolators)),
            ("userAnnotations", pairs_text(self.user_annotations)),
            ("userLabels", pairs_text(self.user_labels)),
        )
        return object_text(members, self.unknown)


def exec_text(arguments: tuple[str, ...]) -> str:
    """A command line; an empty one is null, as the original writes one that is not given."""
    return strings_text(arguments) if arguments else "null"


def values_text(values: Sequence[EventHandler | NamedValue | MountPoint | Port | Isolator]) -> str | None:
    """A list of values; None (left out) when it is empty."""
    return list_text(value.json_text() for value in values) if values else None


def pairs_text(pairs: Pairs) -> str | None:
    """A user map; None (left out) when it is empty."""
    if not pairs:
        return None
    return "{" + ",".join(f"{string_text(name)}:{string_text(value)}" for name, value in pairs) + "}"


def decode_app(value: JSON, path: str, reading: Reading) -> App:
    """The ``app`` object at ``path``."""
    members = Members(value, path, reading, _APP)
    return App(
        exec=members.strings("exec", find_argument_problem),
        event_handlers=_decode_event_handlers(members),
        user=members.string("user", find_path_problem, required=True),
        group=members.string("group", find_path_problem, required=True),
        supplementary_gids=_decode_gids(members),
        working_directory=members.string("workingDirectory", _find_directory_problem),
        environment=_decode_environment(members),
        mount_points=tuple(
            _decode_mount_point(item, members.at(f"mountPoints[{index}]"), reading)
            for index, item in enumerate(members.items("mountPoints"))
        ),
        ports=tuple(
            decode_port(item, members.at(f"ports[{index}]"), reading)
            for index, item in enumerate(members.items("ports"))
        ),
        isolators=decode_app_isolators(members.items("isolators"), members.at("isolators"), reading),
        user_annotations=members.string_map("userAnnotations"),
        user_labels=members.string_map("userLabels"),
        unknown=members.unknown,
    )


def _find_directory_problem(text: str) -> str | None:
    return find_absolute_path_problem(text) if text else None


def _decode_event_handlers(members: Members) -> tuple[EventHandler, ...]:
    handlers = tuple(
        _decode_event_handler(item, members.at(f"eventHandlers[{index}]"), members.reading)
        for index, item in enumerate(members.items("eventHandlers"))
    )
    report_repeated([handler.name for handler in handlers], members.at("eventHandlers"), members.reading)
    return handlers


def _find_event_problem(text: str) -> str | None:
    return None if text in EVENTS else f'must be "{EVENTS[0]}" or "{EVENTS[1]}", not {quoted(text)}'


def _decode_event_handler(value: JSON, path: str, reading: Reading) -> EventHandler:
    members = Members(value, path, reading, _EVENT_HANDLER)
    return EventHandler(
        name=members.string("name", _find_event_problem, required=True),
        exec=members.strings("exec", find_argument_problem),
        unknown=members.unknown,
    )


def _decode_gids(members: Members) -> tuple[int, ...]:
    gids: list[int] = []
    for index, item in enumerate(members.items("supplementaryGIDs")):
        why = find_integer_problem(item, low=0, high=MAX_ID)
        if why is not None:
            members.report(f"supplementaryGIDs[{index}]", why)
        elif type(item) is int:
            gids.append(item)
    return tuple(gids)


def _decode_environment(members: Members) -> tuple[EnvironmentVariable, ...]:
    path, reading = members.at("environment"), members.reading
    items = members.items("environment")
    variables = decode_named_values(
        items, path, reading, kind=EnvironmentVariable, find_problem=reading.rules.environment_name
    )
    report_repeated([variable.name for variable in variables], path, reading)
    for index, variable in enumerate(variables):
        why = find_argument_problem(variable.value)
        if why is not None:
            reading.report(f"{path}[{index}].value", why)
    return variables


def _decode_mount_point(value: JSON, path: str, reading: Reading) -> MountPoint:
    members = Members(value, path, reading, _MOUNT_POINT)
    return MountPoint(
        name=members.string("name", find_name_problem, required=True),
        path=members.string("path", find_path_problem, required=True),
        read_only=members.boolean("readOnly") or False,
        unknown=members.unknown,
    )


def decode_port(value: JSON, path: str, reading: Reading) -> Port:
    """The port object at ``path``: the whole range must lie in 1 to 65535."""
    members = Members(value, path, reading, _PORT)
    port = members.integer("port", low=1, high=MAX_PORT, required=True) or 1
    count = members.integer("count", low=1) or 1
    if port + count - 1 > MAX_PORT:
        members.report("count", f"makes the range end at {port + count - 1}, above {MAX_PORT}")
    return Port(
        name=members.string("name", find_name_problem, required=True),
        protocol=members.string("protocol", find_path_problem, required=True),
        port=port,
        count=count,
        socket_activated=members.boolean("socketActivated") or False,
        unknown=members.unknown,
    )
