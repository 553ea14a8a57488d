"""Pod UUIDs and their prefixes, for any text."""

from __future__ import annotations

import uuid as standard_uuid

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rkt.pod.errors import UUIDError
from rkt.pod.uuid import find_canonical, is_uuid, match_prefix, parse_prefix

uuids = st.uuids().map(str)


@given(uuids, st.sampled_from([str.lower, str.upper]))
def test_every_uuid_is_one(text: str, spell: object) -> None:
    assert callable(spell)
    assert is_uuid(text)
    assert find_canonical(spell(text)) == text
    assert parse_prefix(spell(text)) == text


@given(st.text())
def test_text_is_a_uuid_exactly_if_the_standard_library_agrees(text: str) -> None:
    try:
        canonical = str(standard_uuid.UUID(text)) == text
    except ValueError:
        canonical = False
    assert is_uuid(text) is canonical


@given(st.text())
def test_what_passes_as_a_prefix_cannot_be_a_path(text: str) -> None:
    try:
        prefix = parse_prefix(text)
    except UUIDError:
        return
    assert prefix
    assert set(prefix) <= set("0123456789abcdef-")


@given(st.sets(uuids, min_size=1, max_size=20), st.data())
def test_a_prefix_names_a_pod_exactly_if_it_is_the_only_one(known: set[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(sorted(known)))
    prefix = parse_prefix(chosen[: data.draw(st.integers(1, 36))])
    matches = {uuid for uuid in known if uuid.startswith(prefix)}
    if matches == {chosen}:
        assert match_prefix(prefix, known) == chosen
    else:
        with pytest.raises(UUIDError, match=f"ambiguous uuid, {len(matches)} matches"):
            match_prefix(prefix, known)
