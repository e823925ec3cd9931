"""Does a known picture really contain the region? Its features must lie as the region's do."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from PIL import Image

from indexer.arrays import Floats
from indexer.copies.features import LocalFeatures, QueryFeatures
from indexer.copies.features.sift import upright_features

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""

CANDIDATES: Final = 50
MIN_INLIERS: Final = 5
"""Fewest features that must lie alike."""
_RATIO: Final = 0.85
_PIXELS_SHARE: Final = 0.02
"""How far from its place a feature may lie, of the known picture's longer side."""
_SCALES: Final = (1 / 12, 12.0)


@dataclass(frozen=True, slots=True)
class RegionHit:
    """A known image that contains the region. `inliers` of `matches` features lie alike; `box` is where, in pixels of
    the known picture, and may reach over its edge."""

    image_id: int
    inliers: int
    matches: int
    box: Box


def region_features(rgb: Image.Image, box: Box) -> QueryFeatures:
    """Up to 300 features of what `box`, which lies in the picture, shows; points are in pixels of the picture. Mirrored
    ones are left out.
    """
    features = upright_features(rgb.crop(box))
    points = features.points + np.array(box[:2], np.float32)
    return QueryFeatures(replace(features, size=rgb.size, points=points), LocalFeatures.none(rgb.size))


def find_region(candidates: Iterable[tuple[int, LocalFeatures]], query: QueryFeatures, box: Box) -> list[RegionHit]:
    """Which of `candidates`, features by image id, contain what `box` of a picture shows, the surest first; `query` are
    its features.

    A similarity transform (turned, scaled, moved) by RANSAC must bring at least 5 features of the region to theirs.
    Equal ones by rising id.
    """
    hits = [_verified(image_id, query.upright, known, box) for image_id, known in candidates]
    return sorted((hit for hit in hits if hit is not None), key=lambda hit: (-hit.inliers, hit.image_id))


def _verified(image_id: int, query: LocalFeatures, known: LocalFeatures, box: Box) -> RegionHit | None:
    of_query, of_known = _matched(query, known)
    if len(of_query) < MIN_INLIERS:
        return None
    tolerance = _PIXELS_SHARE * float(np.ptp(known.points, axis=0).max())
    matrix, agreeing = cv2.estimateAffinePartial2D(
        of_query, of_known, method=cv2.RANSAC, ransacReprojThreshold=max(2.0, tolerance), maxIters=5_000
    )
    if matrix is None or not _SCALES[0] <= float(np.hypot(matrix[0, 0], matrix[1, 0])) <= _SCALES[1]:
        return None
    chosen = agreeing.ravel().astype(bool)
    inliers = min(len(np.unique(np.rint(side[chosen]), axis=0)) for side in (of_query, of_known))
    if inliers < MIN_INLIERS:
        return None
    left, top, right, bottom = box
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], np.float64)
    placed = corners @ np.asarray(matrix, np.float64).T
    low, high = np.rint(placed.min(axis=0)), np.rint(placed.max(axis=0))
    return RegionHit(image_id, inliers, len(of_query), (int(low[0]), int(low[1]), int(high[0]), int(high[1])))


def _matched(query: LocalFeatures, known: LocalFeatures) -> tuple[Floats, Floats]:
    """The pairs that pass the ratio test, each feature of the known picture once: two arrays [N, 2] of points."""
    a, b = query.descriptors.astype(np.float32), known.descriptors.astype(np.float32)
    if len(a) == 0 or len(b) < 2:
        return query.points[:0], known.points[:0]
    squared = np.maximum(0.0, (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * a @ b.T)
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :2]
    rows = np.arange(len(a))
    first, second = squared[rows, nearest[:, 0]], squared[rows, nearest[:, 1]]
    kept = np.flatnonzero(first < _RATIO**2 * second)
    kept = kept[np.argsort(first[kept], kind="stable")]
    _, unique = np.unique(nearest[kept, 0], return_index=True)
    kept = np.sort(kept[unique])
    return query.points[kept], known.points[nearest[kept, 0]]
