"""A command that ended is gone soon, whatever threads are stuck; its exit code is its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STUCK = """
import os, queue, signal, threading
from concurrent.futures import ThreadPoolExecutor
from indexer.cli import leaving, main
from indexer.imaging.budget import budget_of
leaving.SECONDS = 0.2
pool = ThreadPoolExecutor(2)
pool.submit(queue.Queue().get)
reading, _ = os.pipe()
pool.submit(os.read, reading, 1)
held = budget_of(1).decoding(100)
held.__enter__()
threading.Thread(target=lambda: budget_of(1).decoding(100).__enter__()).start()
threading.Thread(target=threading.Lock().acquire).start()
lock = threading.Lock()
lock.acquire()
threading.Thread(target=lock.acquire).start()
"""
RUN = {
    0: "main(['--version'])",
    2: "main(['no-such-command'])",
    130: "import indexer.cli.app as app; app.run = lambda _: os.kill(os.getpid(), signal.SIGINT); main([])",
    143: "import indexer.cli.app as app; app.run = lambda _: os.kill(os.getpid(), signal.SIGTERM); main([])",
}


@pytest.mark.parametrize("code", RUN)
def test_a_command_ends_with_its_own_code_although_threads_are_stuck(code: int, tmp_path: Path) -> None:
    env = {**os.environ, "DEJAFAKE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", STUCK + RUN[code]], env=env, capture_output=True, timeout=20, check=False, text=True
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
