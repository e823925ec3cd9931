"""Tunes the search of an IVF index: the cheapest parameters that reach a target recall on held-out queries. A query is
a vector of the index shifted by a random fraction of the difference of two others, so that it follows the distribution
of the data. The ground truth is exact. One half of the queries chooses the parameters, the other half gives the
reported figures.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import faiss
import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors
from indexer.index.vectors.exact import SCORE_ERROR, SURPLUS, inner_products
from indexer.index.vectors.ivf import IvfIndex
from indexer.index.vectors.ivf_building import SEED, Trained
from indexer.threads import limit_faiss

K = 10
REFINED = (2, 3, 4, 6, 8, 12, 16, 24, 32)
QUERIES_AT_ONCE = 64
FARTHEST = 0.6
"""Most of the difference of two vectors that a query is moved by."""
NANOSECONDS_A_LIST, NANOSECONDS_A_CODE, NANOSECONDS_A_CANDIDATE = 20, 7, 400
"""What a search costs, for comparing parameters; from `benchmarks.vectors`. Times of this very machine would make the
same content into different snapshots."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall@10 in [0, 1] of held-out queries, and the median milliseconds of one query in one thread."""

    recall: float
    milliseconds: float


def tune(
    trained: Trained, vectors: Vectors, target: float, queries: int, threads: int, pause: Callable[[], None]
) -> tuple[Trained, Measured]:
    """The index with the cheapest `probes` and `refined` whose recall@10 is at least `target`, or those with the
    highest recall if none reaches it, and the measurement.

    Args:
        vectors: [N, D], all that `trained` holds.
        queries: how many to choose by, and how many more to measure with.
        pause: called between steps; may raise to abort.
    """
    asked = held_out(vectors, 2 * queries)
    truth = _truth(vectors, asked, threads, pause)
    probes, refined = _choose(trained, vectors, asked[:queries], truth[:queries], target, threads, pause)
    chosen = Trained(trained.index, replace(trained.parameters, probes=probes, refined=refined))
    index = IvfIndex(chosen.index, vectors, chosen.parameters)
    return chosen, _measure(index, vectors, asked[queries:], truth[queries:])


def held_out(vectors: Vectors, count: int) -> Vectors:
    """`count` unit vectors distributed like `vectors` [N, D], but not among them."""
    random = np.random.default_rng(SEED)
    here, first, second = (vectors[random.integers(0, len(vectors), count)] for _ in range(3))
    far = random.uniform(0.01, FARTHEST, (count, 1)).astype(np.float32)
    moved = here + far * (first - second)
    return np.ascontiguousarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6))


def _truth(vectors: Vectors, queries: Vectors, threads: int, pause: Callable[[], None]) -> npt.NDArray[np.float32]:
    """The cosine [Q] of the K-th nearest row, exactly."""
    cosines = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        pause()
        limit_faiss(threads)
        some = queries[start : start + QUERIES_AT_ONCE]
        scores, _ = faiss.knn(some, vectors, min(K, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
        cosines[start : start + QUERIES_AT_ONCE] = scores[:, -1]
    return cosines


def _choose(
    trained: Trained,
    vectors: Vectors,
    queries: Vectors,
    truth: npt.NDArray[np.float32],
    target: float,
    threads: int,
    pause: Callable[[], None],
) -> tuple[int, int]:
    index, lists = IvfIndex(trained.index, vectors, trained.parameters), trained.parameters.lists
    best: tuple[float, int, int] | None = None
    highest = (-1.0, lists, REFINED[-1])
    for probes in _ladder(lists):
        pause()
        limit_faiss(threads)
        rows = index.scan(queries, min(len(vectors), K * REFINED[-1]), probes)
        hits = inner_products(rows, vectors, queries, threads) >= truth[:, None] - SCORE_ERROR
        for refined in REFINED:
            recall = float(np.minimum(hits[:, : K * refined].sum(axis=1), K).mean() / K)
            highest = max(highest, (recall, probes, refined), key=lambda candidate: candidate[0])
            cost = _cost(probes, refined, lists, len(vectors))
            if recall >= target and (best is None or cost < best[0]):
                best = (cost, probes, refined)
        if best is not None and _cost(probes, 0, lists, len(vectors)) >= best[0]:
            break
    return best[1:] if best is not None else highest[1:]


def _ladder(lists: int) -> list[int]:
    """Numbers of lists to try, each about a fifth larger, up to all of them."""
    steps = {min(lists, round(1.2**step)) for step in range(8, 80)}
    return sorted(steps)


def _cost(probes: int, refined: int, lists: int, count: int) -> float:
    codes = probes * count / lists
    return lists * NANOSECONDS_A_LIST + codes * NANOSECONDS_A_CODE + K * refined * NANOSECONDS_A_CANDIDATE


def _measure(index: IvfIndex, vectors: Vectors, queries: Vectors, truth: npt.NDArray[np.float32]) -> Measured:
    """Measures one query at a time in one thread, like a single search."""
    seconds, hits = [], 0
    for at in range(len(queries)):
        started = time.perf_counter()
        rows = index.candidates(queries[at : at + 1], min(K + SURPLUS, len(vectors)), None, 1)
        scores = inner_products(rows, vectors, queries[at : at + 1], 1)
        seconds.append(time.perf_counter() - started)
        hits += min(K, int((scores >= truth[at] - SCORE_ERROR).sum()))
    return Measured(hits / (K * len(queries)), statistics.median(seconds) * 1000)
