"""Do answers keep coming while the index changes? `python -m benchmarks.updates [--full]`

One thread searches without pause while vectors are added, deleted and merged into a new snapshot; then the same small
index is merged again and again, for its memory.
"""

import argparse
import gc
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.engines.engines import FINGERPRINT, THREADS, Dejafake
from benchmarks.made_up.vectors import planted
from benchmarks.reporting.report import Check, Report, conclude
from indexer.cli.output import progress
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore

K = 10
ADDED, AT_ONCE, DELETED = 1_000, 8, 100
LONGEST_MS = 50.0
MERGES, SETTLED, MERGED, MERGED_EXACT = 50, 10, 20_000, 5_000
GROWTH_MIB = 16.0


@dataclass(frozen=True, slots=True)
class Row:
    """One phase: `seconds` in all, and the answers that came meanwhile: how many, their median and 99th percentile, and
    the longest."""

    phase: str
    seconds: float
    answers: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


class _Asker(threading.Thread):
    """Searches all the time, one query after another, and notes how long each answer took."""

    def __init__(self, store: VectorStore, queries: npt.NDArray[np.float32]) -> None:
        super().__init__(daemon=True)
        self.store = store
        self._queries = queries
        self._stopping = threading.Event()
        self._seconds: list[float] = []

    def run(self) -> None:
        at = 0
        while not self._stopping.is_set():
            started = time.perf_counter()
            self.store.search(self._queries[at : at + 1], K)
            self._seconds.append(time.perf_counter() - started)
            at = (at + 1) % len(self._queries)

    def noted(self, phase: str, seconds: float) -> Row:
        """The answers since the last time."""
        noted_seconds, self._seconds = self._seconds, []
        milliseconds = np.array(noted_seconds or [0.0]) * 1000
        p99 = float(np.percentile(milliseconds, 99))
        return Row(phase, seconds, len(noted_seconds), statistics.median(milliseconds), p99, float(milliseconds.max()))

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        self.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million vectors")
    parser.add_argument("--size", type=int, help="vectors; default: 100000")
    parser.add_argument("--merges", type=int, default=MERGES, help="merges of the small index, for its memory")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    size = options.size or (1_000_000 if options.full else 100_000)
    with tempfile.TemporaryDirectory() as temporary:
        return conclude("updates", lambda: measure(size, Path(temporary), options.merges), options.json)


def measure(size: int, folder: Path, merges: int, merged: int = MERGED) -> Report:
    """Builds an index of `size` vectors and one of `merged` in `folder`, and changes them."""
    rows, found_after, deleted_found = _changes(size, folder / "large")
    growth = _memory_growth(merged, folder / "small", merges)
    longest = max(row.longest_ms for row in rows[1:])
    return Report(
        question="Do answers keep coming while the index changes?",
        parameters={"vectors": size, "added": ADDED, "deleted": DELETED, "merges": merges, "vectors_merged": merged},
        rows=tuple(rows),
        checks=(
            Check(f"{ADDED} added: searchable after, s", found_after, "below 1", found_after < 1),
            Check("longest answer while adding, deleting and merging, ms", longest, "below 50", longest < LONGEST_MS),
            Check("deleted vectors found", float(deleted_found), "0", deleted_found == 0),
            Check(f"memory after {merges} merges less after {SETTLED}, MiB", growth, "below 16", growth < GROWTH_MIB),
        ),
    )


def _changes(size: int, folder: Path) -> tuple[list[Row], float, int]:
    data = planted(size + ADDED)
    vectors, newer, queries = data.vectors[:size], data.vectors[size:], data.queries
    Dejafake().build(vectors, folder)
    snapshots = SnapshotFolder(folder, FINGERPRINT, vectors.shape[1])
    store = VectorStore.open(snapshots, threads=THREADS)
    ids = np.arange(size, size + ADDED)
    asker = _Asker(store, queries)
    asker.start()
    time.sleep(1)
    rows = [asker.noted("nothing else", 1.0)]

    started = time.perf_counter()
    for at in range(0, ADDED, AT_ONCE):
        store.add(ids[at : at + AT_ONCE], newer[at : at + AT_ONCE], size + at + AT_ONCE)
    hits = store.search(newer, 1)
    found_after = time.perf_counter() - started
    if (hits.scores[:, 0] < 0.999999).any():
        found_after = float("inf")
    rows.append(asker.noted(f"adding {ADDED}", found_after))

    gone = np.concatenate((ids[: DELETED // 2], np.arange(DELETED // 2)))
    started = time.perf_counter()
    store.delete(gone, 1)
    again = store.search(np.concatenate((newer[: DELETED // 2], vectors[: DELETED // 2])), K)
    rows.append(asker.noted(f"deleting {DELETED}", time.perf_counter() - started))
    deleted_found = int(np.isin(again.ids, gone).sum())

    started = time.perf_counter()
    with snapshots.lock(wait=True):
        store.write_snapshot(SnapshotPlan(exact_max=50_000, threads=THREADS))
    asker.store = VectorStore.open(snapshots, threads=THREADS)
    rows.append(asker.noted("merging", time.perf_counter() - started))
    asker.stop()
    return rows, found_after, deleted_found


def _memory_growth(size: int, folder: Path, merges: int) -> float:
    """MiB not mapped from files that merging again and again leaves behind, after the first few."""
    vectors = planted(size).vectors
    snapshots = SnapshotFolder(folder, FINGERPRINT, vectors.shape[1])
    plan = SnapshotPlan(exact_max=min(MERGED_EXACT, size // 2), threads=THREADS)
    store = VectorStore(snapshots, None, threads=THREADS)
    store.add(np.arange(size), vectors, size)
    settled = 0.0
    with progress("merges", merges) as advance:
        for number in range(merges):
            with snapshots.lock(wait=True):
                store.write_snapshot(plan)
            store = VectorStore.open(snapshots, threads=THREADS)
            store.add(np.array([number]), vectors[number : number + 1], size + number)
            advance(1)
            if number + 1 == min(SETTLED, merges):
                settled = _anonymous_mib()
    return _anonymous_mib() - settled


def _anonymous_mib() -> float:
    gc.collect()
    memory = psutil.Process().memory_info()
    return float(memory.rss - getattr(memory, "shared", 0)) / 2**20


if __name__ == "__main__":
    sys.exit(main())
