"""A first guess of how two pictures lie over each other: every pair of features alone tells a similarity, by its two
places, sizes and directions, and the pair that most others agree with wins (Lowe, IJCV 2004, without its grid)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats
from indexer.copies.features import LocalFeatures, QueryFeatures
from indexer.copies.verification.matching import NEAREST, Pairs, Rows

Complex = npt.NDArray[np.complex64]

_MOST_PAIRS: Final = 48
_LOG_SCALE: Final = 0.55
_RADIANS: Final = 0.5
_NEAR: Final = 0.04
"""How far a pair may lie from where another pair puts it, of the known picture's longer side, ..."""
_FAR: Final = 0.25
"""... and of its distance to that pair: direction and size of one feature are rough."""
_SMALLEST: Final = np.float32(1e-3)
_CHANCE: Final = 0.97
_SURE: Final = 0.77
"""Pairs of this ratio or lower count in full, those of `_CHANCE` next to nothing."""
_LEAST: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """Pairs of one known picture and one side of the query that agree roughly.

    `votes` is the sum of their weights; `of_query` and `of_known` [M] are the rows of their features.
    """

    known: int
    mirrored: bool
    votes: float
    of_query: Rows
    of_known: Rows


def guesses(query: QueryFeatures, known: Sequence[LocalFeatures], pairs: Pairs, least: float) -> list[Guess]:
    """The best guess for each known picture and each side of the query, where it has at least `least` votes."""
    points = np.concatenate([features.points for features in known])
    k_place = _complex(points)
    k_size = np.log(np.maximum(np.concatenate([features.scales for features in known]), _SMALLEST))
    k_angle = np.concatenate([features.angles for features in known])
    owner = np.repeat(np.arange(len(known)), np.diff(pairs.starts))
    # one group for each known picture and side; its best pairs first
    group = np.broadcast_to(owner[:, None, None] * 2 + np.arange(2)[None, :, None], pairs.ratios.shape).ravel()
    order = np.lexsort((pairs.ratios.ravel(), group))
    first = np.searchsorted(group[order], np.arange(2 * len(known) + 1))
    columns = first[:-1, None] + np.arange(_MOST_PAIRS)
    real = columns < first[1:, None]
    chosen = order[np.minimum(columns, len(order) - 1)]
    of_known = chosen // (2 * NEAREST)
    of_query = pairs.of_query.ravel()[chosen]
    weight = np.clip((_CHANCE - pairs.ratios.ravel()[chosen]) / (_CHANCE - _SURE), _LEAST, 1).astype(np.float32) * real
    side = (np.arange(2 * len(known)) % 2)[:, None]
    both = (query.upright, query.mirrored)
    q_place = np.stack([_complex(features.points) for features in both])[side, of_query]
    turn = k_angle[of_known] - np.stack([features.angles for features in both])[side, of_query]
    grow = (
        k_size[of_known]
        - np.log(np.maximum(np.stack([features.scales for features in both]), _SMALLEST))[side, of_query]
    )
    there = k_place[of_known]
    longer = np.repeat(np.array([max(features.size) for features in known], np.float32), 2)[:, None, None]
    away = there[:, None, :] - there[:, :, None]
    told = np.exp(grow + 1j * turn).astype(np.complex64)[:, :, None] * (q_place[:, None, :] - q_place[:, :, None])
    agree = np.abs(told - away) < _NEAR * longer + _FAR * np.abs(away)
    agree &= np.abs(grow[:, None, :] - grow[:, :, None]) < _LOG_SCALE
    agree &= np.cos(turn[:, None, :] - turn[:, :, None]) > np.cos(_RADIANS)
    agree &= real[:, None, :]
    votes = (agree * weight[:, None, :]).sum(axis=2) * real
    winner = votes.argmax(axis=1)
    best = votes[np.arange(len(votes)), winner]
    winners = []
    for row in np.flatnonzero(best >= least).tolist():
        members = np.flatnonzero(agree[row, winner[row]])
        start = int(pairs.starts[row // 2])
        winners.append(
            Guess(row // 2, row % 2 == 1, float(best[row]), of_query[row, members], of_known[row, members] - start)
        )
    return winners


def _complex(points: Floats) -> Complex:
    numbers: Complex = (points[:, 0] + 1j * points[:, 1]).astype(np.complex64)
    return numbers
