"""Made-up embeddings in the shape of real ones: clusters of power-law sizes, noise, near duplicates, held-out queries.

The same count and seed give the same vectors. Planted clusters flatter inverted lists: `benchmarks.vectors --real`
measures on embeddings of pictures.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors

DIMENSION = 384
QUERIES = 2_000
ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """`vectors` [N, 384] float32, L2-normalised; `cluster` [N] int64 of each; `queries` [Q, 384] are not among them."""

    vectors: Vectors
    cluster: npt.NDArray[np.int64]
    queries: Vectors


def planted(count: int, *, queries: int = QUERIES, seed: int = 1) -> Planted:
    """`count` vectors around 2 sqrt(count) centres.

    Cluster sizes fall with the 0.75th power of their rank and each has a spread of its own; one vector in five is a
    near duplicate of another. A query is a vector of the index, altered by up to as much as three near duplicates.
    """
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(8, round(2 * count**0.5)), DIMENSION), np.float32)
    weights = np.arange(1, len(centres) + 1) ** -0.75
    cluster = random.choice(len(centres), count, p=weights / weights.sum())
    spread = np.exp(random.normal(0, 0.25, len(centres))).astype(np.float32)
    vectors = np.empty((count, DIMENSION), np.float32)
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        of = cluster[rows]
        noise = random.standard_normal((len(of), DIMENSION), np.float32)
        vectors[rows] = _unit(centres[of] + spread[of, None] * noise)
    copies = np.flatnonzero(random.random(count) < 0.2)
    originals = random.integers(0, count, len(copies))
    for start in range(0, len(copies), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        vectors[copies[rows]] = _altered(vectors[originals[rows]], 0.3, random)
    cluster[copies] = cluster[originals]
    asked = vectors[random.integers(0, count, queries)]
    return Planted(vectors, cluster, _altered(asked, 0.9, random))


def _altered(vectors: Vectors, most: float, random: np.random.Generator) -> Vectors:
    """Unit vectors moved in a random direction by up to `most` of their length."""
    noise = random.standard_normal(vectors.shape, np.float32) / np.float32(DIMENSION**0.5)
    return _unit(vectors + random.uniform(0.02, most, (len(vectors), 1)).astype(np.float32) * noise)


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
