"""From the nearest features of each query feature to the images that share most with the query."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.index.vectors.exact import Ids

NEIGHBOURS: Final = 32
"""Nearest features looked at for each of the query's: the last stands for chance, so that a match must be nearer than
that; more copies of one picture than this hide each other."""
CHANCE: Final = 25_000.0
"""Squared distance that stands for chance where fewer features than that are near."""


def votes(distances: npt.NDArray[np.float32], ids: Ids) -> tuple[Ids, npt.NDArray[np.float64]]:
    """Images, by rising id, and what the query's features vote for each.

    Each feature votes for the images of its nearest features, the more the nearer they are than the 32nd (a soft form
    of Lowe's ratio test, IJCV 2004); an image has its nearest feature's vote.

    Args:
        distances: [Q, K] squared distances, in any order.
        ids: [Q, K] the images; -1 where there is none.
    """
    order = np.lexsort((ids, np.where(ids < 0, np.inf, distances)))[:, :NEIGHBOURS]
    ids = np.take_along_axis(ids, order, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    full = ids.shape[1] == NEIGHBOURS
    chance = np.where(ids[:, -1] >= 0, distances[:, -1], CHANCE) if full else np.full(len(ids), CHANCE)
    strength = np.maximum(0.0, 1.0 - distances / np.maximum(chance, 1e-6)[:, None])
    query, rank = np.nonzero(ids >= 0)
    images, owner = np.unique(ids[query, rank], return_inverse=True)
    _, first = np.unique(query * len(images) + owner, return_index=True)  # its nearest: they are in that order
    return images, np.bincount(owner[first], strength[query, rank][first], len(images)).astype(np.float64)


def likeliest(voted: Sequence[tuple[Ids, npt.NDArray[np.float64]]], k: int) -> list[tuple[int, float]]:
    """The k images with most votes and these, most first, of equal ones by rising id; of several sides of a picture
    the best counts.
    """
    images, row = np.unique(np.concatenate([voters for voters, _ in voted]), return_inverse=True)
    best = np.zeros(len(images))
    np.maximum.at(best, row, np.concatenate([given for _, given in voted]))
    order = np.lexsort((images, -best))[:k]
    order = order[best[order] > 0]
    return [*zip(images[order].tolist(), best[order].tolist(), strict=True)]
