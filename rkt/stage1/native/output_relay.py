"""Copies what a pod writes into the caller's files, so that no app holds such a file open.

Whoever has a regular file open can change its mode and, being root, its owner: an app that has the file of
``rkt run > log`` as its stdout could make it a set-user-ID program of the host. Where stdout or stderr is a regular
file the pod gets a pipe instead, byte for byte and each stream by itself. Pipes and terminals are handed on as is.
"""

from __future__ import annotations

import os
import select
from stat import S_ISREG

_CHUNK_BYTES = 65536


class OutputRelay:
    """The pipes of one pod; without effect where neither stream is a regular file."""

    __slots__ = ("_readers", "_writers")

    def __init__(self) -> None:
        #: reading end -> descriptor of the caller's file; writing ends by the number of the stream
        self._readers: dict[int, int] = {}
        self._writers: dict[int, int] = {}
        for number in (1, 2):
            if S_ISREG(os.fstat(number).st_mode):
                reader, self._writers[number] = os.pipe()
                self._readers[reader] = number

    def adopt(self) -> None:
        """In the pod's init: the pipes take the places of the files."""
        for number, writer in self._writers.items():
            os.dup2(writer, number)

    def start(self, poll: select.poll) -> None:
        """In the supervisor, once the init is forked: only the pod holds the writing ends."""
        self._close_writers()
        for reader in self._readers:
            poll.register(reader, select.POLLIN)

    def owns(self, fd: int) -> bool:
        return fd in self._readers

    def on_readable(self, poll: select.poll, fd: int) -> None:
        """Copy what is there; the end of the stream ends the watch."""
        data = os.read(fd, _CHUNK_BYTES)
        if data:
            _write_all(self._readers[fd], data)
        else:
            poll.unregister(fd)

    def finish(self) -> None:
        """After the end of the pod: copy the rest, which nobody adds to any more, and close."""
        self._close_writers()
        for reader, number in self._readers.items():
            while data := os.read(reader, _CHUNK_BYTES):
                _write_all(number, data)
            os.close(reader)
        self._readers = {}

    def _close_writers(self) -> None:
        for writer in self._writers.values():
            os.close(writer)
        self._writers = {}


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        # a full disk ends the log, not the pod
        pass
