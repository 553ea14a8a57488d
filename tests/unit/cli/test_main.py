"""Verbs are found, global flags are taken on both sides, and nothing escapes as an exception."""

from __future__ import annotations

import pytest

from rkt.cli.main import ALIASES, VERBS, find_verb, load_verb, run
from rkt.cli.verb import Verb
from rkt.errors import UsageError


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_in_the_table_has_a_module_with_a_verb(name: str) -> None:
    assert isinstance(load_verb(name), Verb)
    assert VERBS[name][0].endswith("." + name.rpartition(" ")[2].replace("-", "_"))


def test_alias_leads_to_a_verb() -> None:
    assert set(ALIASES.values()) <= set(VERBS)
    assert find_verb("image", "fetch") == ("fetch", True)


@pytest.mark.parametrize(
    ("group", "word", "name"),
    [
        ("", "run", "run"),
        ("", "run-", "run-prepared"),
        ("", "im", "image"),
        ("image", "li", "image list"),
        ("", "l", "list"),
    ],
)
def test_unique_beginning_of_a_verb_is_enough(group: str, word: str, name: str) -> None:
    assert find_verb(group, word) == (name, name in VERBS)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("rn", 'unknown command "rn"'),
        ("", 'unknown command ""'),
        ("r", 'ambiguous command "r"'),
        ("RUN", 'unknown command "RUN"'),
    ],
)
def test_other_words_are_errors(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_verb("", word)
    assert caught.value.message == message


def test_misspelt_verb_brings_a_suggestion(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["stauts"]) == 254
    assert capfd.readouterr().err == 'rkt: unknown command "stauts"\nrkt: hint: did you mean "status"?\n'


def test_no_command_prints_help_and_ends_with_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    output = capfd.readouterr()
    assert output.err == "rkt: missing command\n"
    assert output.out.startswith("NAME:\n\trkt - ")


def test_group_without_a_verb_prints_its_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["image"]) == 2
    output = capfd.readouterr()
    assert output.err == "image: missing command\n"
    assert "image list" in output.out
    assert "run-prepared" not in output.out


VERSION_LINES = ("rkt Version: ", "appc Version: 0.8.11", "Python Version: 3.", "OS/Arch: linux/amd64", "Features: ")


@pytest.mark.parametrize(
    "words",
    [["version"], ["vers"], ["--debug", "version"], ["version", "--debug"], ["--dir", "/x", "version", "-dir=/y"]],
)
def test_version_prints_five_lines(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == len(VERSION_LINES)
    assert all(line.startswith(start) for line, start in zip(lines, VERSION_LINES, strict=True))


def test_global_flags_are_checked_before_the_verb_and_after_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--nonsense", "version"]) == 254
    assert capfd.readouterr().err == 'rkt: unknown flag: "--nonsense"\n'
    assert run(["version", "--nonsense"]) == 254
    assert capfd.readouterr().err == 'version: unknown flag: "--nonsense"\n'


def test_diagnostics_of_a_two_word_verb_carry_its_last_word(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["image", "list", "--nonsense"]) == 254
    assert capfd.readouterr().err.startswith("list: unknown flag")


def test_word_that_is_not_utf8_is_refused_before_anything_else(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--set-env=X=\udcff", "image"]) == 254
    assert capfd.readouterr().err == 'rkt: argument 2 "--set-env=X=\\udcff" is not valid UTF-8\n'


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"], ["--debug", "--help"]])
def test_help_goes_to_stdout_and_succeeds(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    output = capfd.readouterr()
    assert output.out.startswith("NAME:\n\trkt - ")
    assert output.err == ""


@pytest.mark.parametrize(
    "words", [["help", "image", "rm"], ["image", "rm", "--help"], ["im", "rm", "x", "-h", "--nonsense"]]
)
def test_help_of_a_verb_has_the_same_text_by_every_way(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    assert capfd.readouterr().out.startswith("NAME:\n\timage rm - Remove images from the store\n")


def test_help_about_nothing_known_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "nonsense"]) == 254
    assert capfd.readouterr().err.startswith('help: unknown command "nonsense"\n')
