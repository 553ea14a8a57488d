"""The documentation says what is there: verbs, flags, errors, dependencies, links."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from rkt.cli.main import VERBS, load_verb
from rkt.cli.settings import GLOBAL_FLAGS

HERE = Path(__file__).resolve().parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
#: a row of a table of flags begins with the flag
FLAG_ROW = re.compile(r"^\| `--([a-z0-9-]+)(?=[=\[`])", re.MULTILINE)
#: pages that stand before everything else, and what they lead to
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**/*.md", "vm/*.md", "conformance/*.md")


@pytest.fixture(scope="module")
def error_table() -> ModuleType:
    """The generator beside these tests, as a module."""
    specification = importlib.util.spec_from_file_location("error_table", HERE / "error_table.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def page_name(verb: str) -> str:
    return verb.replace(" ", "-")


def page_of(repository: Path, verb: str) -> str:
    return (repository / "docs" / "verbs" / f"{page_name(verb)}.md").read_text(encoding="utf-8")


def pages(repository: Path) -> list[Path]:
    return sorted(path for pattern in PAGES for path in repository.glob(pattern))


def without_code(text: str) -> str:
    """A page without its blocks and words of code, in which brackets are not links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as renderers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    found = []
    for match in LINK.finditer(without_code(page.read_text(encoding="utf-8"))):
        target = match.group(1) or match.group(2)
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        there = page if not path else (page.parent / path)
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def test_every_verb_has_a_page_and_every_page_a_verb(repository: Path) -> None:
    written = {path.stem for path in (repository / "docs" / "verbs").glob("*.md")} - {"README"}
    assert written == {page_name(verb) for verb in VERBS}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_page_lists_the_flags_that_it_accepts(repository: Path, verb: str) -> None:
    listed = FLAG_ROW.findall(page_of(repository, verb))
    assert sorted(listed) == sorted(flag.name for flag in load_verb(verb).flags)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_page_begins_with_its_name_and_shows_its_usage(repository: Path, verb: str) -> None:
    text, usage = page_of(repository, verb), load_verb(verb).usage
    assert text.startswith(f"# rkt {verb}\n")
    assert usage in text


def test_the_list_of_verbs_has_all_verbs_and_the_global_flags(repository: Path) -> None:
    text = (repository / "docs" / "verbs" / "README.md").read_text(encoding="utf-8")
    assert sorted(FLAG_ROW.findall(text)) == sorted(flag.name for flag in GLOBAL_FLAGS)
    assert all(f"]({page_name(verb)}.md)" in text for verb in VERBS)


def test_every_link_leads_somewhere(repository: Path) -> None:
    broken = {path.relative_to(repository).as_posix(): broken_links(path) for path in pages(repository)}
    assert not {page: links for page, links in broken.items() if links}


def test_every_page_of_the_documentation_is_linked_from_another(repository: Path) -> None:
    linked = {
        (page.parent / (match.group(1) or match.group(2)).partition("#")[0]).resolve()
        for page in pages(repository)
        for match in LINK.finditer(without_code(page.read_text(encoding="utf-8")))
        if "://" not in match.group(0)
    }
    assert not [path.name for path in (repository / "docs").rglob("*.md") if path.resolve() not in linked]


def test_every_dependency_has_its_reason(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[<>=!~; \[]", item, maxsplit=1)[0] for group in groups for item in group}
    text = (repository / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([A-Za-z0-9._-]+)", text, re.MULTILINE))
    assert names <= listed, f"without a reason: {sorted(names - listed)}"


def test_table_of_errors_is_up_to_date(error_table: ModuleType) -> None:
    assert error_table.PAGE.read_text(encoding="utf-8") == error_table.format_page(), (
        "run: python tests/meta/error_table.py --write"
    )


def test_no_two_errors_have_one_code(error_table: ModuleType) -> None:
    codes = [error.code for error in error_table.find_error_classes() if error_table.declares_code(error)]
    assert sorted(codes) == sorted(set(codes))


def test_every_code_is_kebab_case(error_table: ModuleType) -> None:
    kebab_case = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
    assert not [error for error in error_table.find_error_classes() if not kebab_case.fullmatch(error.code)]
