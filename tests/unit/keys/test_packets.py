from __future__ import annotations

import pytest
from harness.openpgp_forge import ForgedKey, created, expires, flags, packet, subpacket

from rkt.keys.packets import KeyPacket, PacketError, SignaturePacket, new_hash, read_packets


@pytest.mark.parametrize(
    "header",
    [b"\xc2\x03", b"\xc2\xff\0\0\0\x03", b"\x88\x03", b"\x89\0\x03", b"\x8a\0\0\0\x03"],
    ids=["new, 1 byte", "new, 5 bytes", "old, 1 byte", "old, 2 bytes", "old, 4 bytes"],
)
def test_every_stated_length_is_read(header: bytes) -> None:
    (found,) = read_packets(header + b"abc")
    assert (found.tag, found.body) == (2, b"abc")


def test_a_length_of_two_bytes_is_read() -> None:
    (found,) = read_packets(b"\xc2\xc1\x02" + b"x" * 450)
    assert len(found.body) == 450


@pytest.mark.parametrize(
    "data",
    [b"\x02\x03abc", b"\xc2", b"\xc2\x04abc", b"\xc2\xe1ab", b"\x8babc", b"\xc2\xff\0\0", b"\xc2\xff\xff\xff\xff\xff"],
)
def test_what_is_not_whole_packets_is_refused(data: bytes) -> None:
    with pytest.raises(PacketError):
        list(read_packets(data))


def test_a_key_is_known_by_fingerprint_and_key_id(key: ForgedKey, other_key: ForgedKey) -> None:
    found = KeyPacket(key.body)
    assert found.fingerprint == key.fingerprint
    assert found.created == key.at
    assert found.answers_to(key.fingerprint)
    assert found.answers_to(key.fingerprint[-16:])
    assert not found.answers_to(key.fingerprint[-8:])
    assert not found.answers_to(other_key.fingerprint)


def test_key_material_with_trailing_bytes_is_refused(key: ForgedKey) -> None:
    with pytest.raises(PacketError, match="do not belong"):
        KeyPacket(key.body + b"x").load_material()


@pytest.mark.parametrize("body", [b"", b"\x03" + bytes(20), b"\x04\0\0"])
def test_a_key_of_another_version_or_a_stump_is_refused(body: bytes) -> None:
    with pytest.raises(PacketError):
        KeyPacket(body)


def test_unreadable_key_material_is_refused() -> None:
    with pytest.raises(PacketError, match="cannot be read"):
        KeyPacket(b"\x04\0\0\0\0\x16\x05abc").load_material()


def test_only_the_signed_area_counts_for_times_and_flags(key: ForgedKey) -> None:
    signed = created(1000) + expires(5) + flags(b"\x01")
    loose = created(2000) + expires(0) + flags(b"\x02") + key.issuer
    found = SignaturePacket(key.sign(0x13, b"", hashed=signed, unhashed=loose))
    assert (found.created, found.expires_after, found.may_sign) == (1000, 5, False)
    assert found.issuers == {key.fingerprint}


def test_critical_subpackets_that_are_not_understood_are_told(key: ForgedKey) -> None:
    area = created(1) + subpacket(101, b"", critical=True) + subpacket(102, b"") + subpacket(27, b"\x02", critical=True)
    assert SignaturePacket(key.sign(0x00, hashed=area)).unknown_critical == (101,)


@pytest.mark.parametrize("length", [191, 192, 8000, 8383, 20000])
def test_subpackets_of_every_length_form_are_read(key: ForgedKey, length: int) -> None:
    if length < 192:
        head = bytes([length])
    elif length < 8384:
        head = bytes([((length - 192) >> 8) + 192, (length - 192) & 0xFF])
    else:
        head = b"\xff" + length.to_bytes(4, "big")
    area = head + bytes([101]) + bytes(length - 1) + created(77)
    assert SignaturePacket(key.sign(0x00, hashed=area)).created == 77


@pytest.mark.parametrize("area", [b"\x05\x02abc", b"\x00", b"\xff\0\0\0\0\x02", b"\x04\x02abc", b"\xc0"])
def test_subpackets_that_do_not_fit_are_refused(key: ForgedKey, area: bytes) -> None:
    with pytest.raises(PacketError):
        SignaturePacket(key.sign(0x00, hashed=area))


def test_every_cut_of_a_signature_is_refused_or_has_other_numbers(key: ForgedKey) -> None:
    body = key.sign(0x00, b"data")
    whole = SignaturePacket(body)
    for end in range(len(body)):
        try:
            cut = SignaturePacket(body[:end])
        except PacketError:
            continue
        assert cut.numbers != whole.numbers


def test_an_unknown_hash_is_an_error() -> None:
    with pytest.raises(PacketError, match="hash function 99"):
        new_hash(99)


def test_packets_are_cut_without_touching_their_bodies(key: ForgedKey) -> None:
    content = key.certificate()
    assert b"".join(packet(one.tag, one.body) for one in read_packets(content)) == content
