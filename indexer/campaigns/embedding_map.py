"""A map of embeddings: the two directions in which they differ most, as places on a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

LEAST_IMAGES = 3


@dataclass(frozen=True, slots=True)
class EmbeddingMap:
    """A place for each of N images, None where it has no embedding, both coordinates in [-1, 1]; and the share of the
    variance that each axis shows."""

    places: tuple[tuple[float, float] | None, ...]
    shares: tuple[float, float]


def embedding_map(vectors: Sequence[npt.NDArray[np.float32] | None]) -> EmbeddingMap | None:
    """The map by principal component analysis of vectors [384] each, the same for the same vectors; None when fewer
    than three have one, or they are all alike."""
    known = {place: vector for place, vector in enumerate(vectors) if vector is not None}
    if len(known) < LEAST_IMAGES:
        return None
    matrix = np.stack(list(known.values())).astype(np.float64)
    if np.ptp(matrix, axis=0).max() < 1e-6:
        return None
    analysis = PCA(n_components=2, svd_solver="covariance_eigh")
    found = analysis.fit_transform(matrix)
    found = np.round(found / np.abs(found).max(), 4) + 0.0
    places: list[tuple[float, float] | None] = [None] * len(vectors)
    for place, (x, y) in zip(known, found.tolist(), strict=True):
        places[place] = (x, y)
    first, second = np.round(analysis.explained_variance_ratio_, 4).tolist()
    return EmbeddingMap(tuple(places), (first, second))
