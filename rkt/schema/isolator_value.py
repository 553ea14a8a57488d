"""What the values of the known isolators mean: typed values in base units (ISO-005..067, static part).

It says what was asked for; whether and how it is enforced is the executor's (:mod:`rkt.stage1`). Names of
capabilities, system calls and errnos are not looked up: what a kernel does not know is reported when it is applied.
"""

from __future__ import annotations

from rkt.schema import isolator as names
from rkt.schema.json_reader import JSONNumber
from rkt.schema.quantity import MAX_INT64, Quantity, find_quantity_problem, parse_quantity
from rkt.schema.reading import Members, Reading, decode_string_map, describe, find_integer_problem, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rkt.schema.isolator import Isolator
    from rkt.schema.json_reader import JSON

#: the wildcards that the specification defines in its own scope
EMPTY_SET, ALL_SET = "@appc.io/empty", "@appc.io/all"

_UPPER_ALPHANUMERIC = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_SET_MEMBERS = member_names("set")
_SECCOMP_MEMBERS = member_names("set", "errno")
_RESOURCE_MEMBERS = member_names("default", "request", "limit")
_SELINUX_MEMBERS = member_names("user", "role", "type", "level")


class Memory(Value):
    """``resource/memory`` in bytes; None = not given. ``request_bytes`` is the limit when only that was given."""

    __slots__ = ("limit_bytes", "request_bytes")
    _fields = ("request_bytes", "limit_bytes")
    request_bytes: int | None
    limit_bytes: int | None

    def __init__(self, *, request_bytes: int | None, limit_bytes: int | None) -> None:
        self._freeze(request_bytes, limit_bytes)


class Cpu(Value):
    """``resource/cpu`` in thousandths of a core; None = not given. The request defaults to the limit."""

    __slots__ = ("limit_millicores", "request_millicores")
    _fields = ("request_millicores", "limit_millicores")
    request_millicores: int | None
    limit_millicores: int | None

    def __init__(self, *, request_millicores: int | None, limit_millicores: int | None) -> None:
        self._freeze(request_millicores, limit_millicores)


class Rate(Value):
    """``resource/block-bandwidth``, ``block-iops`` or ``network-bandwidth``: bytes or operations per second."""

    __slots__ = ("limit_per_second", "name")
    _fields = ("name", "limit_per_second")
    name: str
    limit_per_second: int | None

    def __init__(self, *, name: str, limit_per_second: int | None) -> None:
        self._freeze(name, limit_per_second)


class Capabilities(Value):
    """``retain``: exactly these ``capabilities`` are kept; else these are taken from the default set."""

    __slots__ = ("capabilities", "retain")
    _fields = ("capabilities", "retain")
    capabilities: tuple[str, ...]
    retain: bool

    def __init__(self, *, capabilities: tuple[str, ...], retain: bool) -> None:
        self._freeze(capabilities, retain)


class Seccomp(Value):
    """``retain``: only these ``syscalls`` pass; else these are blocked. ``errno`` ``""`` = killed by SIGSYS.

    Entries that start with ``@`` are wildcards. :data:`EMPTY_SET` and :data:`ALL_SET` mask all other entries.
    """

    __slots__ = ("errno", "retain", "syscalls")
    _fields = ("syscalls", "errno", "retain")
    syscalls: tuple[str, ...]
    errno: str
    retain: bool

    def __init__(self, *, syscalls: tuple[str, ...], errno: str, retain: bool) -> None:
        self._freeze(syscalls, errno, retain)


class NoNewPrivileges(Value):
    """``os/linux/no-new-privileges``."""

    __slots__ = ("enabled",)
    _fields = ("enabled",)
    enabled: bool

    def __init__(self, *, enabled: bool) -> None:
        self._freeze(enabled)


class OomScoreAdjustment(Value):
    """``os/linux/oom-score-adj``: -1000 to 1000."""

    __slots__ = ("adjustment",)
    _fields = ("adjustment",)
    adjustment: int

    def __init__(self, *, adjustment: int) -> None:
        self._freeze(adjustment)


class CpuShares(Value):
    """``os/linux/cpu-shares``: relative weight, 2 to 262144."""

    __slots__ = ("shares",)
    _fields = ("shares",)
    shares: int

    def __init__(self, *, shares: int) -> None:
        self._freeze(shares)


class Sysctl(Value):
    """``os/unix/sysctl``: pairs of key and value, sorted by key."""

    __slots__ = ("settings",)
    _fields = ("settings",)
    settings: tuple[tuple[str, str], ...]

    def __init__(self, *, settings: tuple[tuple[str, str], ...]) -> None:
        self._freeze(settings)


class SelinuxContext(Value):
    """``os/linux/selinux-context``; ``str()`` is the process label."""

    __slots__ = ("level", "role", "type", "user")
    _fields = ("user", "role", "type", "level")
    user: str
    role: str
    type: str
    level: str

    def __init__(self, *, user: str, role: str, type: str, level: str) -> None:
        self._freeze(user, role, type, level)

    def __str__(self) -> str:
        return f"{self.user}:{self.role}:{self.type}:{self.level}"


def decode_isolator_value(isolator: Isolator) -> Value | None:
    """What ``isolator`` asks for; None when its name is not known (such isolators are ignored and reported).

    Raises :class:`~rkt.schema.problems.ManifestError`, never for an isolator out of a decoded manifest.
    """
    if isolator.name not in _DECODERS:
        return None
    reading = Reading(f'isolator "{isolator.name}"')
    value = check_value(isolator.name, isolator.value, "value", reading)
    reading.finish()
    return value


def check_value(name: str, value: JSON, path: str, reading: Reading) -> Value:
    """The typed value of a known isolator; problems are reported below ``path``."""
    if value is None:
        reading.report(path, "is required")
        value, reading = {}, Reading("")
    return _DECODERS[name](name, value, path, reading)


def _decode_no_new_privileges(name: str, value: JSON, path: str, reading: Reading) -> Value:
    if type(value) is not bool:
        reading.report(path, f"must be true or false, not {describe(value)}")
    return NoNewPrivileges(enabled=value is True)


def _decode_integer(value: JSON, path: str, reading: Reading, *, low: int, high: int) -> int:
    why = find_integer_problem(value, low=low, high=high)
    if why is not None:
        reading.report(path, why)
    return value if type(value) is int else low


def _decode_oom_score_adj(name: str, value: JSON, path: str, reading: Reading) -> Value:
    return OomScoreAdjustment(adjustment=_decode_integer(value, path, reading, low=-1000, high=1000))


def _decode_cpu_shares(name: str, value: JSON, path: str, reading: Reading) -> Value:
    return CpuShares(shares=_decode_integer(value, path, reading, low=2, high=262144))


def _decode_set(members: Members) -> tuple[str, ...]:
    entries = members.strings("set")
    if not members.items("set"):
        members.report("set", "must not be empty" if "set" in members.given else "is required")
    return entries


def _decode_capabilities(name: str, value: JSON, path: str, reading: Reading) -> Value:
    members = Members(value, path, reading, _SET_MEMBERS)
    return Capabilities(capabilities=_decode_set(members), retain=name == names.CAPABILITIES_RETAIN)


def _find_errno_problem(text: str) -> str | None:
    if text and (text[0] != "E" or not _UPPER_ALPHANUMERIC.issuperset(text)):
        return "must start with E and hold only upper-case letters and digits"
    return None


def _decode_seccomp(name: str, value: JSON, path: str, reading: Reading) -> Value:
    members = Members(value, path, reading, _SECCOMP_MEMBERS)
    syscalls = _decode_set(members)
    for index, syscall in enumerate(syscalls):
        if syscall.startswith("@appc.io/") and syscall not in (EMPTY_SET, ALL_SET):
            members.report(f"set[{index}]", "is in the scope @appc.io/, which is reserved, and not defined there")
    errno = members.string("errno", _find_errno_problem)
    return Seccomp(syscalls=syscalls, errno=errno, retain=name == names.SECCOMP_RETAIN)


def _decode_sysctl(name: str, value: JSON, path: str, reading: Reading) -> Value:
    return Sysctl(settings=decode_string_map(value, path, reading))


def _decode_selinux(name: str, value: JSON, path: str, reading: Reading) -> Value:
    members = Members(value, path, reading, _SELINUX_MEMBERS)
    return SelinuxContext(
        user=members.string("user", _find_selinux_problem, required=True),
        role=members.string("role", _find_selinux_problem, required=True),
        type=members.string("type", _find_selinux_problem, required=True),
        level=members.string("level", _find_level_problem, required=True),
    )


def _find_level_problem(text: str) -> str | None:
    return None if text else "must not be empty"


def _find_selinux_problem(text: str) -> str | None:
    return _find_level_problem(text) or ('must not contain ":"' if ":" in text else None)


def _decode_quantity(members: Members, name: str) -> Quantity | None:
    """A quantity as string (blanks around it do not count) or number; None when absent or bad."""
    value = members.given.get(name)
    if value is None:
        return None
    if isinstance(value, JSONNumber):
        text = value.text
    elif type(value) is str:
        text = value.strip(" \t\n\r")
    elif type(value) is int:
        text = str(value)
    else:
        members.report(name, f"must be a quantity, not {describe(value)}")
        return None
    why = find_quantity_problem(text)
    if why is None and parse_quantity(text).nano < 0:
        why = "must not be negative"
    if why is not None:
        members.report(name, why)
        return None
    return parse_quantity(text)


def _cap(number: int | None) -> int | None:
    """``number``, at most what the kernel's 63 bits hold (which is no limit at all)."""
    return None if number is None else min(number, MAX_INT64)


def _decode_resource(name: str, value: JSON, path: str, reading: Reading) -> Value:
    members = Members(value, path, reading, _RESOURCE_MEMBERS)
    if members.boolean("default"):
        members.report("default", "must not be true")
    limit = _decode_quantity(members, "limit")
    request = _decode_quantity(members, "request") if members.given.get("request") is not None else limit
    if name == names.CPU:
        return Cpu(
            request_millicores=_cap(None if request is None else request.milli),
            limit_millicores=_cap(None if limit is None else limit.milli),
        )
    return Memory(
        request_bytes=_cap(None if request is None else request.base),
        limit_bytes=_cap(None if limit is None else limit.base),
    )


def _decode_rate(name: str, value: JSON, path: str, reading: Reading) -> Value:
    members = Members(value, path, reading, _RESOURCE_MEMBERS)
    if members.given.get("default") is not True:
        members.report("default", "must be true")
    if members.given.get("request") is not None:
        members.report("request", "is not supported for this resource")
    limit = _decode_quantity(members, "limit")
    return Rate(name=name, limit_per_second=_cap(None if limit is None else limit.base))


_DECODERS: dict[str, Callable[[str, JSON, str, Reading], Value]] = {
    names.BLOCK_BANDWIDTH: _decode_rate,
    names.BLOCK_IOPS: _decode_rate,
    names.CAPABILITIES_REMOVE: _decode_capabilities,
    names.CAPABILITIES_RETAIN: _decode_capabilities,
    names.CPU: _decode_resource,
    names.CPU_SHARES: _decode_cpu_shares,
    names.MEMORY: _decode_resource,
    names.NETWORK_BANDWIDTH: _decode_rate,
    names.NO_NEW_PRIVILEGES: _decode_no_new_privileges,
    names.OOM_SCORE_ADJ: _decode_oom_score_adj,
    names.SECCOMP_REMOVE: _decode_seccomp,
    names.SECCOMP_RETAIN: _decode_seccomp,
    names.SELINUX_CONTEXT: _decode_selinux,
    names.SYSCTL: _decode_sysctl,
}
