"""Real HTTP servers on loopback that webhooks are sent to."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self
from unittest.mock import patch

from standardwebhooks import Webhook, WebhookVerificationError, webhooks


def _free_port() -> int:
    """A port that nothing listens on, below those that systems give to outgoing connections."""
    while True:
        port = random.randint(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


PORT = _free_port()
HOST = f"localhost:{PORT}"
"""Where the receivers of this process listen, one at a time: what `callback_hosts` must name."""

Heard = list[tuple[dict[str, str], bytes]]


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Heard]]:
    """A server that answers with these statuses in turn, then always with the last one; and what it was sent."""
    heard: Heard = []
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), body))
            self.send_response(next(answers, statuses[-1]))
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/told", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends one more byte of its headers again and again, for five seconds, before it ends them."""
    listener = socket.create_server(("127.0.0.1", PORT))
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 204 No Content\r\nX-Slow: ")
            for _ in range(250):
                connection.sendall(b"x")
                if over.wait(0.02):
                    return
            connection.sendall(b"\r\n\r\n")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}/"
    finally:
        over.set()
        listener.close()
        thread.join()


def is_signed(headers: dict[str, str], body: bytes, key: bytes) -> bool:
    """What a receiver of Standard Webhooks says, whose clock shows the time that is signed."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(float(headers["webhook-timestamp"]), tz or UTC)

    with patch.object(webhooks, "datetime", Then), suppress(WebhookVerificationError):
        Webhook(key).verify(body, headers)
        return True
    return False
