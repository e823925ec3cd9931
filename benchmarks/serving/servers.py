"""A server in a process of its own: a port for it, and waiting until it is ready."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter, sleep

import httpx
import psutil

from indexer.settings import Settings
from search_api.server import listening

DEJAFAKE = "from indexer.cli import main; main()"
LOAD = "from indexer.detector import load_detector; from indexer.settings import Settings; load_detector(Settings())"
"""What a Python of its own is told to run: the command, and loading the detector alone."""
GIVEN_UP_S = 900.0
BETWEEN_S = 0.05


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where, its process, how long it took until it was ready."""

    port: int
    process: psutil.Process
    ready_s: float

    def resident_mib(self) -> float:
        """Its resident memory."""
        return float(self.process.memory_info().rss) / 2**20


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with listening("127.0.0.1", 0) as free:
        return int(free.getsockname()[1])


def wait_until_ready(port: int, program: "subprocess.Popen[bytes]") -> None:
    """Until the first 200 of `/readyz`. What the program writes must not go to a pipe that nobody reads: it says much
    while it is asked.

    Raises:
        RuntimeError: the program ended, or was not ready in time.
    """
    give_up = monotonic() + GIVEN_UP_S
    while program.poll() is None and monotonic() < give_up:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=60).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        sleep(BETWEEN_S)
    raise RuntimeError("the server did not get ready")


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """`dejafake serve` in a process of its own, until it is ready and then to the end of the block.

    Raises:
        RuntimeError: it did not get ready.
    """
    port = free_port()
    environment = {**os.environ, **environment_of(settings), "DEJAFAKE_PORT": str(port)}
    started = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", DEJAFAKE, "serve"], stderr=subprocess.DEVNULL, env=environment
    ) as program:
        try:
            wait_until_ready(port, program)
            yield Server(port, psutil.Process(program.pid), perf_counter() - started)
        finally:
            program.send_signal(signal.SIGINT)
            try:
                program.wait(60)
            except subprocess.TimeoutExpired:
                program.kill()


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that give a server these settings."""
    return {
        "DEJAFAKE_HOME": str(settings.home),
        "DEJAFAKE_DETECTOR": settings.detector,
        "DEJAFAKE_RUNTIME": settings.runtime,
        "DEJAFAKE_BATCH_SIZE": str(settings.batch_size),
        "DEJAFAKE_WORKERS": str(settings.workers),
        "DEJAFAKE_REQUEST_TIMEOUT_SECONDS": str(GIVEN_UP_S),
    }
