"""What a hostile or broken server sends becomes one clear line, whatever it is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from harness.http_server import Reply, Server

from rkt.cli.failure import report_failure
from rkt.fetch.errors import DownloadError
from rkt.fetch.transport import Timeouts, Transport


@pytest.fixture
def answer_with() -> Iterator[Callable[[bytes], str]]:
    """Serve one connection with exactly these bytes; returns the URL to ask for."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(data: bytes) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(data)

    def start(data: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(data,)))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/x.aci"

    yield start
    for thread in threads:
        thread.join()
    listener.close()


def _transport() -> Transport:
    return Transport(insecure=frozenset({"http"}), timeouts=Timeouts(connect_seconds=5.0, read_seconds=5.0))


@pytest.mark.parametrize("length", [b"9" * 5000, b"9" * 25, b"-5", b"0x10", b"+3", b"\xb2", b""])
def test_a_content_length_that_is_no_sensible_number_announces_nothing(
    answer_with: Callable[[bytes], str], length: bytes
) -> None:
    url = answer_with(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + length + b"\r\n\r\nabc")
    with _transport() as transport, transport.open(url) as answer:
        assert answer.length is None


@pytest.mark.parametrize(
    "location", [b"http://[bad/", b"http://a b\x01/", b"http://127.0.0.1:99999999/", b"http://..", b"http://\xff\xfe/"]
)
def test_a_redirect_to_nowhere_is_a_download_error(answer_with: Callable[[bytes], str], location: bytes) -> None:
    url = answer_with(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
    with _transport() as transport, pytest.raises(DownloadError):
        transport.open(url)


def test_the_body_of_a_redirect_is_not_read(server: Server) -> None:
    server.answers["/from"] = Reply(b"x", status=302, headers={"Location": "/to"}, stall_seconds=30.0)
    server.answers["/to"] = Reply(b"there")
    started = time.monotonic()
    with _transport() as transport:
        assert transport.load(server.url("/from"), limit=100) == b"there"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "remote end closed connection without response"),
        (b"\x00\xff\x1b[31m\r\n\r\n", "the server does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "got more than 100 headers"),
    ],
)
def test_an_answer_that_is_not_http_is_explained_once(
    answer_with: Callable[[bytes], str], capfd: pytest.CaptureFixture[str], data: bytes, why: str
) -> None:
    url = answer_with(data)
    with _transport() as transport, pytest.raises(DownloadError) as caught:
        transport.open(url)
    assert report_failure(caught.value) == 254
    line, *hints = capfd.readouterr().err.splitlines()
    assert all(hint.startswith("rkt: hint: ") for hint in hints)
    assert line.startswith(f'rkt: cannot download "{url}": {why}')
    assert "Connection" not in line
    assert line.count(why) == 1


def test_a_refused_connection_is_one_short_line(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.aci"
    with _transport() as transport, pytest.raises(DownloadError) as caught:
        transport.open(url)
    report_failure(caught.value)
    assert capfd.readouterr().err == f'rkt: cannot download "{url}": connection refused\n'


@pytest.mark.parametrize("length", [b"1000", b""])
def test_a_body_cut_short_says_how_much_came(answer_with: Callable[[bytes], str], length: bytes) -> None:
    announced = b"Content-Length: " + length if length else b"Transfer-Encoding: chunked"
    url = answer_with(b"HTTP/1.1 200 OK\r\n" + announced + b"\r\n\r\n3\r\nabc\r\n")
    with _transport() as transport, transport.open(url) as answer, pytest.raises(DownloadError) as caught:
        while answer.read(1 << 20):
            pass
    assert "IncompleteRead" not in caught.value.message
