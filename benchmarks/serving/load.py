"""Clients that put load on an HTTP server: raw sockets kept alive, one thread a client, in a process of their own.

They do little per request, so that on a machine with few cores the server and not its clients sets the pace.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Barrier
from time import perf_counter, process_time

_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """What clients saw: `seconds` of each request in the order of their ends per client, `wall` from the first request
    to the last answer, `busy` processor seconds of the clients' process."""

    seconds: tuple[float, ...]
    wall: float
    busy: float

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.seconds) / self.wall


def post(path: str, content_type: str, body: bytes) -> bytes:
    """A whole POST request to this machine."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def upload(path: str, field: str, picture: bytes) -> bytes:
    """A whole POST request with one JPEG file in a form."""
    boundary = "made-up-boundary"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + picture + f"\r\n--{boundary}--\r\n".encode()
    return post(path, f"multipart/form-data; boundary={boundary}", body)


def load(port: int, requests: Sequence[bytes], *, clients: int) -> Load:
    """Sends `requests`, shared out among so many clients at a time, each to be answered 200.

    Raises:
        RuntimeError: an answer was another one, or a client failed.
    """
    asked = {"port": port, "clients": clients, "requests": [request.decode("latin-1") for request in requests]}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.load"],
        input=json.dumps(asked).encode(),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the clients failed: {done.stderr.decode(errors='replace')[-500:]}")
    told = json.loads(done.stdout)
    return Load(tuple(told["seconds"]), told["wall"], told["busy"])


def _clients(port: int, requests: Sequence[bytes], clients: int) -> Load:
    barrier = Barrier(clients + 1)
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(_client, port, requests[number::clients], barrier) for number in range(clients)]
        barrier.wait(_TIMEOUT_S)
        started, busy = perf_counter(), process_time()
        seconds = tuple(took for client in running for took in client.result())
    return Load(seconds, perf_counter() - started, process_time() - busy)


def _client(port: int, requests: Sequence[bytes], barrier: Barrier) -> list[float]:
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        barrier.wait(_TIMEOUT_S)
        seconds = []
        for request in requests:
            started = perf_counter()
            connection.sendall(request)
            _read_answer(connection)
            seconds.append(perf_counter() - started)
        return seconds


def _read_answer(connection: socket.socket) -> None:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _some(connection)
    head = data[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(f"answered {data[:300]!r}")
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    missing = length - (len(data) - end - 4)
    while missing > 0:
        missing -= len(_some(connection))


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    requests = [request.encode("latin-1") for request in asked["requests"]]
    print(json.dumps(asdict(_clients(asked["port"], requests, asked["clients"]))))
