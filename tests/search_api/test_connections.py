"""Connections: more than are taken do not stop the server, and those that dribble or say nothing are cut."""

import logging
import os
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest

from indexer.settings import Settings
from search_api.layers import connections, log_rate
from search_api.layers.connections import KEPT_FOR_PROBES
from search_api.layers.file_limit import OTHERS, connections_within, raise_file_limit
from search_api.layers.log_rate import RepeatedLines
from tests.made_pictures import png
from tests.search_api.served import Api, problem_of

MOST = 32
HEAD = (
    b"POST /v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@contextmanager
def opened(url: str, count: int) -> Iterator[list[socket.socket]]:
    address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(count)]


def rest(connection: socket.socket) -> bytes:
    """What the server says until it closes the connection."""
    told = b""
    try:
        while piece := connection.recv(65_536):
            told += piece
    except ConnectionError:
        pass
    return told


def alive(url: str) -> int:
    """The answer to a probe on a connection of its own."""
    return httpx.get(f"{url}/healthz", timeout=60).status_code


def test_more_idle_connections_than_are_taken_leave_room_for_a_fresh_one(start: Callable[..., Api]) -> None:
    own = start(connections_max=MOST)
    with opened(own.url, 3 * MOST) as idle:
        assert alive(own.url) == 200
        assert httpx.get(f"{own.url}/v1/images").status_code == 200
        assert rest(idle[0]) == b""  # the first to come were the first to go
        idle[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert b" 200 OK" in rest(idle[-1])


def test_requests_that_take_all_the_room_leave_some_for_probes(start: Callable[..., Api]) -> None:
    own = start(connections_max=MOST)
    with opened(own.url, MOST) as busy:
        for connection in busy:
            connection.sendall(HEAD)
        refused: set[socket.socket] = set()
        while len(refused) < KEPT_FOR_PROBES:
            answered = set(select.select([one for one in busy if one not in refused], [], [], 60)[0])
            assert answered
            assert all(b" 503 " in rest(connection) for connection in answered)
            refused |= answered
        assert alive(own.url) == 200
        problem_of(httpx.get(f"{own.url}/v1/images"), 503, "service-unavailable")
    answers = iter(lambda: httpx.get(f"{own.url}/v1/images").status_code, None)
    assert next(status for status in answers if status != 503) == 200


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"HTTP/1.1 408 "),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET ", b"HTTP/1.1 200 OK"),
    ],
    ids=["nothing", "half the headers", "half of a second request"],
)
def test_headers_that_do_not_come_end_the_connection(start: Callable[..., Api], said: bytes, expected: bytes) -> None:
    own = start(header_timeout_seconds=0.2, keep_alive_seconds=1)
    with opened(own.url, 1) as (slow,):
        slow.sendall(said)
        assert rest(slow).startswith(expected)
    assert alive(own.url) == 200


def test_headers_that_are_dribbled_are_cut(start: Callable[..., Api]) -> None:
    own = start(header_timeout_seconds=0.2)
    with opened(own.url, 1) as (slow,):
        slow.settimeout(0.01)
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        assert b" 408 " in dribbled(slow)


def test_a_body_that_is_dribbled_after_the_answer_is_cut(start: Callable[..., Api]) -> None:
    own = start(header_timeout_seconds=0.2, api_token="a secret")
    with opened(own.url, 1) as (slow,):
        slow.settimeout(0.01)
        slow.sendall(HEAD.replace(b" 1000", b" 100000000"))
        assert b" 401 " in dribbled(slow)


def dribbled(slow: socket.socket) -> bytes:
    """Sends a byte now and then until the server closes; what it said."""
    told = b""
    give_up = monotonic() + 60
    while monotonic() < give_up:
        try:
            slow.sendall(b"x")
            piece = slow.recv(65_536)
        except TimeoutError:
            continue
        except ConnectionError:
            return told
        told += piece
        if not piece:
            return told
    raise AssertionError("the server never closed the connection")


def test_a_body_that_stalls_is_cut_and_one_that_goes_on_is_answered(start: Callable[..., Api]) -> None:
    own = start(body_stall_seconds=0.2)
    with opened(own.url, 1) as (slow,):
        slow.sendall(HEAD + b"--b\r\n")
        told = rest(slow)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"urn:dejafake:problem:timeout" in told
    assert httpx.post(f"{own.url}/v1/search", files={"image": ("a.png", png(1))}).status_code == 200


def test_an_idle_connection_is_closed_after_its_answer(start: Callable[..., Api]) -> None:
    own = start(keep_alive_seconds=1)
    with opened(own.url, 1) as (kept,):
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 2)
        assert rest(kept).count(b"HTTP/1.1 200 OK") == 2


def test_a_client_that_reads_nothing_is_dropped(start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_GRACE", 0.2)
    own = start(request_timeout_seconds=0.5, keep_alive_seconds=1)
    with opened(own.url, 1) as (deaf,):
        deaf.setblocking(False)
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        give_up = monotonic() + 60
        while monotonic() < give_up:
            try:
                deaf.send(ask)
            except BlockingIOError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("the server never dropped the connection")
    assert alive(own.url) == 200


def test_an_upgrade_to_a_websocket_is_not_taken(api: Api) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert api.client.get("/healthz", headers=headers).status_code == 200


def test_connections_leave_files_to_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    assert connections_within(1_000, None) == 1_000
    assert connections_within(1_000, 65_536) == 1_000
    with caplog.at_level(logging.WARNING):
        assert connections_within(1_000, 1_024) == 1_024 - OTHERS
        assert connections_within(1_000, 256) == 64
    assert "DEJAFAKE_CONNECTIONS_MAX" in caplog.text


def test_the_limit_of_open_files_is_raised_to_what_it_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


RUN = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from indexer.settings import Settings
from search_api.server import serve
serve(Settings.load())
"""


def test_a_server_with_few_files_stays_up_under_more_connections_and_its_log_stays_small(tmp_path: Path) -> None:
    given = {"DEJAFAKE_HOME": str(tmp_path), "DEJAFAKE_PORT": "0", "DEJAFAKE_RUNTIME": "eager"}
    log = tmp_path / "log"
    with (
        log.open("w") as written,
        subprocess.Popen([sys.executable, "-c", RUN], env={**os.environ, **given}, stderr=written) as program,
    ):
        try:
            give_up = monotonic() + 60
            while "dejafake listens on" not in (text := log.read_text()):
                assert monotonic() < give_up, text
                assert program.poll() is None, text
            url = text.partition("dejafake listens on ")[2].split()[0]
            with opened(url, 400):
                assert alive(url) == 200
                assert alive(url) == 200
        finally:
            program.terminate()
        assert program.wait(60) in (0, -15)
    told = log.read_text()
    assert "DEJAFAKE_CONNECTIONS_MAX" in told
    assert "Traceback" not in told
    assert len(told) < 20_000


def test_repeated_lines_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(log_rate, "monotonic", lambda: now)
    rate = RepeatedLines()

    def line(words: str, *values: object) -> logging.LogRecord | None:
        record = logging.LogRecord("x", logging.ERROR, "", 1, words, values, None)
        return record if rate.filter(record) else None

    written = [line("failed %d", number) for number in range(1_000)]
    assert len([one for one in written if one]) == log_rate.MOST
    assert line("another")
    now = log_rate.SECONDS
    again = line("failed %d", 7)
    assert again
    assert again.getMessage() == f"failed 7 (and {1_000 - log_rate.MOST} more lines like it before)"
    assert line("failed %d", 8)
    for number in range(100_000):
        line(f"kind {number}")
    assert len(rate._seen) <= 1_000
    assert Settings.load().connections_max == 1_000
