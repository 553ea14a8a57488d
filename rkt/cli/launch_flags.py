"""How a pod runs, from the flags of ``run`` and ``run-prepared``: network, terminal, host name, IPC.

Everything is checked before a pod exists, so that a typing error leaves nothing behind.
"""

from __future__ import annotations

from rkt import diagnostics
from rkt.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.cli.flags import FlagValues
    from rkt.cli.settings import Settings
    from rkt.stage0.launch import LaunchOptions

IPC_MODES = ("", "auto", "private", "parent")
#: Linux's limit, sethostname(2)
_HOSTNAME_BYTES = 64


def read_launch_options(flags: FlagValues, settings: Settings) -> LaunchOptions:
    """The options of a launch. Raises UsageError, NotSupportedError."""
    net, hostname, ipc = read_network(flags), read_hostname(flags), read_ipc(flags)

    from rkt.stage0.launch import (
        LaunchOptions,
    )  # with it comes all of stage1: not before the flags are known to be good

    return LaunchOptions(
        net=net,
        interactive=flags.boolean("interactive"),
        hostname=hostname,
        ipc=ipc,
        insecure=settings.insecure & {"capabilities", "paths", "seccomp"},
        debug=settings.debug,
        local_config=settings.configuration.local,
    )


def read_network(flags: FlagValues) -> str:
    """``none`` or ``host``; no ``--net`` means none in this version, other networks do not exist yet."""
    names = parse_networks(flags.texts("net"))
    if "host" in names:
        mode = "host"
    elif names in ((), ("none",)):
        mode = "none"
        diagnostics.line("networking namespace with loopback only")
    else:
        raise NotSupportedError(
            f'network mode "{",".join(names)}" comes with a later version', "use --net=none or --net=host"
        )
    if flags.is_given("port"):
        raise UsageError(f"--port flag does not work with '{mode}' networking")
    return mode


def parse_networks(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in ``--net=N1[:ARGS][,N2...]``; values of repeated flags add up. Raises UsageError."""
    names: list[str] = []
    for item in (item for text in texts for item in text.split(",")):
        name, *arguments = item.split(":")
        if not name:
            raise _bad_net("netname must not be empty")
        if name in names:
            raise _bad_net(f'found duplicate netname "{name}"')
        if len(arguments) > 1:
            words = " ".join((name, *arguments))
            raise _bad_net(f'network "{name}" provided with invalid arguments: [{words}]')
        if arguments and name in ("all", "host", "none"):
            raise _bad_net(f'arguments are not supported by special netname "{name}"')
        names.append(name)
    return tuple(names)


def _bad_net(why: str) -> UsageError:
    return UsageError(f"invalid value for flag --net: {why}")


def read_hostname(flags: FlagValues) -> str | None:
    """``--hostname``, None for the default. Raises UsageError."""
    name = flags.text("hostname")
    if len(name.encode()) > _HOSTNAME_BYTES or not name.isprintable() or " " in name or "/" in name:
        raise UsageError(f'invalid value "{name}" for flag --hostname: not a host name of at most 64 bytes')
    return name or None


def read_ipc(flags: FlagValues) -> str | None:
    """``--ipc``, None for the default. Raises UsageError."""
    mode = flags.text("ipc")
    if mode not in IPC_MODES:
        raise UsageError(f"unknown value for --ipc parameter: {mode}", "use private, parent or auto")
    return mode or None
