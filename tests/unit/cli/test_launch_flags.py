"""How a pod runs, from its flags."""

from __future__ import annotations

import pytest

from rkt.cli.flags import FlagValues, flag_table, parse_flags
from rkt.cli.launch_flags import parse_networks, read_hostname, read_ipc, read_network
from rkt.cli.pod_flags import LAUNCH_FLAGS, POD_FLAGS
from rkt.errors import NotSupportedError, UsageError

MESSAGE = "networking namespace with loopback only\n"


def flags(*words: str) -> FlagValues:
    values = FlagValues()
    parse_flags(words, flag_table(LAUNCH_FLAGS, POD_FLAGS), values)
    return values


@pytest.mark.parametrize("words", [(), ("--net=none",)])
def test_pod_without_a_network_has_loopback_and_says_so(
    words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert read_network(flags(*words)) == "none"
    assert capfd.readouterr().err.endswith(MESSAGE)


@pytest.mark.parametrize("words", [("--net=host",), ("--net=host,default",), ("--net=x", "--net=host")])
def test_host_among_the_networks_means_the_host_s(words: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert read_network(flags(*words)) == "host"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--net",), "default"),
        (("--net=default",), "default"),
        (("--net=all",), "all"),
        (("--net=a:IP=10.1.2.3;GW=x,b",), "a,b"),
        (("--net=none", "--net=a"), "none,a"),
    ],
)
def test_other_networks_come_later(words: tuple[str, ...], name: str) -> None:
    with pytest.raises(NotSupportedError) as caught:
        read_network(flags(*words))
    assert caught.value.message == f'network mode "{name}" comes with a later version'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "netname must not be empty"),
        ("a,,b", "netname must not be empty"),
        ("a,a", 'found duplicate netname "a"'),
        ("a:b:c", 'network "a" provided with invalid arguments: [a b c]'),
        ("all:IP=1", 'arguments are not supported by special netname "all"'),
        ("host:IP=1", 'arguments are not supported by special netname "host"'),
    ],
)
def test_bad_list_of_networks_is_an_error(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_networks([text])
    assert part in caught.value.message


@pytest.mark.parametrize("mode", ["none", "host"])
def test_port_needs_a_network_of_the_pod_s_own(mode: str) -> None:
    with pytest.raises(UsageError, match=f"--port flag does not work with '{mode}' networking"):
        read_network(flags(f"--net={mode}", "--port=http:80"))


def test_hostname_and_ipc_are_taken() -> None:
    assert read_hostname(flags("--hostname=web")) == "web"
    assert read_hostname(flags()) is None
    assert read_ipc(flags("--ipc=parent")) == "parent"
    assert read_ipc(flags("--ipc=")) is None


@pytest.mark.parametrize("name", ["x" * 65, "ä" * 33, "a b", "a/b", "a\nb"])
def test_hostname_that_cannot_be_set_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--hostname"):
        read_hostname(flags(f"--hostname={name}"))


def test_unknown_ipc_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown value for --ipc parameter: shared"):
        read_ipc(flags("--ipc=shared"))
