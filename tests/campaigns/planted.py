"""Planted groups of unit vectors with known membership, and the links their nearest neighbours give."""

import numpy as np
import numpy.typing as npt

from indexer.campaigns.grouping.graph import Links, cosine_distance, links

NOBODY = -1


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def planted(
    seed: int, groups: int, sizes: tuple[int, int], *, noise: float = 0.15, chain: int = 0, spread: float = 0.25
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Vectors [N, 64] and the group [N] of each. All share a direction, as embeddings of one detector do; `chain`
    vectors lie on the lines between two groups."""
    random = np.random.default_rng(seed)
    common = unit(random.normal(size=64))

    def centres(count: int) -> npt.NDArray[np.float64]:
        return 0.75 * common + 0.66 * unit(random.normal(size=(count, 64)))

    def around(middles: npt.NDArray[np.float64], wide: float) -> npt.NDArray[np.float64]:
        return middles + wide * random.normal(size=middles.shape) / 8

    middles = centres(groups)
    truth = np.repeat(np.arange(groups), random.integers(*sizes, size=groups))
    lonely = int(noise * len(truth))
    one, other = random.integers(groups, size=(2, chain))
    between = random.uniform(size=(chain, 1))
    vectors = [
        around(middles[truth], spread),
        around(centres(lonely), spread),
        around(between * middles[one] + (1 - between) * middles[other], 0.2),
    ]
    return unit(np.concatenate(vectors)), np.concatenate([truth, np.full(lonely + chain, NOBODY)])


def nearest_links(vectors: npt.NDArray[np.float64], k: int = 15) -> Links:
    count = len(vectors)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, count - 1)]
    found = np.take_along_axis(cosines, near, 1)
    return links(np.repeat(np.arange(count), near.shape[1]), near.ravel(), cosine_distance(found.ravel()))


NO_LINKS = links([], [], [])
