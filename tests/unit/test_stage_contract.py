"""The names of the contract, and the argument vector of the run entrypoint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkt import stage_contract
from rkt.stage_contract import INSECURE_FLAGS, RunArguments

UUID = "6c5e9f5d-2c2a-4a3c-9c73-5e1b1d1a3f0e"

values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
arguments = st.builds(
    RunArguments,
    st.uuids().map(str),
    net=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    interactive=st.booleans(),
    hostname=st.none() | values,
    ipc=st.sampled_from((None, "auto", "private", "parent")),
    insecure=st.frozensets(st.sampled_from(sorted(INSECURE_FLAGS))),
    debug=st.booleans(),
    local_config=st.none() | values,
)


def fields(of: RunArguments) -> dict[str, object]:
    return {name: getattr(of, name) for name in RunArguments.__slots__}


@given(arguments)
def test_argument_vector_and_options_are_inverse(options: RunArguments) -> None:
    executable, *words = options.to_argv("/stage1/init")
    assert executable == "/stage1/init"
    assert fields(RunArguments.from_argv(words)) == fields(options)


def test_argument_vector_is_the_documented_one() -> None:
    options = RunArguments(
        UUID,
        net="host",
        interactive=True,
        hostname="web",
        ipc="parent",
        insecure=frozenset(("seccomp", "capabilities", "paths")),
        debug=True,
        local_config="/etc/rkt",
    )
    assert options.to_argv("/init") == [
        "/init",
        "--debug",
        "--net=host",
        "--interactive",
        "--local-config=/etc/rkt",
        "--hostname=web",
        "--disable-capabilities-restriction",
        "--disable-paths",
        "--disable-seccomp",
        "--ipc=parent",
        UUID,
    ]


def test_shortest_argument_vector_names_the_network_and_the_pod() -> None:
    assert RunArguments(UUID).to_argv("/init") == ["/init", "--net=none", UUID]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the last argument must be the pod's UUID"),
        (["--debug"], "the last argument must be the pod's UUID"),
        (["--nonsense", UUID], 'unknown argument "--nonsense"'),
        (["--nonsense=1", UUID], 'unknown argument "--nonsense=1"'),
        (["--debug=yes", UUID], 'unknown argument "--debug=yes"'),
        (["--disable-seccomp=1", UUID], 'unknown argument "--disable-seccomp=1"'),
        (["stray", UUID], 'unknown argument "stray"'),
        (["", UUID], 'unknown argument ""'),
    ],
)
def test_word_that_is_not_understood_is_named(words: list[str], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        RunArguments.from_argv(words)
    assert str(caught.value) == message


@given(st.lists(st.text(max_size=12), max_size=4))
def test_any_words_give_options_or_a_value_error(words: list[str]) -> None:
    try:
        options = RunArguments.from_argv(words)
    except ValueError:
        return
    assert options.uuid == words[-1]


def test_files_of_a_pod_lie_where_the_page_says() -> None:
    assert stage_contract.app_rootfs("web") == "stage1/rootfs/opt/stage2/web/rootfs"
    assert stage_contract.app_status("web") == "stage1/rootfs/rkt/status/web"
    assert stage_contract.app_info("web") == "appsinfo/web"
    assert stage_contract.overlay_directories("tree", "web") == ("overlay/tree/upper/web", "overlay/tree/work/web")
