from __future__ import annotations

import pytest

from rkt.schema.image_id import find_image_id_problem, parse_image_id
from rkt.schema.problems import InvalidValueError

DIGEST = "0123456789abcdef" * 8


@pytest.mark.spec("TYPE-024", "TYPE-025", "TYPE-026")
@pytest.mark.parametrize(
    "text",
    [
        *("", "sha512", "sha512-", DIGEST, f"-{DIGEST}", f"sha256-{DIGEST}", f"sha1-{DIGEST}", f"SHA512-{DIGEST}"),
        *(f"sha512-{DIGEST}-", f"sha512--{DIGEST}", f"sha512-{DIGEST.upper()}", f"sha512-{DIGEST}0", "sha512-zzz"),
        *(f"sha512-{DIGEST[1:]}", f"sha512-{DIGEST}\n", "sha512-..", "sha512-../../etc", "sha512-" + "٣" * 128),
    ],
)
def test_what_is_not_an_image_id(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_image_id(text)


@pytest.mark.spec("TYPE-026")
def test_a_whole_digest_is_an_image_id() -> None:
    assert parse_image_id(f"sha512-{DIGEST}") == f"sha512-{DIGEST}"


@pytest.mark.spec("TYPE-027")
def test_a_digest_cut_short_is_partial() -> None:
    short = f"sha512-{DIGEST[:32]}"
    assert find_image_id_problem(short) is not None
    assert find_image_id_problem(short, allow_partial=True) is None
    assert find_image_id_problem("sha512-...", allow_partial=True) is None
    for text in ("sha512-zzz", "sha512-", "sha512-..", "sha512-../a", "sha256-...", f"sha512-{DIGEST}0"):
        assert find_image_id_problem(text, allow_partial=True) is not None
