"""rkt.pod.uuid"""

from __future__ import annotations

import uuid as standard_uuid
from pathlib import Path

import pytest

from rkt.pod.errors import UUIDError
from rkt.pod.uuid import find_canonical, is_uuid, load_uuid_file, match_prefix, new_uuid, parse_prefix

WHOLE = "6733c088-a507-4694-aabf-edbe4fc5266f"
OTHER = "6733c088-ffff-4694-aabf-edbe4fc5266f"


@pytest.mark.spec("ACE-001")
def test_new_uuids_are_random_and_of_rfc_4122() -> None:
    made = {new_uuid() for _ in range(1000)}
    assert len(made) == 1000
    for text in made:
        parsed = standard_uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 4
        assert parsed.variant == standard_uuid.RFC_4122
        assert is_uuid(text)


@pytest.mark.parametrize(
    "text",
    ["", "x", WHOLE.upper(), WHOLE[:-1], WHOLE + "0", WHOLE.replace("-", ""), WHOLE.replace("-", "a"), "../" + WHOLE]
    + [WHOLE[:-1] + "g", WHOLE[:-1] + "-", "6733c0886a507-4694-aabf-edbe4fc5266f", WHOLE[:-1] + "\n", WHOLE[:-1] + "٣"],
)
def test_what_is_not_canonical_is_not_a_uuid(text: str) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize("text", [WHOLE, WHOLE.upper(), WHOLE.replace("-", ""), "6733C088A5-07-4694AABF-EDBE4FC5266F"])
def test_whole_uuids_are_found_whatever_their_case_and_hyphens(text: str) -> None:
    assert find_canonical(text) == WHOLE
    assert parse_prefix(text) == WHOLE


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_empty_uuid_is_refused(text: str) -> None:
    with pytest.raises(UUIDError) as caught:
        parse_prefix(text)
    assert caught.value.message == "UUID cannot be empty"


@pytest.mark.parametrize("text", ["../../etc", "/", "g", "6733*", "6733\0", WHOLE + "0", "٣", "a" * 10_000])
def test_text_that_begins_no_uuid_is_refused_before_any_look_at_the_disk(text: str) -> None:
    with pytest.raises(UUIDError) as caught:
        parse_prefix(text)
    assert caught.value.message == f'no matches found for "{text}"'


def test_prefix_finds_the_only_match() -> None:
    assert match_prefix(parse_prefix("6733C088-a"), [WHOLE, OTHER]) == WHOLE
    assert match_prefix("6", [WHOLE]) == WHOLE


def test_prefix_without_match_is_refused() -> None:
    with pytest.raises(UUIDError) as caught:
        match_prefix("7", [WHOLE, OTHER])
    assert caught.value.message == 'no matches found for "7"'


def test_ambiguous_prefix_says_how_many() -> None:
    with pytest.raises(UUIDError) as caught:
        match_prefix("6733c088", [WHOLE, OTHER])
    assert caught.value.message == "ambiguous uuid, 2 matches"


def test_uuid_file_is_trimmed(tmp_path: Path) -> None:
    file = tmp_path / "uuid"
    file.write_text(f"  {WHOLE}\n\n")
    assert load_uuid_file(str(file)) == WHOLE


@pytest.mark.parametrize(("content", "why"), [(None, "no such file"), (b"0" * 5000, "larger than")])
def test_bad_uuid_file_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "uuid"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UUIDError, match=f"unable to resolve UUID from file .*{why}"):
        load_uuid_file(str(file))


def test_uuid_file_with_other_bytes_resolves_to_no_pod(tmp_path: Path) -> None:
    file = tmp_path / "uuid"
    file.write_bytes(b"\xff\x00")
    with pytest.raises(UUIDError, match="no matches found"):
        parse_prefix(load_uuid_file(str(file)))
