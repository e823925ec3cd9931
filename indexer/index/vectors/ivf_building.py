"""Building an IVF index: its shape by size, training, and what a later build can reuse from an earlier one."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import faiss
import numpy as np

from indexer.arrays import Vectors
from indexer.index.vectors.ivf import IvfParameters, list_centres
from indexer.threads import limit_faiss

SEED = 1234
TRAINING_ROWS_A_LIST = 64
TRAINING_ROWS_LEAST = 16_384
LEAST_ROWS_A_LIST = 39
ADDED_AT_ONCE = 1 << 15
CODED_CENTRES = 1024
"""From this many lists on, the lists to probe are found by codes of their centres: comparing a query with every centre
would take as long as searching the lists."""
CENTRES_COMPARED = 32
"""Centres compared exactly for each list wanted, when vectors are assigned to lists."""
ROUNDS = 10
"""Of k-means."""
GROWTH = 2
"""Times the vectors it was trained on, from which on a quantiser is trained anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained index with any content, and its parameters."""

    index: "faiss.IndexIVFPQFastScan"
    parameters: IvfParameters

    def suits(self, count: int, dimension: int) -> bool:
        """Whether its quantiser is good enough for `count` vectors, so that none needs to be trained."""
        trained_on = self.parameters.trained_on
        return self.index.d == dimension and trained_on <= count * GROWTH and count <= trained_on * GROWTH

    def emptied(self) -> "Trained":
        """An empty copy with the same quantiser. It does not touch this one, and may outlive it."""
        old, parameters = self.index, self.parameters
        index = _around(list_centres(old).reconstruct_n(0, parameters.lists), parameters)
        faiss.copy_array_to_vector(faiss.vector_to_array(old.pq.centroids), index.pq.centroids)
        index.is_trained = True
        return Trained(index, parameters)


def shape_of(count: int, dimension: int) -> IvfParameters:
    """The parameters for `count` vectors, except `probes` and `refined`, which are measured."""
    lists = max(1, min(round(4 * math.sqrt(count)), count // LEAST_ROWS_A_LIST))
    rows = min(count, max(TRAINING_ROWS_LEAST, TRAINING_ROWS_A_LIST * lists))
    return IvfParameters(lists, dimension // 4, rows, count, SEED, probes=1, refined=1)


def train(vectors: Vectors, threads: int, pause: Callable[[], None]) -> Trained:
    """Train on a fixed random sample of `vectors` [N, D]. `pause` is called between steps and may raise to abort."""
    count, dimension = vectors.shape
    parameters = shape_of(count, dimension)
    sample = np.random.default_rng(SEED).choice(count, parameters.training_rows, replace=False)
    rows = vectors[np.sort(sample)]
    clustering = faiss.Clustering(dimension, parameters.lists)
    clustering.seed, clustering.niter, clustering.spherical = SEED, ROUNDS, True
    pause()
    limit_faiss(threads)
    clustering.train(rows, faiss.IndexFlatIP(dimension))
    pause()
    index = _around(faiss.vector_to_array(clustering.centroids).reshape(-1, dimension), parameters)
    index.train(rows)
    return Trained(index, parameters)


def fill(trained: Trained, vectors: Vectors, threads: int, pause: Callable[[], None]) -> None:
    """Add all rows of `vectors` [N, D], in order; row numbers become ids."""
    limit_faiss(threads)
    for rows in _steps(len(vectors)):
        pause()
        trained.index.add(np.ascontiguousarray(vectors[rows]))


def _around(centres: Vectors, parameters: IvfParameters) -> "faiss.IndexIVFPQFastScan":
    """An empty index with lists of these centroids [lists, D]; its codes are untrained."""
    lists, dimension = centres.shape
    metric = faiss.METRIC_INNER_PRODUCT
    limit_faiss(1)  # code training takes so many small steps that threads would mostly wait for each other
    if lists < CODED_CENTRES:
        quantizer = faiss.IndexFlat(dimension, metric)
    else:
        quantizer = faiss.IndexRefineFlat(faiss.IndexPQFastScan(dimension, dimension // 2, 4, metric))
        quantizer.k_factor = CENTRES_COMPARED
        quantizer.train(centres)
    quantizer.add(centres)
    index = faiss.IndexIVFPQFastScan(quantizer, dimension, lists, 2 * parameters.code_bytes, 4, metric)
    index.by_residual = True
    return index


def _steps(count: int) -> Iterator[slice]:
    return (slice(start, start + ADDED_AT_ONCE) for start in range(0, count, ADDED_AT_ONCE))
