"""The flag grammar: dashes, values, booleans, implied values, repetition, and every way to get it wrong."""

from __future__ import annotations

import pytest

from rkt.cli.flags import Flag, FlagValues, HelpRequested, flag_table, parse_flags
from rkt.errors import NotSupportedError, UsageError

TABLE = flag_table(
    (
        Flag("volume", repeatable=True),
        Flag("interactive", boolean=True),
        Flag("net", implied="default"),
        Flag("dir", default="/var/lib/rkt"),
        Flag("old", deprecated="please use --new"),
        Flag("later", unavailable="it comes with a later version"),
        Flag("later-switch", boolean=True, unavailable="it comes with a later version"),
        Flag("secret", hidden=True),
    )
)


def parse(*words: str, interspersed: bool = True) -> tuple[FlagValues, list[str]]:
    values = FlagValues()
    return values, parse_flags(words, TABLE, values, interspersed=interspersed)


@pytest.mark.parametrize("dashes", ["-", "--"])
def test_one_and_two_dashes_mean_the_same(dashes: str) -> None:
    values, others = parse(f"{dashes}volume", "database:/tmp", f"{dashes}dir=/x", "word")
    assert values.texts("volume") == ("database:/tmp",)
    assert values.text("dir") == "/x"
    assert others == ["word"]


def test_value_may_hold_an_equals_sign_and_be_empty() -> None:
    values, _ = parse("--volume=a,kind=host", "--dir=")
    assert values.texts("volume") == ("a,kind=host",)
    assert values.find_text("dir") == ""


def test_value_in_the_next_word_may_look_like_a_flag() -> None:
    values, others = parse("--dir", "--volume")
    assert values.text("dir") == "--volume"
    assert others == []


def test_repeated_flag_keeps_all_values_and_the_last_one_counts() -> None:
    values, _ = parse("--volume=a", "--volume", "b")
    assert values.texts("volume") == ("a", "b")
    assert values.text("volume") == "b"


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_boolean_takes_what_go_takes_for_true(text: str) -> None:
    assert parse(f"--interactive={text}")[0].boolean("interactive") is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_boolean_takes_what_go_takes_for_false(text: str) -> None:
    assert parse(f"--interactive={text}")[0].boolean("interactive", default=True) is False


def test_boolean_does_not_swallow_the_next_word() -> None:
    values, others = parse("--interactive", "false")
    assert values.boolean("interactive") is True
    assert others == ["false"]


def test_flag_with_implied_value_does_not_swallow_the_next_word() -> None:
    values, others = parse("--net", "none")
    assert values.text("net") == "default"
    assert others == ["none"]
    assert parse("--net=none")[0].text("net") == "none"


def test_absent_flag_has_no_value_and_the_default_of_the_caller() -> None:
    values, _ = parse()
    assert not values.is_given("dir")
    assert values.find_text("dir") is None
    assert values.text("dir", "/default") == "/default"
    assert values.boolean("interactive", default=True) is True


def test_double_dash_ends_the_flags() -> None:
    values, others = parse("a", "--", "--interactive", "-x")
    assert others == ["a", "--interactive", "-x"]
    assert not values.is_given("interactive")


def test_single_dash_is_a_word() -> None:
    assert parse("-")[1] == ["-"]


def test_without_interspersing_everything_from_the_first_word_on_is_untouched() -> None:
    values, others = parse("--interactive", "run", "--nonsense", "--", interspersed=False)
    assert values.boolean("interactive")
    assert others == ["run", "--nonsense", "--"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--nonsense",), 'unknown flag: "--nonsense"'),
        (("-x",), 'unknown flag: "--x"'),
        (("--dir",), "flag needs an argument: --dir"),
        (("--interactive=yes",), 'invalid value "yes" for flag --interactive: must be true or false'),
        (("--interactive=",), 'invalid value "" for flag --interactive: must be true or false'),
        (("---dir",), 'bad flag syntax: "---dir"'),
        (("--=x",), 'bad flag syntax: "--=x"'),
    ],
)
def test_bad_flag_is_an_error_that_names_it(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*words)
    assert caught.value.message == message


def test_misspelt_flag_brings_the_nearest_one_as_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        parse("--volum=x")
    assert caught.value.hint == 'did you mean "--volume"?'


def test_hidden_flag_is_not_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        parse("--secre=x")
    assert caught.value.hint is None


@pytest.mark.parametrize("word", ["--help", "-h", "-help"])
def test_help_stops_the_reading(word: str) -> None:
    with pytest.raises(HelpRequested):
        parse("--dir=/x", word, "--nonsense")


def test_deprecated_flag_is_read_and_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    values, _ = parse("--old=x")
    assert values.text("old") == "x"
    assert capfd.readouterr().err.endswith("Flag --old has been deprecated, please use --new\n")


def test_flag_of_a_later_version_is_refused_by_name() -> None:
    with pytest.raises(NotSupportedError) as caught:
        parse("--later=x")
    assert caught.value.message == "flag --later is not supported: it comes with a later version"


def test_switching_off_what_is_not_there_is_fine() -> None:
    assert parse("--later-switch=false")[0].is_given("later-switch")
    with pytest.raises(NotSupportedError):
        parse("--later-switch")
