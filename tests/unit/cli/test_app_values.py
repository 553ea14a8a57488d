"""Values of the flags that follow an image."""

from __future__ import annotations

import pytest

from rkt.cli.app_values import (
    parse_annotation,
    parse_app_name,
    parse_cpu,
    parse_exec,
    parse_gids,
    parse_memory,
    parse_owner,
    parse_read_only,
    parse_seccomp,
    parse_user_pair,
    parse_working_directory,
    read_overrides,
)
from rkt.cli.flags import FlagValues, flag_table, parse_flags
from rkt.cli.pod_flags import IMAGE_FLAGS
from rkt.errors import UsageError
from rkt.stage0.request import IsolatorOverrides, SeccompOverride


def flags(*words: str) -> FlagValues:
    values = FlagValues()
    parse_flags(words, flag_table(IMAGE_FLAGS), values)
    return values


@pytest.mark.parametrize("text", ["16M", "1Gi", "4096", "4096000m", "4Ki", "1e9"])
def test_memory_is_a_quantity_of_at_least_a_page(text: str) -> None:
    assert parse_memory(text) == text


@pytest.mark.parametrize("text", ["4095", "0", "1", "4k"])
def test_memory_below_a_page_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"memory limit of \d+ bytes too low.*--memory=16M"):
        parse_memory(text)


@pytest.mark.parametrize("text", ["500m", "1", "1.5"])
def test_cpu_is_a_quantity_of_cores(text: str) -> None:
    assert parse_cpu(text) == text


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "16MM", "-", "0x10"])
def test_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--memory"):
        parse_memory(text)
    with pytest.raises(UsageError, match="--cpu"):
        parse_cpu(text)


@pytest.mark.parametrize("text", ["0", "-1", "-500m"])
def test_cpu_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="must be more than 0"):
        parse_cpu(text)


@pytest.mark.parametrize("text", ["99999999999999999999", "10E"])
def test_cpu_beyond_what_the_kernel_counts_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cpu limit exceeds the maximum millivalue"):
        parse_cpu(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode=remove,mount", SeccompOverride(retain=False, names=("mount",))),
        (
            "mode=retain,errno=EPERM,@rkt/default-whitelist,ptrace",
            SeccompOverride(retain=True, names=("@rkt/default-whitelist", "ptrace"), errno="EPERM"),
        ),
    ],
)
def test_seccomp_has_a_mode_names_and_perhaps_an_errno(text: str, expected: SeccompOverride) -> None:
    assert parse_seccomp(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "mount", "mode=remove", "mode=deny,mount", "mode=remove,errno=eperm,mount", "mode=remove,errno=1,mount",
     "mode=remove,mode=retain,mount", "mode=remove,mount,", "mode=remove,x=y,mount"],
)  # fmt: skip
def test_seccomp_that_is_not_complete_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--seccomp"):
        parse_seccomp(text)


def test_isolators_are_gathered() -> None:
    given = flags(
        *("--memory=16M", "--cpu=500m", "--cpu-shares=1024", "--oom-score-adj=-500"),
        *("--caps-retain=CAP_CHOWN,CAP_KILL", "--caps-retain=CAP_CHOWN", "--seccomp=mode=remove,mount"),
    )
    assert read_overrides(given) == IsolatorOverrides(
        memory="16M",
        cpu="500m",
        cpu_shares=1024,
        oom_score_adj=-500,
        caps_retain=("CAP_CHOWN", "CAP_KILL"),
        seccomp=SeccompOverride(retain=False, names=("mount",)),
    )
    assert read_overrides(flags()) == IsolatorOverrides()


def test_deprecated_capability_flags_mean_the_same() -> None:
    assert read_overrides(flags("--cap-remove=CAP_KILL")).caps_remove == ("CAP_KILL",)


@pytest.mark.parametrize(
    "word",
    ["--cpu-shares=1", "--cpu-shares=262145", "--cpu-shares=x", "--oom-score-adj=1001", "--oom-score-adj=-1001",
     "--oom-score-adj=--1", "--oom-score-adj=", "--caps-retain=CHOWN", "--caps-remove=CAP_NONE", "--caps-remove="],
)  # fmt: skip
def test_isolator_out_of_range_is_refused_with_the_flag_s_name(word: str) -> None:
    with pytest.raises(UsageError, match=word.partition("=")[0]):
        read_overrides(flags(word))


def test_keeping_and_removing_capabilities_at_once_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be used together"):
        read_overrides(flags("--caps-retain=CAP_KILL", "--caps-remove=CAP_CHOWN"))


def test_single_values_are_taken() -> None:
    assert parse_app_name("web-1") == "web-1"
    assert parse_working_directory("/srv") == "/srv"
    assert parse_exec("/a program") == "/a program"
    assert parse_owner("/etc/passwd", flag="user") == "/etc/passwd"
    assert parse_gids("1,1000") == (1, 1000)
    assert parse_annotation("example.com/a=b=c") == ("example.com/a", "b=c")
    assert parse_user_pair("Any Key=v", flag="user-label") == ("Any Key", "v")
    assert parse_read_only(flags("--readonly-rootfs")) is True
    assert parse_read_only(flags("--readonly-rootfs=false")) is False
    assert parse_read_only(flags()) is False


@pytest.mark.parametrize("text", ["", "Web", "a_b", "a--b", "-a", "ä"])
def test_app_name_that_is_no_ac_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        parse_app_name(text)


@pytest.mark.parametrize("text", ["", "x", "1,", "-1", "1;2", "4294967295", "99999999999"])
def test_gids_that_are_no_ids_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--supplementary-gids must be integers"):
        parse_gids(text)


@pytest.mark.parametrize("text", ["", "a", "=x", "A=x", "a--b=x"])
def test_annotation_without_an_identifier_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid format of --annotation flag"):
        parse_annotation(text)


def test_paths_and_owners_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="must be an absolute path"):
        parse_working_directory("srv")
    with pytest.raises(UsageError, match="the path is empty"):
        parse_exec("")
    for text in ("", "a:b"):
        with pytest.raises(UsageError, match="--group"):
            parse_owner(text, flag="group")
    with pytest.raises(UsageError, match="--user-label"):
        parse_user_pair("x", flag="user-label")
