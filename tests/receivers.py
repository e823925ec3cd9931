"""Real HTTP servers on loopback that webhooks are sent to."""

import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

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

    server = HTTPServer(("127.0.0.1", 0), Handler)
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
    listener = socket.create_server(("127.0.0.1", 0))
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
    """What a receiver checks, by the words of the docs."""
    seconds, digest = (part.partition("=")[2] for part in headers["Dejafake-Signature"].split(","))
    return digest == hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
