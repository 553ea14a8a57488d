"""Key and signature files from anywhere: whatever the bytes are, the answer is a clear error, and never *good*."""

from __future__ import annotations

import time

from harness.openpgp_forge import ForgedKey, created, packet
from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.keys.armor import PUBLIC_KEY, SIGNATURE, ArmorError, format_armor, parse_armor
from rkt.keys.certificate import parse_certificates
from rkt.keys.errors import KeyFileError, SignatureError
from rkt.keys.packets import PacketError, SignaturePacket, read_packets
from rkt.keys.signature import DetachedSignature

DATA = b"the image"
KEY = ForgedKey(at=int(time.time()) - 100_000)
SUBKEY = ForgedKey(at=KEY.at)
BODY = KEY.sign(0x00, DATA, hashed=created(KEY.at + 2) + KEY.issuer)
GOOD = packet(2, BODY)
KEYS = KEY.certificate() + KEY.bind(SUBKEY)
CERTIFICATES = parse_certificates(KEYS)


def is_good(signature: bytes, data: bytes = DATA) -> bool:
    try:
        checked = DetachedSignature(signature)
        checked.update(data)
        checked.verify(CERTIFICATES)
    except SignatureError:
        return False
    return True


def change(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(content)
    for position, value in changes:
        changed[position % len(changed)] ^= value
    return bytes(changed)


bit_flips = st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3)


@given(st.binary(max_size=300))
def test_any_bytes_as_signature_are_refused_cleanly(content: bytes) -> None:
    assert not is_good(content)


@given(st.binary(max_size=300))
def test_any_signature_body_is_refused_cleanly(body: bytes) -> None:
    assert not is_good(packet(2, body))
    assert not is_good(packet(2, b"\x04\x00\x16\x0a" + body))


@given(bit_flips)
def test_a_changed_signature_is_refused_unless_it_says_the_same(changes: list[tuple[int, int]]) -> None:
    """A number may be written with too large a bit count, as old Go programs do."""
    changed = change(BODY, changes)
    if is_good(packet(2, changed)):
        found, original = SignaturePacket(changed), SignaturePacket(BODY)
        assert (found.hashed, found.numbers) == (original.hashed, original.numbers)


@given(bit_flips)
def test_changed_data_is_refused(changes: list[tuple[int, int]]) -> None:
    data = change(DATA, changes)
    assert is_good(GOOD, data) == (data == DATA)


@given(st.binary(max_size=400))
def test_any_bytes_as_keys_are_refused_cleanly(content: bytes) -> None:
    try:
        parse_certificates(content)
    except KeyFileError:
        pass


@settings(max_examples=200)
@given(bit_flips)
def test_a_changed_key_never_becomes_another_trusted_one(changes: list[tuple[int, int]]) -> None:
    """Its fingerprint tells, or what was changed counts for nothing."""
    try:
        certificates = parse_certificates(change(KEYS, changes))
    except KeyFileError:
        return
    for certificate in certificates:
        for signer, body in (
            (KEY, BODY),
            (SUBKEY, SUBKEY.sign(0x00, DATA, hashed=created(KEY.at + 9) + SUBKEY.issuer)),
        ):
            checked = DetachedSignature(packet(2, body))
            checked.update(DATA)
            try:
                verified = checked.verify([certificate])
            except SignatureError:
                continue
            assert verified.fingerprint == KEY.fingerprint
            assert certificate.find_key([signer.fingerprint]) is not None


@given(st.lists(st.tuples(st.integers(1, 63), st.binary(max_size=400)), max_size=5))
def test_packets_come_out_as_they_went_in(packets: list[tuple[int, bytes]]) -> None:
    content = b"".join(packet(tag, body) for tag, body in packets)
    assert [(one.tag, one.body) for one in read_packets(content)] == packets


@given(st.binary(max_size=100))
def test_cutting_any_bytes_ends(content: bytes) -> None:
    try:
        assert sum(len(one.body) for one in read_packets(content)) <= len(content)
    except PacketError:
        pass


@given(st.binary(max_size=500), st.sampled_from([SIGNATURE, PUBLIC_KEY]))
def test_armor_round_trips(content: bytes, kind: str) -> None:
    assert parse_armor(format_armor(content, kind=kind), kind=kind) == content


@given(bit_flips)
def test_changed_armor_is_refused_or_means_the_same(changes: list[tuple[int, int]]) -> None:
    text = format_armor(GOOD, kind=SIGNATURE)
    try:
        assert parse_armor(change(text, changes), kind=SIGNATURE) == GOOD
    except ArmorError:
        pass
