"""Tar bytes against the standard library's tarfile as the oracle, in both directions, and against mutation."""

from __future__ import annotations

import io
import tarfile
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from rkt.aci.archive import ArchiveScan
from rkt.aci.errors import ArchiveError
from rkt.aci.header import BLOCK_DEVICE, CHARACTER, DIRECTORY, FIFO, HARD_LINK, REGULAR, SYMLINK, Entry
from rkt.aci.pax import format_record, format_time, parse_records, parse_time
from rkt.aci.tar import read_entries
from rkt.aci.tar_writer import END_OF_ARCHIVE, encode_entry, padding

KINDS = (REGULAR, HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO)
Format = Literal[0, 1, 2]
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)

components = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)
paths = st.lists(components.filter(lambda part: part not in (".", "..")), min_size=1, max_size=8).map("/".join)
numbers = st.integers(0, 2**32 - 2) | st.integers(0, 0o7777777)
times = st.integers(-(2**40), 2**40).map(lambda seconds: seconds * 10**9)
exact_times = st.integers(-(2**60), 2**60)
attribute_names = st.binary(min_size=1, max_size=20).map(lambda name: b"user." + name.replace(b"\0", b"0"))


@st.composite
def entries(draw: st.DrawFn) -> tuple[Entry, bytes]:
    """An entry and its content."""
    entry = Entry()
    entry.type = draw(st.sampled_from(KINDS))
    entry.name = draw(paths).encode()
    content = draw(st.binary(max_size=2000)) if entry.type == REGULAR else b""
    entry.size, entry.data_offset = len(content), 0
    entry.mode = draw(st.integers(0, 0o7777))
    entry.uid, entry.gid = draw(numbers), draw(numbers)
    entry.mtime_ns = draw(exact_times)
    entry.linkname = draw(paths).encode() if entry.type in (HARD_LINK, SYMLINK) else b""
    entry.devmajor = entry.devminor = 0
    if entry.type in (CHARACTER, BLOCK_DEVICE):
        entry.devmajor, entry.devminor = draw(st.integers(0, 4095)), draw(st.integers(0, 2**20 - 1))
    entry.xattrs = draw(st.dictionaries(attribute_names, st.binary(max_size=100), max_size=3)) or None
    return entry, content


def fields(entry: Entry) -> tuple[object, ...]:
    return tuple(getattr(entry, name) for name in Entry.__slots__ if name != "data_offset")


def write(items: list[tuple[Entry, bytes]]) -> bytes:
    return b"".join(encode_entry(entry) + data + padding(len(data)) for entry, data in items) + END_OF_ARCHIVE


@given(st.lists(entries(), max_size=6))
def test_what_is_written_is_read_back(items: list[tuple[Entry, bytes]]) -> None:
    data = write(items)
    found = list(read_entries(io.BytesIO(data)))
    assert [fields(entry) for entry in found] == [fields(entry) for entry, _ in items]
    assert [data[entry.data_offset :][: entry.size] for entry in found] == [content for _, content in items]


@given(st.lists(entries(), max_size=6))
def test_what_is_written_tarfile_reads(items: list[tuple[Entry, bytes]]) -> None:
    with tarfile.open(fileobj=io.BytesIO(write(items))) as oracle:
        members = oracle.getmembers()
        assert len(members) == len(items)
        for member, (entry, content) in zip(members, items, strict=True):
            assert (member.name.encode(errors="surrogateescape"), member.type) == (entry.name, entry.type)
            assert (member.mode, member.uid, member.gid, member.size) == (entry.mode, entry.uid, entry.gid, entry.size)
            assert member.linkname.encode(errors="surrogateescape") == entry.linkname
            assert (member.devmajor, member.devminor) == (entry.devmajor, entry.devminor)
            stored = member.pax_headers.get("mtime")
            assert (parse_time(stored.encode()) if stored else int(member.mtime) * 10**9) == entry.mtime_ns
            if entry.type == REGULAR:
                file = oracle.extractfile(member)
                assert file is not None and file.read() == content


@given(st.lists(entries(), max_size=6), st.sampled_from(FORMATS), times)
def test_what_tarfile_writes_is_read(items: list[tuple[Entry, bytes]], form: Format, mtime: int) -> None:
    buffer = io.BytesIO()
    expected = []
    with tarfile.open(fileobj=buffer, mode="w", format=form) as oracle:
        for entry, content in items:
            member = tarfile.TarInfo(entry.name.decode())
            member.type, member.mode, member.size = entry.type, entry.mode, len(content)
            member.uid, member.gid, member.linkname = entry.uid, entry.gid, entry.linkname.decode()
            member.devmajor, member.devminor, member.mtime = entry.devmajor, entry.devminor, mtime // 10**9
            try:
                oracle.addfile(member, io.BytesIO(content))
            except ValueError:  # too much for ustar; tarfile has written nothing
                continue
            expected.append((member, content))
    found = list(read_entries(io.BytesIO(buffer.getvalue())))
    assert len(found) == len(expected)
    for entry, (member, content) in zip(found, expected, strict=True):
        assert entry.name.rstrip(b"/") == member.name.encode()
        assert (entry.type, entry.mode, entry.uid, entry.gid) == (member.type, member.mode, member.uid, member.gid)
        assert (entry.linkname, entry.mtime_ns) == (member.linkname.encode(), mtime)
        assert buffer.getvalue()[entry.data_offset :][: entry.size] == content
        assert (entry.devmajor, entry.devminor) == (member.devmajor, member.devminor)


@settings(max_examples=200)
@given(st.lists(entries(), min_size=1, max_size=3), st.data())
def test_altered_bytes_are_read_or_refused(items: list[tuple[Entry, bytes]], data: st.DataObject) -> None:
    """No exception but ArchiveError, whatever the bytes; and a scan in pieces agrees with itself."""
    raw = bytearray(write(items))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + 1] = data.draw(st.binary(max_size=12))
    for _ in range(data.draw(st.integers(0, 1))):
        del raw[data.draw(st.integers(0, len(raw))) :]
    try:
        list(read_entries(io.BytesIO(bytes(raw))))
    except ArchiveError as error:
        assert error.message
    verdicts = {scan(bytes(raw), piece) for piece in (100, 512, 1 << 20)}
    assert len(verdicts) == 1


@settings(max_examples=200)
@given(
    st.lists(st.binary(min_size=512, max_size=512) | st.just(bytes(512)), max_size=5).map(b"".join)
    | st.binary(max_size=3000)
)
def test_noise_is_refused_by_the_scan(data: bytes) -> None:
    assert scan(data, 1 << 20) != "sound"


def scan(data: bytes, piece: int) -> str:
    judge = ArchiveScan()
    try:
        for start in range(0, len(data), piece):
            judge.feed(data[start : start + piece])
        judge.finish()
    except ArchiveError as error:
        return error.message
    return "sound"


@given(st.dictionaries(st.sampled_from([b"path", b"linkpath", b"uid"]), st.binary(max_size=3000), max_size=3))
def test_pax_records_survive(records: dict[bytes, bytes]) -> None:
    assert parse_records(b"".join(format_record(key, value) for key, value in records.items())) == records


@given(st.integers(-(2**90), 2**90).filter(lambda number: abs(number) <= (2**63 - 1) * 10**9))
def test_pax_times_survive(nanoseconds: int) -> None:
    assert parse_time(format_time(nanoseconds)) == nanoseconds
