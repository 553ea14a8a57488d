"""Isolators: a name and any JSON value, kept as given; the rules of a list of them (TYPE-028..032, ISO-015..067).

An isolator that is not known stays in the list, to be reported by whoever runs the app (appc allows ignoring it).
What the values of the known ones mean is in :mod:`rkt.schema.isolator_value`, which is imported when one is met.
"""

from __future__ import annotations

from rkt.schema.json_reader import parse_trusted
from rkt.schema.json_writer import json_text, object_text, string_text
from rkt.schema.reading import Members, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

BLOCK_BANDWIDTH = "resource/block-bandwidth"
BLOCK_IOPS = "resource/block-iops"
CAPABILITIES_REMOVE = "os/linux/capabilities-remove-set"
CAPABILITIES_RETAIN = "os/linux/capabilities-retain-set"
CPU = "resource/cpu"
CPU_SHARES = "os/linux/cpu-shares"
MEMORY = "resource/memory"
NETWORK_BANDWIDTH = "resource/network-bandwidth"
NO_NEW_PRIVILEGES = "os/linux/no-new-privileges"
OOM_SCORE_ADJ = "os/linux/oom-score-adj"
SECCOMP_REMOVE = "os/linux/seccomp-remove-set"
SECCOMP_RETAIN = "os/linux/seccomp-retain-set"
SELINUX_CONTEXT = "os/linux/selinux-context"
SYSCTL = "os/unix/sysctl"

KNOWN = frozenset(
    (
        *(BLOCK_BANDWIDTH, BLOCK_IOPS, CAPABILITIES_REMOVE, CAPABILITIES_RETAIN, CPU, CPU_SHARES, MEMORY),
        *(NETWORK_BANDWIDTH, NO_NEW_PRIVILEGES, OOM_SCORE_ADJ, SECCOMP_REMOVE, SECCOMP_RETAIN, SELINUX_CONTEXT, SYSCTL),
    )
)
#: at most one of each in the list of one app; the others may repeat, the last one counts
SINGLE_IN_APP = frozenset((CPU_SHARES, OOM_SCORE_ADJ, SECCOMP_REMOVE, SECCOMP_RETAIN, SELINUX_CONTEXT, SYSCTL))
#: at most one of each in the list of a pod
SINGLE_IN_POD = frozenset((SELINUX_CONTEXT, SYSCTL))
#: pairs that one list must not hold together
EXCLUSIVE = ((SECCOMP_REMOVE, SECCOMP_RETAIN), (CAPABILITIES_REMOVE, CAPABILITIES_RETAIN))

_MEMBERS = member_names("name", "value")


class Isolator(Value):
    """``name`` is an AC Identifier; ``value`` any JSON value, whose numbers and order of members are kept.

    ``value`` is decoded anew at each access, so that changing it changes nothing here.
    """

    __slots__ = ("name", "text", "unknown")
    _fields = ("name", "value", "unknown")
    name: str
    #: the value as canonical JSON text
    text: str
    unknown: Unknown

    def __init__(self, *, name: str, value: JSON, unknown: Unknown = ()) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "text", json_text(value))
        object.__setattr__(self, "unknown", unknown)

    @property
    def value(self) -> JSON:
        """The value as JSON: a number that is not a plain int is a :class:`~rkt.schema.json_reader.JSONNumber`."""
        return parse_trusted(self.text)

    def _key(self) -> tuple[object, ...]:
        return self.name, self.text, self.unknown

    def json_text(self) -> str:
        """The canonical JSON text."""
        return object_text((("name", string_text(self.name)), ("value", self.text)), self.unknown)


def find_isolator(isolators: Sequence[Isolator], name: str) -> Isolator | None:
    """The isolator that counts for ``name``: the last one of the list; None when there is none."""
    for isolator in reversed(isolators):
        if isolator.name == name:
            return isolator
    return None


def decode_app_isolators(items: Sequence[JSON], path: str, reading: Reading) -> tuple[Isolator, ...]:
    """The isolators of one app, with the rules for such a list."""
    isolators = _decode_isolators(items, path, reading)
    names = [isolator.name for isolator in isolators]
    _report_repeated(names, SINGLE_IN_APP, "app", path, reading)
    for first, second in EXCLUSIVE:
        if first in names and second in names:
            index = max(names.index(first), names.index(second))
            other = second if names[index] == first else first
            reading.report(f"{path}[{index}]", f"{names[index]} cannot be combined with {other}")
    return isolators


def decode_pod_isolators(items: Sequence[JSON], path: str, reading: Reading) -> tuple[Isolator, ...]:
    """The isolators of a pod."""
    isolators = _decode_isolators(items, path, reading)
    _report_repeated([isolator.name for isolator in isolators], SINGLE_IN_POD, "pod", path, reading)
    return isolators


def _report_repeated(names: list[str], single: frozenset[str], owner: str, path: str, reading: Reading) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in single and name in seen:
            reading.report(f"{path}[{index}]", f"{name} is allowed once for each {owner}")
        seen.add(name)


def _decode_isolators(items: Sequence[JSON], path: str, reading: Reading) -> tuple[Isolator, ...]:
    found: list[Isolator] = []
    for index, item in enumerate(items):
        members = Members(item, f"{path}[{index}]", reading, _MEMBERS)
        name = members.string("name", reading.rules.identifier, required=True)
        value = members.given.get("value")
        if name in KNOWN:
            from rkt.schema.isolator_value import check_value

            check_value(name, value, members.at("value"), reading)
        elif members.is_object and "value" not in members.given:
            members.report("value", "is required")
        found.append(Isolator(name=name, value=value, unknown=members.unknown))
    return tuple(found)
