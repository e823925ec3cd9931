"""A server in a process of its own: a port for it, and waiting until it is ready."""

import subprocess
from time import monotonic, sleep

import httpx

from search_api.server import listening

DEJAFAKE = "from indexer.cli import main; main()"
LOAD = "from indexer.detector import load_detector; from indexer.settings import Settings; load_detector(Settings())"
"""What a Python of its own is told to run: the command, and loading the detector alone."""
GIVEN_UP_S = 900.0
BETWEEN_S = 0.05


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
