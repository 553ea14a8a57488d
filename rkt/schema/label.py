"""Labels of images and dependencies, and the table of operating systems and architectures (TYPE-040..048).

Matching labels against a dependency or a query is the store's.
"""

from __future__ import annotations

from rkt.schema.named_value import NamedValue, decode_named_values, find_value, report_repeated
from rkt.schema.problems import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.json_reader import JSON
    from rkt.schema.reading import Reading

#: operating system -> architectures that go with it (the table of the original's code, longer than the text's)
SUPPORTED_OS_ARCH = {
    "linux": ("amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"),
    "freebsd": ("amd64", "i386", "arm"),
    "darwin": ("x86_64", "i386"),
}


class Label(NamedValue):
    """``name`` is an AC Identifier other than ``name``, ``value`` any string."""

    __slots__ = ()


def decode_labels(items: Sequence[JSON], path: str, reading: Reading) -> tuple[Label, ...]:
    """The list of labels at ``path``: names unique, ``os`` and ``arch`` from the table."""
    labels = decode_named_values(items, path, reading, kind=Label, find_problem=reading.rules.identifier)
    if not labels or not reading.rules.check_labels:
        return labels
    for index, label in enumerate(labels):
        if label.name == "name":
            reading.report(f"{path}[{index}].name", 'must not be "name"')
    report_repeated([label.name for label in labels], path, reading)
    why = find_os_arch_problem(os=find_value(labels, "os"), arch=find_value(labels, "arch"))
    if why is not None:
        member, message = why
        index = [label.name for label in labels].index(member)
        reading.report(f"{path}[{index}].value", message)
    return labels


def find_os_arch_problem(*, os: str | None, arch: str | None) -> tuple[str, str] | None:
    """The label (``os`` or ``arch``) that is not in the table, and why; None when both are fine.

    ``arch`` has a meaning only together with ``os`` and is not looked at without it (TYPE-046).
    """
    if os is None:
        return None
    if os not in SUPPORTED_OS_ARCH:
        return "os", f"{quoted(os)} is not one of {', '.join(sorted(SUPPORTED_OS_ARCH))}"
    if arch is not None and arch not in SUPPORTED_OS_ARCH[os]:
        return "arch", f"{quoted(arch)} is not one of {', '.join(SUPPORTED_OS_ARCH[os])} (for {os})"
    return None


def labels_from_map(values: dict[str, str]) -> tuple[Label, ...]:
    """Labels sorted by name, for what comes from a command line; raises :class:`~rkt.errors.RktError` on bad names."""
    from rkt.schema.names import parse_ac_identifier
    from rkt.schema.problems import InvalidValueError

    if "name" in values:
        raise InvalidValueError("label name", "name", "is reserved for the image's name")
    return tuple(Label(name=parse_ac_identifier(name), value=values[name]) for name in sorted(values))
