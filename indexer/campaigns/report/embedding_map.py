"""A map of embeddings: their first two principal components as points on a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

LEAST_IMAGES = 3


@dataclass(frozen=True, slots=True)
class EmbeddingMap:
    """A point for each of N images (None without an embedding), both coordinates in [-1, 1], and the share of the
    variance on each axis.
    """

    places: tuple[tuple[float, float] | None, ...]
    shares: tuple[float, float]


def embedding_map(vectors: Sequence[npt.NDArray[np.float32] | None]) -> EmbeddingMap | None:
    """The map by principal component analysis of vectors [384]; deterministic. None when fewer than three images have
    one, or all are equal.
    """
    present = {number: vector for number, vector in enumerate(vectors) if vector is not None}
    if len(present) < LEAST_IMAGES:
        return None
    matrix = np.stack(list(present.values())).astype(np.float64)
    if np.ptp(matrix, axis=0).max() < 1e-6:
        return None
    analysis = PCA(n_components=2, svd_solver="covariance_eigh")
    points = analysis.fit_transform(matrix)
    points = np.round(points / np.abs(points).max(), 4) + 0.0
    places: list[tuple[float, float] | None] = [None] * len(vectors)
    for number, (x, y) in zip(present, points.tolist(), strict=True):
        places[number] = (x, y)
    first, second = np.round(analysis.explained_variance_ratio_, 4).tolist()
    return EmbeddingMap(tuple(places), (first, second))
