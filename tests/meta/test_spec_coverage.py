"""The IDs that tests carry exist, and the page about them is up to date."""

from __future__ import annotations

from types import ModuleType


def test_every_marked_id_exists(spec_coverage: ModuleType) -> None:
    _, requirements = spec_coverage.load_requirements()
    unknown = {
        identifier: tests
        for identifier, tests in spec_coverage.find_marked_tests().items()
        if identifier not in requirements
    }
    assert not unknown


def test_coverage_page_is_up_to_date(spec_coverage: ModuleType) -> None:
    assert spec_coverage.PAGE.read_text(encoding="utf-8") == spec_coverage.format_page(), (
        "run: python tests/meta/spec_coverage.py --write"
    )


def test_all_requirements_of_the_specification_are_listed(spec_coverage: ModuleType) -> None:
    titles, requirements = spec_coverage.load_requirements()
    assert len(requirements) == 502
    assert {requirement.area for requirement in requirements.values()} == set(titles)
