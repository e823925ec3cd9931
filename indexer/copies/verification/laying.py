"""Lays a query over a known picture: a rough guess refined until the features that lie alike no longer change."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.arrays import Floats, Reals
from indexer.copies.features import LocalFeatures
from indexer.copies.verification.fitting import (
    affine,
    homography,
    jacobian,
    mapped,
    plausible,
    similarity,
    similarity_of_two,
)
from indexer.copies.verification.matching import Rows

_OF_KNOWN: Final = 0.012
"""How far from its place a feature may lie, of the known picture's longer side, ..."""
_OF_QUERY: Final = 0.006
"""... and of the query's: the smaller one is shown in the other, the coarser its places are."""
_LEAST: Final = 1.5
_START: Final = 3.0
"""The first similarity may be so many times farther off: a squeezed picture has none."""
_LOG_SCALE: Final = 0.55
_RADIANS: Final = 0.6
_AFFINE: Final = 6
"""From so many pairs on an affine map is fitted, ..."""
_HOMOGRAPHY: Final = 14
"""... and a homography."""
_ROUNDS: Final = 6
_LEAST_PAIRS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A query, upright or mirrored, laid over a known picture.

    `matrix` [3, 3] takes its pixels to those of the known picture; `of_query` and `of_known` [N] are the rows of the
    features that lie alike, each once, with their `ratios`; `tolerance` is in pixels of the known picture.
    """

    matrix: Reals
    of_query: Rows
    of_known: Rows
    ratios: Floats
    tolerance: float


def lay(
    query: LocalFeatures, known: LocalFeatures, nearest: Rows, ratios: Floats, start: tuple[Rows, Rows]
) -> Laid | None:
    """Refines a guess.

    Args:
        nearest: [K, 2] the query's features that each of the known picture's looks like.
        ratios: [K, 2] of these pairs.
        start: rows of the query and of the known picture that agree roughly.
    """
    of_query, of_known = query.points[start[0]].astype(np.float64), known.points[start[1]].astype(np.float64)
    size = _OF_KNOWN * max(known.size)
    matrix = similarity_of_two(of_query, of_known, _START * size)
    laid, before = None, b""
    for number in range(_ROUNDS):
        if matrix is None:
            return None
        loose = _START if number == 0 else 1.5 if number == 1 else 1.0
        laid = _agreeing(matrix, query, known, nearest, ratios, loose)
        now = laid.of_query.tobytes() + laid.of_known.tobytes()
        if len(laid.of_known) < _LEAST_PAIRS or (now == before and number > 1):
            break
        before = now
        matrix = _fitted(query.points[laid.of_query], known.points[laid.of_known])
    return laid if laid is not None and len(laid.of_known) >= _LEAST_PAIRS else None


def _fitted(of_query: Floats, of_known: Floats) -> Reals | None:
    a, b = of_query.astype(np.float64), of_known.astype(np.float64)
    best = similarity(a, b)
    if best is None:
        return None
    if len(a) >= _AFFINE:
        better = affine(a, b)
        if better is not None and plausible(better, a):
            best = better
    if len(a) >= _HOMOGRAPHY:
        better = homography(a, b)
        if better is not None and plausible(better, a):
            best = better
    return best if plausible(best, a) else None


def _agreeing(
    matrix: Reals, query: LocalFeatures, known: LocalFeatures, nearest: Rows, ratios: Floats, loose: float
) -> Laid:
    """The pairs that lie alike under `matrix`, each feature of either side once."""
    rows = np.arange(len(known))
    around = jacobian(matrix, (float(query.size[0]) / 2, float(query.size[1]) / 2))
    scale = float(np.sqrt(max(1e-12, abs(np.linalg.det(around)))))
    tolerance = max(_LEAST * max(1.0, scale), _OF_KNOWN * max(known.size), _OF_QUERY * max(query.size) * scale)
    places = mapped(matrix, query.points)
    off = np.hypot(*np.moveaxis(places[nearest] - known.points[:, None, :], -1, 0))
    turn = float(np.arctan2(around[1, 0] - around[0, 1], around[0, 0] + around[1, 1]))
    turned = np.cos(known.angles[:, None] - query.angles[nearest] - turn) > np.cos(_RADIANS)
    grown = np.abs(np.log(_size(known.scales)[:, None] / _size(query.scales)[nearest] / scale)) < _LOG_SCALE
    off = np.where(turned & grown, off, np.inf)
    choice = off.argmin(axis=1)
    near = np.flatnonzero(off[rows, choice] < loose * tolerance)
    of_query = nearest[near, choice[near]]
    order = np.argsort(off[near, choice[near]], kind="stable")
    _, once = np.unique(of_query[order], return_index=True)
    kept = np.sort(order[once])
    return Laid(matrix, of_query[kept], near[kept], ratios[near[kept], choice[near[kept]]], tolerance)


def _size(scales: Floats) -> Floats:
    return np.maximum(scales, np.float32(1e-3))
