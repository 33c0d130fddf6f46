"""An HTTP server on loopback that answers by script, and a clock that does not wait.

    with Loopback() as server:
        server.script("/papers", Reply(429, headers={"Retry-After": "7"}), Reply(body=[…]))
        ...                                  # ask server.url + "/papers"
        server.requests[0].query["date"]

The last reply of a path is repeated; a path without a script answers 404.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What to answer, or how to fail.

    Attributes:
        body: Bytes and text as they are, anything else as JSON.
        fault: `reset` drops the connection, `stall` never answers, `truncate` stops half-way.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Literal["reset", "stall", "truncate"] | None = None

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


class Loopback:
    """The server; a context manager."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self._scripts: dict[str, deque[Reply]] = {}
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def script(self, path: str, *replies: Reply) -> None:
        """Set what a path answers, in order."""
        self._scripts[path] = deque(replies)

    def _next(self, path: str) -> Reply:
        replies = self._scripts.get(path)
        if not replies:
            return Reply(404)
        return replies.popleft() if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                address = urlsplit(self.path)
                length = int(self.headers.get("content-length", 0))
                received = Received(
                    method=self.command,
                    path=address.path,
                    query=dict(parse_qsl(address.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                )
                loopback.requests.append(received)
                reply = loopback._next(address.path)
                if reply.fault == "stall":
                    loopback._closing.wait()
                elif reply.fault == "reset":
                    # Lingering for no time at all makes the kernel send a reset.
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                else:
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in {"Content-Length": len(reply.data), **reply.headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                half = len(reply.data) // 2
                self.wfile.write(reply.data[:half] if reply.fault == "truncate" else reply.data)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 http.server's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class Clock:
    """A time that moves only when somebody waits.

    Attributes:
        waits: The seconds of every wait.
    """

    def __init__(self, now: str) -> None:
        self._now = dt.datetime.fromisoformat(now)
        self.waits: list[float] = []

    def now(self) -> dt.datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._now += dt.timedelta(seconds=seconds)
