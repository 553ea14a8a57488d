"""Extended headers: records, numbers and times, both ways."""

from __future__ import annotations

import pytest

from rkt.aci.errors import ArchiveError
from rkt.aci.pax import find_xattrs, format_record, format_time, parse_number, parse_records, parse_time, xattr_record


def test_records_keep_what_matters_and_the_last_value() -> None:
    data = b"9 path=a\n13 comment=x\n9 path=b\n10 uid=12\n"
    assert parse_records(data) == {b"path": b"b", b"uid": b"12"}


def test_padding_that_is_counted_as_content_is_no_record() -> None:
    assert parse_records(b"9 path=a\n" + bytes(20)) == {b"path": b"a"}


@pytest.mark.parametrize(
    "data",
    [
        b"9 path=a",
        b"8 path=a\n",
        b"11 path=a\n",
        b"0 path=a\n",
        b"-9 path=a\n",
        b"+9 path=a\n",
        b"9\tpath=a\n",
        b"99999999999999999999999 path=a\n",
        b"99999999999999999 path=a\n",
        b"4 =\n",
        b"5 =a\n",
        b"8 patha\n",
        b" 9 path=a\n",
        b"x path=a\n",
        b"9 path=a\n\0junk",
        b"\n",
        b"9",
    ],
)
def test_malformed_records_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        parse_records(data)


def test_sparse_records_are_refused_by_name() -> None:
    with pytest.raises(ArchiveError, match="sparse"):
        parse_records(b"22 GNU.sparse.major=1\n")


@pytest.mark.parametrize("length", [*range(1, 12), 93, 94, 95, 991, 992, 993, 9990, 9991])
def test_a_record_counts_its_own_digits(length: int) -> None:
    record = format_record(b"path", b"x" * length)
    assert int(record.split(b" ")[0]) == len(record)
    assert parse_records(record) == {b"path": b"x" * length}


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        (b"0", 0),
        (b"12.5", 12_500_000_000),
        (b"12.0000000019", 12_000_000_001),
        (b"-1.5", -1_500_000_000),
        (b"1.", 1_000_000_000),
        (b"1700000000.123456789", 1_700_000_000_123_456_789),
    ],
)
def test_times_are_exact(text: bytes, nanoseconds: int) -> None:
    assert parse_time(text) == nanoseconds
    assert parse_time(format_time(nanoseconds)) == nanoseconds


@pytest.mark.parametrize("text", [b"", b"-", b".5", b"1e3", b"1.x", b"0x1", b"9" * 30, b"9223372036854775808", b"1_0"])
def test_malformed_times_are_refused(text: bytes) -> None:
    with pytest.raises(ArchiveError):
        parse_time(text)


@pytest.mark.parametrize("text", [b"", b"-1", b"1.0", b"0x10", b"9" * 21, b"1_0", b" 1"])
def test_malformed_numbers_are_refused(text: bytes) -> None:
    with pytest.raises(ArchiveError, match="malformed size"):
        parse_number(text, b"size")


@pytest.mark.parametrize("name", [b"user.a", b"user.a=b", b"user.100%", b"user.%3D", b"security.capability"])
def test_attribute_names_are_escaped_and_back(name: bytes) -> None:
    assert find_xattrs(parse_records(xattr_record(name, b"\0=\n\xff"))) == {name: b"\0=\n\xff"}


def test_attribute_without_a_name_is_refused() -> None:
    with pytest.raises(ArchiveError, match="malformed name"):
        find_xattrs({b"SCHILY.xattr.": b"x"})
    assert find_xattrs({b"path": b"x"}) is None
