"""From an app's isolators to limits, capabilities and filters, and what of them could not be enforced. Pure.

appc ISO-002 and ISO-003: an isolator that is not understood is ignored, and the user is told. Seccomp isolators, rates
and sysctls are not enforced yet; they are reported.
"""

from __future__ import annotations

from rkt.linux import capabilities
from rkt.linux.cgroups import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.isolator import Isolator
    from rkt.schema.value import Value

#: processes and threads of one app, unless it asks otherwise: a fork bomb must leave the host usable
DEFAULT_PIDS = 4096


class Confinement:
    """What one app is confined to. ``bounding_set`` is a mask; ``ignored`` names isolators that are not enforced."""

    __slots__ = (
        "bounding_set",
        "cpu_millicores",
        "cpu_shares",
        "ignored",
        "memory_bytes",
        "no_new_privileges",
        "oom_score_adj",
    )

    def __init__(self) -> None:
        self.bounding_set = capabilities.mask_of(capabilities.DEFAULT)
        self.memory_bytes: int | None = None
        self.cpu_millicores: int | None = None
        self.cpu_shares: int | None = None
        self.no_new_privileges = False
        self.oom_score_adj: int | None = None
        self.ignored: list[str] = []

    def limits(self) -> Limits:
        """The part that control groups enforce."""
        return Limits(
            memory_bytes=self.memory_bytes,
            cpu_millicores=self.cpu_millicores,
            cpu_shares=self.cpu_shares,
            pids=DEFAULT_PIDS,
        )


def plan_confinement(isolators: Sequence[Isolator]) -> Confinement:
    """The last isolator of a name counts. An unknown capability name is ignored and reported."""
    confinement = Confinement()
    if isolators:
        from rkt.schema.isolator_value import decode_isolator_value

        for isolator in {isolator.name: isolator for isolator in isolators}.values():
            value = decode_isolator_value(isolator)
            if value is None or not _apply(confinement, value):
                confinement.ignored.append(isolator.name)
    return confinement


def _apply(confinement: Confinement, value: Value) -> bool:
    from rkt.schema import isolator_value as values

    if isinstance(value, values.Memory):
        confinement.memory_bytes = value.limit_bytes
    elif isinstance(value, values.Cpu):
        confinement.cpu_millicores = value.limit_millicores
    elif isinstance(value, values.CpuShares):
        confinement.cpu_shares = value.shares
    elif isinstance(value, values.NoNewPrivileges):
        confinement.no_new_privileges = value.enabled
    elif isinstance(value, values.OomScoreAdjustment):
        confinement.oom_score_adj = value.adjustment
    elif isinstance(value, values.Capabilities):
        _apply_capabilities(confinement, value.capabilities, retain=value.retain)
    else:
        return False
    return True


def _apply_capabilities(confinement: Confinement, names: tuple[str, ...], *, retain: bool) -> None:
    known = [name for name in names if name in capabilities.NAMES]
    confinement.ignored.extend(f"capability {name}" for name in names if name not in capabilities.NAMES)
    mask = capabilities.mask_of(known)
    confinement.bounding_set = mask if retain else confinement.bounding_set & ~mask
