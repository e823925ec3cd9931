"""The nearest neighbours of every vector of a store, for graphs."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors
from indexer.index.vectors.allowed import Allowed
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.hits import NO_HIT
from indexer.index.vectors.store import VectorStore

QUERIES_AT_ONCE = 1024


class Neighbours(NamedTuple):
    """`ids` [N] int64, rising; for each the nearest other ids `neighbours` [N, k] int64, best first, -1 where there are
    no more, and their `cosines` [N, k] float32, -inf there."""

    ids: Ids
    neighbours: Ids
    cosines: npt.NDArray[np.float32]


def nearest_neighbours(store: VectorStore, k: int, allowed: Allowed | None = None, *, quick: bool = True) -> Neighbours:
    """The k nearest other vectors of every searchable vector, among `allowed` ids only; k at least 1. `quick` as in
    `VectorStore.search`: a graph tolerates missing links. Groups of planted vectors are as good as with full recall
    (`benchmarks.campaigns --full`, row "thorough neighbours").
    """
    ids: list[Ids] = []
    neighbours: list[Ids] = []
    cosines: list[Vectors] = []
    for block in store.blocks():
        for start in range(0, len(block.ids), QUERIES_AT_ONCE):
            some_ids = block.ids[start : start + QUERIES_AT_ONCE]
            some_vectors = block.vectors[start : start + QUERIES_AT_ONCE]
            if allowed is not None:
                kept = allowed.mask(some_ids)
                some_ids, some_vectors = some_ids[kept], some_vectors[kept]
                if not len(some_ids):
                    continue
            hits = store.search(some_vectors, k + 1, allowed, quick=quick)
            itself = hits.ids == some_ids[:, None]
            # Where more than k others have the same vector, the vector itself may be missing: drop the last instead.
            itself[~itself.any(axis=1), -1] = True
            ids.append(some_ids)
            neighbours.append(hits.ids[~itself].reshape(-1, k))
            cosines.append(hits.scores[~itself].reshape(-1, k))
    if not ids:
        return Neighbours(np.empty(0, np.int64), np.full((0, k), NO_HIT), np.empty((0, k), np.float32))
    order = np.argsort(np.concatenate(ids))
    return Neighbours(np.concatenate(ids)[order], np.concatenate(neighbours)[order], np.concatenate(cosines)[order])
