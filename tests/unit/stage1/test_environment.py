"""The environment of an app."""

from __future__ import annotations

import os

import pytest

from rkt.schema.app import App, EnvironmentVariable
from rkt.stage1.environment import plan_environment

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(*variables: tuple[str, str], **options: str | None) -> dict[str, str]:
    own = tuple(EnvironmentVariable(name=name, value=value) for name, value in variables)
    app = App(exec=("/x",), user="0", group="0", environment=own)
    pairs = plan_environment(app, "web", **options)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.spec("ACE-040")
def test_path_is_the_standard_one() -> None:
    assert environment()["PATH"] == STANDARD_PATH


@pytest.mark.spec("ACE-042")
def test_name_is_the_apps_own() -> None:
    assert environment()["AC_APP_NAME"] == "web"
    assert environment(("AC_APP_NAME", "forged"))["AC_APP_NAME"] == "web"


@pytest.mark.spec("ACE-046")
def test_executor_names_itself() -> None:
    assert environment()["container"] == "rkt"
    assert environment(("container", "forged"))["container"] == "rkt"


@pytest.mark.spec("ACE-049", "IMG-036")
@pytest.mark.parametrize("value", ["", "plain", "$HOME `id` \\ \"'", "two\nlines", "=", "日本"])
def test_values_of_the_manifest_arrive_verbatim(value: str) -> None:
    assert environment(("NAME", value), ("a.b-c", value)).items() >= {"NAME": value, "a.b-c": value}.items()


@pytest.mark.spec("ACE-050")
def test_path_of_the_manifest_wins() -> None:
    assert environment(("PATH", "/opt/bin"))["PATH"] == "/opt/bin"


def test_defaults_are_for_what_the_manifest_leaves_out() -> None:
    found = environment(("HOME", "/home/web"))
    assert (found["HOME"], found["USER"], found["LOGNAME"], found["SHELL"]) == ("/home/web", "root", "root", "/bin/sh")


def test_metadata_url_is_there_when_there_is_a_service() -> None:
    assert "AC_METADATA_URL" not in environment()
    assert environment(("AC_METADATA_URL", "forged"), metadata_url="http://1")["AC_METADATA_URL"] == "http://1"


def test_terminal_is_named_for_an_interactive_pod_only() -> None:
    assert "TERM" not in environment()
    assert environment(terminal="xterm")["TERM"] == "xterm"
    assert environment(("TERM", "dumb"), terminal="xterm")["TERM"] == "dumb"


def test_nothing_of_the_caller_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    assert "SECRET_OF_THE_CALLER" in os.environ
    names = {"PATH", "SHELL", "USER", "LOGNAME", "HOME", "AC_APP_NAME", "container"}
    assert environment().keys() == names
