"""One server of several processes: they answer from one socket, see each other's work and count together."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import IO

import httpx
import pytest

from indexer.imaging.limits import DECODED_BYTES
from indexer.settings import Settings
from search_api.server import listening, share_of_each
from tests.made_pictures import png

RUN = "from indexer.cli import main; main()"
SHA256 = hashlib.sha256(png(1)).hexdigest()


@dataclass
class Server:
    """`workers` are the process ids of those that answer; what the program says next is in `lines`."""

    url: str
    lines: Iterator[str]
    workers: list[int]

    def ask(self, method: str, path: str, **what: object) -> httpx.Response:
        """On a connection of its own, so that any process may answer."""
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            return client.request(method, path, **what)  # type: ignore[arg-type]

    def wait_for_a_worker(self) -> int:
        """Until one says that it answers; its process id."""
        started = next(int(found[1]) for line in self.lines if (found := re.search(r"server process \[(\d+)\]", line)))
        next(line for line in self.lines if "startup complete" in line)
        return started


@contextmanager
def asleep(worker: int) -> Iterator[None]:
    """Lets the other one answer."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with listening("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    given = {"DEJAFAKE_HOME": str(tmp_path_factory.mktemp("several")), "DEJAFAKE_RUNTIME": "eager"}
    given["DEJAFAKE_CONNECTIONS_MAX"] = "32"
    command = [sys.executable, "-c", RUN, "serve", "--port", str(port), "--workers", "2"]
    said: list[str] = []
    with subprocess.Popen(command, env={**os.environ, **given}, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        lines = _kept(program.stderr, said)
        try:
            pids: set[int] = set()
            ready = 0
            for line in lines:
                pids |= {int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", line)}
                ready += "startup complete" in line
                if ready == 2:
                    break
            assert len(pids) == 2, "".join(said)
            yield Server(f"http://127.0.0.1:{port}", lines, sorted(pids))
        finally:
            program.terminate()
        rest = Thread(target=list, args=(lines,))
        rest.start()
        assert program.wait(60) == 0, "".join(said)
        rest.join()
    assert not any("Traceback" in line for line in said), "".join(said)


def _kept(lines: IO[str], said: list[str]) -> Iterator[str]:
    for line in lines:
        said.append(line)
        yield line


def test_what_one_process_takes_in_the_other_finds_at_once_and_both_are_counted(server: Server) -> None:
    one, other = server.workers
    with asleep(other):
        added = server.ask("POST", "/v1/images", files=[("files", ("a.png", png(1), "image/png"))])
        assert added.json()["added"] == 1, added.text
    for sleeping in (one, other):
        with asleep(sleeping):
            found = server.ask("POST", "/v1/search", json={"image_id": SHA256})
            assert found.json()["matches"][0]["image"]["image"]["sha256"] == SHA256, found.text
            seen = server.ask("POST", "/v1/search", files={"image": ("b.png", png(2))})
            assert seen.status_code == 200, seen.text

    for sleeping in (one, other):
        with asleep(sleeping):
            told = server.ask("GET", "/metrics").text
        assert 'dejafake_http_requests_total{method="POST",route="/v1/search",status="200"} 4.0' in told
        assert "dejafake_model_passes_total 2.0" in told
        assert "dejafake_model_waiting 0.0" in told
        assert 'dejafake_images{label="unknown"} 1.0' in told


def test_a_process_that_dies_is_replaced(server: Server) -> None:
    died = server.workers.pop()
    os.kill(died, signal.SIGKILL)
    server.workers.append(server.wait_for_a_worker())
    assert died not in server.workers
    with asleep(server.workers[0]):
        assert server.ask("GET", f"/v1/images/{SHA256}").status_code == 200


def test_more_idle_connections_than_all_processes_take_leave_room_for_a_fresh_one(server: Server) -> None:
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(address))
        for sleeping in server.workers:
            with asleep(sleeping):
                assert server.ask("GET", "/healthz").status_code == 200


def test_processes_share_the_memory_for_pictures_and_the_cores() -> None:
    asked = Settings(workers=4)
    share = share_of_each(asked)
    assert share.max_decoded_bytes == DECODED_BYTES // 4
    assert share.threads >= 1
    given = share_of_each(Settings(workers=4, max_decoded_bytes=123, threads=3))
    assert (given.max_decoded_bytes, given.threads) == (123, 3)
