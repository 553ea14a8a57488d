"""Hand a prepared pod over to its stage1: the pod moves to ``run`` and its lock goes to whoever keeps it alive.

A built-in flavour runs in this process, a foreign stage1 image is executed; both by :mod:`rkt.stage1.entrypoints`.
"""

from __future__ import annotations

from rkt.errors import RktError
from rkt.stage0.prepare import settle_pod
from rkt.stage1.entrypoints import run_pod
from rkt.stage_contract import INSECURE_FLAGS, RunArguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.pod.directory import Pod


class LaunchOptionError(RktError):
    """An option that the pod cannot be run with."""

    code = "launch-option"


class LaunchOptions:
    """How a pod is to run: see :class:`rkt.stage_contract.RunArguments` for the words.

    Raises :class:`LaunchOptionError` for a word that no pod can be run with; they are made before there is a pod.
    """

    __slots__ = ("debug", "hostname", "insecure", "interactive", "ipc", "local_config", "net")

    def __init__(
        self,
        *,
        net: str = "none",
        interactive: bool = False,
        hostname: str | None = None,
        ipc: str | None = None,
        insecure: frozenset[str] = frozenset(),
        debug: bool = False,
        local_config: str | None = None,
    ) -> None:
        if ipc not in (None, "auto", "private", "parent"):
            raise LaunchOptionError(f'unknown value for --ipc parameter: "{ipc}"', "use auto, private or parent")
        if hostname is not None and not 0 < len(hostname.encode()) <= 64:
            raise LaunchOptionError(f'cannot use the hostname "{hostname}": it must have 1 to 64 bytes')
        if hostname is not None and not all(character.isalnum() or character in "-._" for character in hostname):
            raise LaunchOptionError(f'cannot use the hostname "{hostname}": only letters, digits, "-", "." and "_"')
        self.net = net
        self.interactive = interactive
        self.hostname = hostname
        self.ipc = ipc
        self.insecure = insecure
        self.debug = debug
        self.local_config = local_config


def launch(pod: Pod, options: LaunchOptions) -> int:
    """Run a locked pod of phase ``prepare`` or ``prepared`` to its end; returns the exit status. Raises RktError."""
    arguments = RunArguments(
        pod.uuid,
        net=options.net,
        interactive=options.interactive,
        hostname=options.hostname,
        ipc=options.ipc,
        insecure=options.insecure & INSECURE_FLAGS.keys(),
        debug=options.debug,
        local_config=options.local_config,
    )
    pod.move_to("run", sync=False)
    return run_pod(pod, arguments, settle=lambda: settle_pod(pod))
