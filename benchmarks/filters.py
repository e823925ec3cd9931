"""Does a search confined by a filter stay right and fast? `python -m benchmarks.filters [--full]`

Filters that leave 50, 10, 1 and 0.1 % of the vectors, by chance and by whole clusters, on planted vectors. VectorStore
and an exact scan of the allowed vectors take turns.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.engines.engines import FINGERPRINT, THREADS, Dejafake
from benchmarks.made_up.vectors import planted
from benchmarks.reporting.report import Check, Plot, Report, conclude
from indexer.cli.output import progress
from indexer.index.vectors import Allowed, SnapshotFolder, VectorStore
from indexer.index.vectors.exact import exact_search
from indexer.index.vectors.selection import Selection

K = 10
SHARES = (0.5, 0.1, 0.01, 0.001)
FILTERS = ("by chance", "by cluster")
QUERIES = 200
MOST_MS = 3.0
NOISE = 1.1
"""Times an exact scan that is still no slower, as two runs of the very same code differ by as much."""


@dataclass(frozen=True, slots=True)
class Row:
    """One filter. `first_ms`: the first search with it, which prepares it; then medians of searches in turns with
    `exact_ms`, the exact scan of what is allowed; `ratio`: of the two medians."""

    filter: str
    share: float
    allowed: int
    recall: float
    first_ms: float
    p50_ms: float
    p95_ms: float
    exact_ms: float
    ratio: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million vectors")
    parser.add_argument("--size", type=int, help="vectors; default: 200000")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    size = options.size or (1_000_000 if options.full else 200_000)
    with tempfile.TemporaryDirectory() as temporary:
        return conclude("filters", lambda: measure(size, Path(temporary)), options.json)


def measure(size: int, folder: Path, queries: int = QUERIES) -> Report:
    """Builds an index of `size` vectors in `folder` and searches it with every filter."""
    data = planted(size, queries=queries)
    Dejafake().build(data.vectors, folder)
    store = VectorStore.open(SnapshotFolder(folder, FINGERPRINT, data.vectors.shape[1]), threads=THREADS)
    rows = []
    with progress("filters", len(FILTERS) * len(SHARES)) as advance:
        for kind in FILTERS:
            for share in SHARES:
                mask = _mask(kind, share, data.cluster)
                rows.append(_row(kind, share, mask, store, data.vectors, data.queries))
                advance(1)
    return Report(
        question="Does a search confined by a filter stay right and fast?",
        parameters={"vectors": size, "queries": queries, "k": K, "threads": "one for each query"},
        rows=tuple(rows),
        checks=tuple(_checks(rows)),
        plots=(_plot(rows),),
    )


def _plot(rows: Sequence[Row]) -> Plot:
    series = {f"allowed {kind}": [(row.share, row.p50_ms) for row in rows if row.filter == kind] for kind in FILTERS}
    exact = [(row.share, row.exact_ms) for row in rows if row.filter == FILTERS[0]]
    return Plot(
        "One search confined by a filter",
        "share allowed",
        "p50, ms",
        {**series, "exact scan of the allowed": exact},
        True,
    )


def _mask(kind: str, share: float, cluster: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    random = np.random.default_rng(7)
    if kind == "by chance":
        return random.random(len(cluster)) < share
    shuffled = random.permutation(int(cluster.max()) + 1)[cluster]
    before = np.cumsum(np.bincount(shuffled)) / len(cluster)
    last = int(np.searchsorted(before, share))
    kept: npt.NDArray[np.bool_] = shuffled <= last
    return kept


def _row(
    kind: str,
    share: float,
    mask: npt.NDArray[np.bool_],
    store: VectorStore,
    vectors: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
) -> Row:
    ids = np.arange(len(vectors))
    selection = Selection(mask)
    truth = exact_search(ids, vectors, queries, K, selection, THREADS).scores[:, -1]
    allowed = Allowed(np.flatnonzero(mask))
    first = _seconds(lambda: store.search(queries[:1], K, allowed))
    ours, exact, hits = [], [], 0
    for at in range(len(queries)):
        query = queries[at : at + 1]
        ours.append(_seconds(lambda query=query: store.search(query, K, allowed)))  # type: ignore[misc]
        exact.append(_seconds(lambda query=query: exact_search(ids, vectors, query, K, selection, 1)))  # type: ignore[misc]
        hits += int((store.search(query, K, allowed).scores >= truth[at] - 1e-6).sum())
    p50, exact_p50 = statistics.median(ours), statistics.median(exact)
    return Row(
        filter=kind,
        share=share,
        allowed=selection.count,
        recall=hits / (K * len(queries)),
        first_ms=first * 1000,
        p50_ms=p50 * 1000,
        p95_ms=float(np.percentile(ours, 95)) * 1000,
        exact_ms=exact_p50 * 1000,
        ratio=p50 / exact_p50,
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _checks(rows: Sequence[Row]) -> Iterator[Check]:
    for row in rows:
        at = f"{row.share:.1%} allowed {row.filter}"
        yield Check(f"{at}: recall@10", row.recall, "at least 0.99", row.recall >= 0.99)
        yield Check(f"{at}: p50, ms", row.p50_ms, f"at most {MOST_MS:g}", row.p50_ms <= MOST_MS)
        yield Check(f"{at}: in exact scans of the allowed", row.ratio, f"at most {NOISE}", row.ratio <= NOISE)


if __name__ == "__main__":
    sys.exit(main())
