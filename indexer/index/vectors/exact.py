"""Exact search over rows of float32 in memory or in a memory-mapped file, and exact re-scoring of candidates.

FAISS finds the candidates; their scores are then recomputed in double precision, one pair at a time, so that a score
depends only on its two vectors: not on the batch, the thread count or the part of the index.
"""

from collections.abc import Callable

import faiss
import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors
from indexer.index.vectors.hits import NO_HIT, Hits
from indexer.index.vectors.selection import Selection
from indexer.threads import SINGLE_QUERY, limit_faiss

Ids = npt.NDArray[np.int64]
Finder = Callable[[Vectors, int], Ids]

SURPLUS = 6
"""Candidates beyond k that are always re-scored."""
SCORE_ERROR = 1e-5
"""More than a float32 inner product of two unit vectors of a few hundred numbers is off (about 1e-7, seen)."""
RESCORED_AT_ONCE = 1 << 15
BLAS_FROM = 4 * 384
"""Queries times dimension from which on FAISS multiplies matrices instead of scanning once for each query. Its own
default, 128,000, makes a batch of 64 on 50,000 rows 13 times slower."""
SPARSE = 4
"""A list of allowed rows beats a bitmap when at most one row in SPARSE is allowed."""

faiss.cvar.distance_compute_blas_threshold = BLAS_FROM


def exact_search(
    ids: Ids, vectors: Vectors, queries: Vectors, k: int, selection: Selection | None, threads: int
) -> Hits:
    """The k best rows by cosine, exactly.

    Args:
        ids: [N] int64, the id of each row.
        vectors: [N, D] float32, C-contiguous, L2-normalised.
        queries: [Q, D] float32, C-contiguous, L2-normalised.
        k: how many, at least 1.
        selection: the rows that may be found; None for all.
        threads: OpenMP threads for a batch; one query uses one.
    """
    live = len(ids) if selection is None else selection.count
    if live == 0 or len(queries) == 0:
        return Hits.none(len(queries), k)
    selector = None
    if selection is not None and live < len(ids):
        selector = (selection.by_bit if live * SPARSE > len(ids) else selection.by_number).handle

    def scan(some: Vectors, depth: int) -> Ids:
        limit_faiss(threads if len(some) > 1 else SINGLE_QUERY)
        scores = np.empty((len(some), depth), np.float32)
        rows = np.empty((len(some), depth), np.int64)
        faiss.knn_inner_product(
            faiss.swig_ptr(some),
            faiss.swig_ptr(vectors),
            vectors.shape[1],
            len(some),
            len(vectors),
            depth,
            faiss.swig_ptr(scores),
            faiss.swig_ptr(rows),
            selector,
        )
        return rows

    return search_deep_enough(scan, ids, vectors, queries, k, live)


def search_deep_enough(find: Finder, ids: Ids, vectors: Vectors, queries: Vectors, k: int, live: int) -> Hits:
    """Rank candidates exactly, fetching more while the k-th could still be tied with one not fetched yet.

    Many images of a catalogue can have identical vectors; regardless of which of them `find` returns first, the result
    must be those with the smallest ids.

    Args:
        find: (queries [Q, D], depth) -> candidate rows [Q, depth] int64, -1 where it has no more.
        live: the total number of searchable rows.
    """
    result = Hits.none(len(queries), k)
    pending = np.arange(len(queries))
    depth = min(live, k + SURPLUS)
    while len(pending):
        some = np.ascontiguousarray(queries[pending])
        hits = rescore(find(some, depth), ids, vectors, some)
        best = hits.ranked(k)
        result.ids[pending] = best.ids
        result.scores[pending] = best.scores
        if depth >= live:
            break
        worst = hits.scores.min(axis=1)
        has_more = worst > -np.inf
        pending = pending[has_more & (worst >= best.scores[:, -1] - SCORE_ERROR)]
        depth = min(live, depth * 4)
    return result


def inner_products(rows: Ids, vectors: Vectors, queries: Vectors, threads: int) -> Vectors:
    """The cosines [Q, n], in single precision, of candidate `rows` [Q, n] (-1 for none: -inf) with their queries."""
    limit_faiss(threads if len(queries) > 1 else SINGLE_QUERY)
    scores = np.empty(rows.shape, np.float32)
    faiss.fvec_inner_products_by_idx(
        faiss.swig_ptr(scores),
        faiss.swig_ptr(queries),
        faiss.swig_ptr(vectors),
        faiss.swig_ptr(rows),
        vectors.shape[1],
        *rows.shape,
    )
    return scores


def rescore(rows: Ids, ids: Ids, vectors: Vectors, queries: Vectors) -> Hits:
    """The exact cosines of candidate `rows` [Q, n] (-1 for none) with their queries [Q, D], in the order given."""
    scores = np.empty(rows.shape, np.float32)
    step = max(1, RESCORED_AT_ONCE // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        scores[part] = np.einsum("qnd,qd->qn", vectors[rows[part]], queries[part], dtype=np.float64)
    np.clip(scores, -1, 1, out=scores)
    empty = rows == NO_HIT
    scores[empty] = -np.inf
    return Hits(np.where(empty, NO_HIT, ids[rows]), scores)
