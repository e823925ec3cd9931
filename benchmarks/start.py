"""How long does dejafake take to start? `python -m benchmarks.start [--full]`

`dejafake --help` beside the bare interpreter and beside an interpreter that imports torch, in turns; opening a snapshot
beside reading the same vectors into memory; and `dejafake serve` until it is ready, beside loading the detector alone.
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.reporting import report
from benchmarks.serving.servers import DEJAFAKE, LOAD, free_port, wait_until_ready
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore
from indexer.index.vectors.snapshots import Block
from indexer.settings import Settings

QUESTION = "How long does dejafake take to start?"
HELP_AIM_S, OPEN_AIM_S, READY_AIM_S = 0.3, 0.1, 5.0
SMALL, FULL = 100_000, 1_000_000
BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class Start:
    """Something that starts, some times over, in seconds."""

    what: str
    times: int
    median_s: float
    least_s: float
    most_s: float


def measure(vectors: int, rounds: int) -> report.Report:
    """The report, with a snapshot of so many `vectors`; processes start `rounds` times each, in turns."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        rows = _in_turns(
            {
                "dejafake --help": lambda: _run("-c", DEJAFAKE, "--help"),
                "python -c pass": lambda: _run("-c", "pass"),
                "python -c 'import torch'": lambda: _run("-c", "import torch"),
            },
            rounds,
        )
        rows |= _in_turns(
            {
                "dejafake serve until ready": lambda: _until_ready(home),
                "loading the detector alone": lambda: _run("-c", LOAD),
            },
            max(1, rounds // 3),
        )
        folder = _snapshot(home / "index", vectors)
        path = folder.path / str(folder.current())
        stored = max(path.iterdir(), key=lambda file: file.stat().st_size)
        opening = f"opening a snapshot of {vectors:,} vectors"
        rows |= _in_turns(
            {
                opening: lambda: _timed(lambda: VectorStore.open(folder)),
                "reading its largest file": lambda: _timed(stored.read_bytes),
            },
            rounds,
        )
    help_s, open_s = rows["dejafake --help"].median_s, rows[opening].median_s
    ready_s = rows["dejafake serve until ready"].median_s - rows["loading the detector alone"].median_s
    checks = (
        report.Check("dejafake --help", help_s, f"< {HELP_AIM_S} s", help_s < HELP_AIM_S),
        report.Check(opening, open_s, f"< {OPEN_AIM_S} s at 1,000,000", open_s < OPEN_AIM_S),
        report.Check(
            "ready, less loading the detector", round(ready_s, 3), f"< {READY_AIM_S:g} s", ready_s < READY_AIM_S
        ),
    )
    return report.Report(QUESTION, {"vectors": vectors, "rounds": rounds}, tuple(rows.values()), checks)


def _in_turns(starts: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Start]:
    times: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(rounds):
        for name, start in starts.items():
            times[name].append(start())
    return {
        name: Start(name, rounds, *(round(value, 4) for value in (statistics.median(took), min(took), max(took))))
        for name, took in times.items()
    }


def _timed(action: Callable[[], object]) -> float:
    started = perf_counter()
    kept = action()
    took = perf_counter() - started
    del kept
    return took


def _run(*arguments: str) -> float:
    return _timed(lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL))


def _until_ready(home: Path) -> float:
    """From starting the process to the first 200 of `/readyz`."""
    port = free_port()
    started = perf_counter()
    command = [sys.executable, "-c", DEJAFAKE, "--home", str(home), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(port, server)
            return perf_counter() - started
        finally:
            server.send_signal(signal.SIGINT)


def _snapshot(path: Path, count: int) -> SnapshotFolder:
    folder = SnapshotFolder(path, "made-up", 384)
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((1_000, 384), dtype=np.float32)

    def blocks() -> "list[Block]":
        written = []
        for start in range(0, count, BLOCK):
            ids = np.arange(start + 1, min(start + BLOCK, count) + 1)
            vectors = centres[rng.integers(0, len(centres), len(ids))]
            vectors = vectors + 0.6 * rng.standard_normal(vectors.shape, dtype=np.float32)
            written.append(Block(ids, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
        return written

    settings = Settings()
    folder.write(blocks(), count, 0, SnapshotPlan(settings.exact_search_max, 2, lambda: None))
    return folder


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"a snapshot of {FULL:,} vectors, not {SMALL:,}")
    parser.add_argument("--rounds", type=int, default=9, help="how often each takes its turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    arguments = parser.parse_args()
    return report.conclude(
        "start", lambda: measure(FULL if arguments.full else SMALL, arguments.rounds), arguments.json
    )


if __name__ == "__main__":
    sys.exit(main())
