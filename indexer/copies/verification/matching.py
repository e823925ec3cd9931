"""Which features of a query and of known pictures look alike: all descriptors compared in one product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats
from indexer.copies.features import LocalFeatures, QueryFeatures

Rows = npt.NDArray[np.int64]

NEAREST: Final = 2
"""How many features of the query each feature of a known picture is paired with: its nearest and the one after."""
_REPEATS: Final = 4
"""A feature is distinct when the query has fewer than so many others that look like it about as much: a copy of the
picture beside itself leaves it distinct, the next brick of a wall does not."""
_SAME: Final = np.float32(8)
"""Descriptors nearer to each other than this, of a length of 255, are the same: exact repeats are not distinct."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Features of T known pictures, one after the other, with those of the query they look like most.

    Attributes:
        of_query: [T, 2, 2] int64, rows of the query: upright or mirrored, nearest first.
        ratios: [T, 2, 2] float32, the distance of their descriptors over that of the 4th nearest feature of the query:
            near 1 says that the pair is no better than chance, or that the query repeats itself.
        starts: [C + 1] int64, where each known picture begins.
    """

    of_query: Rows
    ratios: Floats
    starts: Rows


def pair(query: QueryFeatures, known: Sequence[LocalFeatures]) -> Pairs:
    """Compares the query, which has at least 4 features, with all `known` at once."""
    starts = np.concatenate([[0], np.cumsum([len(features) for features in known])]).astype(np.int64)
    rows = np.concatenate([features.descriptors for features in known]).astype(np.float32)
    asked = np.concatenate([query.upright.descriptors, query.mirrored.descriptors]).astype(np.float32)
    squared = rows @ (-2 * asked).T
    squared += np.einsum("ij,ij->i", asked, asked)
    squared += np.einsum("ij,ij->i", rows, rows)[:, None]
    sides = squared.reshape(len(rows), 2, -1)
    nearest, distances = _nearest(sides)
    ratios = (distances[..., :NEAREST] + _SAME) / (distances[..., -1:] + _SAME)
    return Pairs(nearest[..., :NEAREST], ratios.astype(np.float32), starts)


def _nearest(squared: Floats) -> tuple[Rows, Floats]:
    """The 4 smallest of the last axis in rising order, with their roots; spoils `squared`."""
    columns, values = [], []
    for _ in range(_REPEATS):
        column = squared.argmin(axis=-1)[..., None]
        columns.append(column)
        values.append(np.take_along_axis(squared, column, axis=-1))
        np.put_along_axis(squared, column, np.float32(np.inf), axis=-1)
    roots = np.sqrt(np.maximum(np.concatenate(values, axis=-1), 0)).astype(np.float32)
    return np.concatenate(columns, axis=-1).astype(np.int64), roots
