"""Messages between a pod's supervisor and its init."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rkt.stage1.native import channel as messages
from rkt.stage1.native.channel import Channel, open_channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    first, second = open_channel()
    yield first, second
    first.close()
    second.close()


def test_messages_arrive_one_by_one_in_order(ends: tuple[Channel, Channel]) -> None:
    first, second = ends
    first.send(messages.GO)
    first.send(messages.ERROR, b"text with \n and \0")
    second.send(messages.STOP)
    assert second.receive() == (messages.GO, b"", None)
    assert second.receive() == (messages.ERROR, b"text with \n and \0", None)
    assert first.receive() == (messages.STOP, b"", None)


def test_message_that_is_too_long_is_cut(ends: tuple[Channel, Channel]) -> None:
    first, second = ends
    first.send(messages.ERROR, b"x" * 100_000)
    kind, text, _ = second.receive()
    assert kind == messages.ERROR
    assert 4000 < len(text) < 10_000 and set(text) == set(b"x")


def test_descriptor_arrives_close_on_exec(ends: tuple[Channel, Channel]) -> None:
    first, second = ends
    reader, writer = os.pipe()
    first.send_descriptor(writer)
    os.close(writer)
    kind, text, fd = second.receive()
    assert (kind, text) == (messages.TERMINAL, b"")
    assert fd is not None and not os.get_inheritable(fd)
    os.write(fd, b"through")
    assert os.read(reader, 10) == b"through"
    os.close(fd)
    os.close(reader)


def test_end_of_the_other_side_is_an_empty_kind(ends: tuple[Channel, Channel]) -> None:
    first, second = ends
    first.send(messages.READY)
    first.close()
    assert second.receive() == (messages.READY, b"", None)
    assert second.receive() == (b"", b"", None)
    second.send(messages.STOP)


def test_ends_are_close_on_exec(ends: tuple[Channel, Channel]) -> None:
    assert not any(os.get_inheritable(end.fileno()) for end in ends)
