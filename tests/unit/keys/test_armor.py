from __future__ import annotations

import pytest

from rkt.keys.armor import PUBLIC_KEY, SIGNATURE, ArmorError, format_armor, is_armored, parse_armor

CONTENT = bytes(range(256))


@pytest.mark.parametrize("content", [b"", b"x", b"xy", b"xyz", CONTENT, CONTENT * 40])
def test_what_is_armored_can_be_read_back(content: bytes) -> None:
    text = format_armor(content, kind=SIGNATURE)
    assert is_armored(text)
    assert parse_armor(text, kind=SIGNATURE) == content
    assert max(map(len, text.splitlines())) <= 64


def test_the_checksum_is_that_of_rfc_4880() -> None:
    """The value is from gpg: gpg --enarmor of the three bytes "abc"."""
    assert b"\n=uhx7\n" in format_armor(b"abc", kind=SIGNATURE)


def test_headers_white_space_and_a_missing_checksum_are_accepted() -> None:
    lines = format_armor(CONTENT, kind=PUBLIC_KEY).decode().split("\n")
    del lines[-3]
    lines.insert(1, "Version: GnuPG v2\r")
    text = "\n\n" + "\n".join(lines).replace("\n", " \r\n") + "\n\n"
    assert parse_armor(text.encode(), kind=PUBLIC_KEY) == CONTENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace(b"SIGNATURE", b"MESSAGE"), "does not begin"),
        (lambda text: b"x" + text, "does not begin"),
        (lambda text: text + b"x", "does not end"),
        (lambda text: text.replace(b"-----\n\n", b"-----\n"), "no empty line"),
        (lambda text: text.replace(b"AAEC", b"AA!C"), "not valid base64"),
        (lambda text: text.replace(b"AAEC", b"AAEB"), "checksum"),
        (lambda text: b"-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n" + text, "cleartext"),
        (lambda text: b"-----BEGIN PGP SIGNATURE-----", "does not end"),
    ],
)
def test_anything_but_one_whole_block_is_refused(change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(ArmorError, match=reason):
        parse_armor(change(format_armor(CONTENT, kind=SIGNATURE)), kind=SIGNATURE)
