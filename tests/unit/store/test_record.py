"""Records: JSON there and back, and everything that is not a record."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rkt.store.errors import DamagedImageError, StoreVersionError
from rkt.store.record import (
    ImageOrigin,
    ImageRecord,
    SignedBy,
    checksum,
    decode_record,
    encode_record,
    order_of_preference,
)

MakeRecord = Callable[..., ImageRecord]


def test_a_record_survives_json(make_record: MakeRecord) -> None:
    signed = (SignedBy("8B86DE38890DDB7291867B025210BD8888182190", ("Someone <a@example.com>", "ö\n")),)
    for origin in (ImageOrigin(), ImageOrigin(latest=True, signed_by=signed)):
        record = make_record(5, origin=origin)
        decoded = decode_record(encode_record(record), key=record.key)
        assert decoded == record
        assert (decoded.verified, decoded.signed_by) == (bool(origin.signed_by), origin.signed_by)


def test_an_unsigned_image_says_so_on_disk(make_record: MakeRecord) -> None:
    assert json.loads(encode_record(make_record(1)))["verification"] == "unsigned"


def test_the_full_digest_is_kept(make_record: MakeRecord) -> None:
    record = make_record(77)
    assert json.loads(encode_record(record))["id"] == record.image_id
    assert len(record.image_id) == 7 + 128


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": "sha512-00"},
        {"id": 5},
        {"id": None},
        {"name": None},
        {"labels": {"a": "b"}},
        {"labels": [["a", "b"]]},
        {"size": -1},
        {"size": 1.5},
        {"size": True},
        {"importTime": "now"},
        {"verification": []},
        {"verification": {}},
        {"verification": [{"fingerprint": 1, "identities": []}]},
        {"blob": None},
        {"format": None, "id": None},
    ],
)
def test_a_record_with_a_wrong_field_is_damage(make_record: MakeRecord, change: dict[str, object]) -> None:
    record = make_record(1)
    value = {**json.loads(encode_record(record)), **change}
    value.pop("checksum")
    text = json.dumps(value).encode()[:-1]
    data = text + b',"checksum":%d}' % checksum(text)
    if not change:
        assert decode_record(data, key=record.key) == record
        return
    with pytest.raises(DamagedImageError, match="record"):
        decode_record(data, key=record.key)


def test_every_flipped_bit_is_damage(make_record: MakeRecord) -> None:
    record = make_record(1)
    data = encode_record(record)
    for bit in range(8 * (len(data) - 1)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedImageError, StoreVersionError)):
            decode_record(bytes(flipped), key=record.key)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'])
def test_bytes_that_are_no_record_are_damage(make_record: MakeRecord, data: bytes) -> None:
    with pytest.raises(DamagedImageError):
        decode_record(data, key=make_record(1).key)


def test_the_record_of_another_image_is_damage(make_record: MakeRecord) -> None:
    with pytest.raises(DamagedImageError, match="another image"):
        decode_record(encode_record(make_record(1)), key=make_record(16**70).key)


def test_a_record_of_a_newer_format_is_refused(make_record: MakeRecord) -> None:
    with pytest.raises(StoreVersionError, match="format 2"):
        decode_record(b'{"format": 2, "new": true}', key=make_record(1).key)


def test_preference_is_latest_then_newest_unless_a_version_is_asked(make_record: MakeRecord) -> None:
    old_latest = make_record(1, origin=ImageOrigin(latest=True))
    new = make_record(2)
    assert max([new, old_latest], key=lambda r: order_of_preference(r, version_asked=False)) is old_latest
    assert max([new, old_latest], key=lambda r: order_of_preference(r, version_asked=True)) is new


@pytest.mark.spec("DEP-004")
def test_labels_asked_for_must_equal_and_others_match_anything(make_record: MakeRecord) -> None:
    record = make_record(1, name="a", labels=(("version", "1"), ("os", "linux")))
    assert record.satisfies(name="a", labels={})
    assert record.satisfies(name="a", labels={"os": "linux"})
    assert not record.satisfies(name="a", labels={"os": "linux", "arch": "amd64"})
    assert not record.satisfies(name="a", labels={"version": "2"})
    assert not record.satisfies(name="b", labels={})
