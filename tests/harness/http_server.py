"""A web server on the loopback interface that answers as it is told to, lies included, and remembers the questions."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class Reply:
    """One answer. ``length`` is the Content-Length announced: by default the truth, "" for none.

    ``stall_seconds`` passes after the headers; ``hang_up_after`` is how many bytes of the body are sent before the
    connection is cut.
    """

    def __init__(
        self,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        length: str | None = None,
        stall_seconds: float = 0.0,
        hang_up_after: int | None = None,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers or {}
        self.length = str(len(body)) if length is None else length
        self.stall_seconds = stall_seconds
        self.hang_up_after = hang_up_after


class Asked:
    """One request that came in."""

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        self.path = path
        self.headers = headers


class Server:
    """``server.answers[path]`` is a :class:`Reply` or a function of the request that returns one; the rest is 404.

    With ``context`` it speaks TLS. A context manager.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Reply | Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "http"
        if context is not None:
            self._scheme = "https"
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"{self._scheme}://localhost:{self._server.server_port}{path}"

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [one.path for one in self.asked]

    def _answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        answer = self.answers.get(asked.path, Reply(b"not here", status=404))
        return answer if isinstance(answer, Reply) else answer(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):  # the client hung up, or did not like our certificate
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except (OSError, ValueError):
                    pass

            def log_message(self, format: str, *args: object) -> None:
                return

            def do_GET(self) -> None:
                reply = server._answer(Asked(self.path, dict(self.headers.items())))
                self.send_response(reply.status)
                if reply.length:
                    self.send_header("Content-Length", reply.length)
                else:
                    self.close_connection = True
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if reply.stall_seconds:
                    self.wfile.flush()
                    server._stopped.wait(reply.stall_seconds)
                if reply.status != 304:
                    self.wfile.write(reply.body[: reply.hang_up_after])
                if reply.hang_up_after is not None or reply.length != str(len(reply.body)):
                    self.close_connection = True

        return Handler


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for ``condition``; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
