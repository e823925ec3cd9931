"""Verifies known pictures as copies of a query, many at once: paired, voted for, laid over, decided."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from indexer.arrays import Floats, Reals
from indexer.copies.features import QUERY_SIDE, LocalFeatures, QueryFeatures
from indexer.copies.verification.covering import Flags, covered, supported
from indexer.copies.verification.deciding import Agreement, inner_counts, relation, share_within
from indexer.copies.verification.fitting import jacobian, mapped
from indexer.copies.verification.laying import Laid, lay
from indexer.copies.verification.matching import pair
from indexer.copies.verification.overlap import Box, Homography, Overlap
from indexer.copies.verification.voting import guesses

LEAST_FEATURES: Final = 4
"""A picture with fewer has no place to be verified by."""
_LEAST_VOTES: Final = 3.0
_PLACE: Final = 0.015
"""Features nearer to each other than this, of the picture's longer side, count as one place."""
_NEIGHBOURS_OF_KNOWN: Final = 12
_LOOKS_ALIKE: Final = 0.9
_FINEST: Final = 1.8
"""Features smaller than this in the query, in pixels as they are taken, cannot be seen there."""


def verify(query: QueryFeatures, known: LocalFeatures) -> Overlap | None:
    """What a query and a known picture have in common, or None where nothing proves that they have."""
    return verify_all(query, [known])[0]


def verify_all(query: QueryFeatures, known: Sequence[LocalFeatures], inner: Box | None = None) -> list[Overlap | None]:
    """The same for many known pictures, in their order; faster than one by one.

    Args:
        inner: the picture inside a screenshot or a frame, in pixels of the query. What lies around it does not count
            when it is decided how much of the query is covered, and features must speak for it as for the whole:
            another post in the same application has the same frame. The shares told are of the whole query.
    """
    overlaps: list[Overlap | None] = [None] * len(known)
    asked = [number for number, candidate in enumerate(known) if len(candidate) >= LEAST_FEATURES]
    if len(query.upright) < LEAST_FEATURES or not asked:
        return overlaps
    pictures = [known[number] for number in asked]
    pairs = pair(query, pictures)
    laid: list[tuple[Laid, bool] | None] = [None] * len(pictures)
    for guess in guesses(query, pictures, pairs, _LEAST_VOTES):
        rows, side = slice(pairs.starts[guess.known], pairs.starts[guess.known + 1]), int(guess.mirrored)
        features = query.mirrored if guess.mirrored else query.upright
        start = guess.of_query, guess.of_known
        laying = lay(features, pictures[guess.known], pairs.of_query[rows, side], pairs.ratios[rows, side], start)
        before = laid[guess.known]
        if laying is not None and (before is None or len(laying.of_known) > len(before[0].of_known)):
            laid[guess.known] = laying, guess.mirrored
    for number, picture, best in zip(asked, pictures, laid, strict=True):
        if best is not None:
            overlaps[number] = _overlap(
                query.mirrored if best[1] else query.upright, picture, best[0], mirrored=best[1], inner=inner
            )
    return overlaps


def _overlap(
    query: LocalFeatures, known: LocalFeatures, laid: Laid, *, mirrored: bool, inner: Box | None
) -> Overlap | None:
    """`query` are the features of the side that was laid over the known picture."""
    in_known = covered(laid.matrix, query.size, known.size)
    in_query = covered(np.asarray(np.linalg.inv(laid.matrix), np.float64), known.size, query.size)
    if in_known is None or in_query is None:
        return None
    width = query.size[0]
    left, top, right, bottom = in_query.box
    box = (width - right, top, width - left, bottom) if mirrored else in_query.box
    agree = np.zeros(len(known), np.bool_)
    agree[laid.of_known] = True
    middle = in_query.outline.mean(axis=0)
    around = jacobian(laid.matrix, (float(middle[0]), float(middle[1])))
    scale = float(np.sqrt(abs(np.linalg.det(around))))
    finest = _FINEST * scale * max(1.0, max(query.size) / QUERY_SIDE)
    shown: Flags = (in_known.holds(known.points) & (known.scales >= finest)) | agree
    of_query, of_known = query.points[laid.of_query], known.points[laid.of_known]
    features_shown = int(shown.sum())
    support = supported(known.points[shown], agree[shown], _NEIGHBOURS_OF_KNOWN)
    if inner is not None and inner_counts(inner, box):
        shown &= _inside(inner, laid.matrix, query, known, mirrored=mirrored)
        support = min(support, supported(known.points[shown], agree[shown], _NEIGHBOURS_OF_KNOWN))
    agreement = Agreement(
        min(_places(of_query, query.size), _places(of_known, known.size)),
        features_shown,
        min(_spread(of_query, query.size), _spread(of_known, known.size)),
        share_within(inner, box, in_query.share),
        in_known.share,
        support,
    )
    decided = relation(agreement)
    if decided is None:
        return None
    return Overlap(
        relation=decided,
        to_known=_flat(laid.matrix @ _flipped(width) if mirrored else laid.matrix),
        mirrored=mirrored,
        turned=float(np.degrees(np.arctan2(around[1, 0] - around[0, 1], around[0, 0] + around[1, 1]))),
        scale=scale,
        inliers=agreement.places,
        matches=int((laid.ratios < _LOOKS_ALIKE).sum()),
        query_box=box,
        known_box=in_known.box,
        query_share=in_query.share,
        known_share=in_known.share,
        supported=agreement.supported,
    )


def _inside(inner: Box, matrix: Reals, query: LocalFeatures, known: LocalFeatures, *, mirrored: bool) -> Flags:
    """Which features of the known picture lie in the query's inner picture."""
    places = mapped(np.asarray(np.linalg.inv(matrix), np.float64), known.points)
    if mirrored:
        places[:, 0] = query.size[0] - 1 - places[:, 0]
    left, top, right, bottom = inner
    return np.asarray(
        ((places >= np.array([left, top]) - 0.5) & (places <= np.array([right, bottom]) - 0.5)).all(axis=1), np.bool_
    )


def _places(points: Floats, size: tuple[int, int]) -> int:
    return len(np.unique(np.floor(points / (_PLACE * max(size))), axis=0))


def _spread(points: Floats, size: tuple[int, int]) -> float:
    if len(points) < 3:
        return 0.0
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh(np.cov(points.T))[0]))) / max(size)


def _flipped(width: int) -> Reals:
    """Takes a pixel of a picture to that of the picture mirrored left to right."""
    return np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def _flat(matrix: Reals) -> Homography:
    a, b, c, d, e, f, g, h, i = (matrix / matrix[2, 2]).ravel().tolist()
    return a, b, c, d, e, f, g, h, i
