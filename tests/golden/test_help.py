"""The help pages, word for word. ``RKT_UPDATE_GOLDEN=1 pytest tests/golden`` writes them anew; look at the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rkt import __version__
from rkt.cli.help import group_help, verb_help
from rkt.cli.main import VERBS

PAGES = Path(__file__).parent / "help"
GROUPS = ("", "image")


def page_of(name: str) -> str:
    text = verb_help(name) if name in VERBS else group_help(name)
    return text.replace(__version__, "VERSION")


@pytest.mark.parametrize("name", [*GROUPS, *VERBS])
def test_help_is_as_written_down(name: str) -> None:
    path = PAGES / f"{'-'.join(('rkt', *name.split()))}.txt"
    if os.environ.get("RKT_UPDATE_GOLDEN"):
        path.write_text(page_of(name))
    assert page_of(name) == path.read_text()


def test_every_page_has_its_sections_in_order() -> None:
    for name in VERBS:
        titles = [line for line in verb_help(name).splitlines() if line and not line.startswith("\t")]
        order = ["NAME:", "USAGE:", "DESCRIPTION:", "OPTIONS:", "OPTIONS OF THE IMAGE BEFORE THEM:", "GLOBAL OPTIONS:"]
        assert titles == [title for title in order if title in titles]
        assert titles[:3] == order[:3]


def test_no_page_is_left_of_a_verb_that_is_gone() -> None:
    names = {f"{'-'.join(('rkt', *name.split()))}.txt" for name in [*GROUPS, *VERBS]}
    assert {path.name for path in PAGES.iterdir()} == names


def test_hidden_and_unavailable_flags_are_not_shown() -> None:
    page = verb_help("run")
    assert "--volume" in page
    for name in ("store-only", "cap-retain", "dns", "stage1-url", "stdin"):
        assert f"--{name}=" not in page
        assert f"--{name}[" not in page
