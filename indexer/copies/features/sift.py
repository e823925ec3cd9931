"""Taking local features: spread, so that no part of a picture is without. Imports OpenCV.

SIFT (Lowe, IJCV 2004) as RootSIFT (Arandjelović and Zisserman, CVPR 2012), one byte a dimension.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats
from indexer.copies.features.local_features import (
    FEATURES_AN_IMAGE,
    QUERY_SIDE,
    Descriptors,
    LocalFeatures,
    QueryFeatures,
)

QUERY_FEATURES: Final = 300
LONGEST_SIDE: Final = 384
"""A known picture is shrunk to this before its features are taken: half the time of 512, and found as well."""
_SMALLEST_SIDE: Final = 256
_MAX_ENLARGED: Final = 3.0
"""A query is enlarged up to so many times, until its shorter side has 256 pixels: small ones have few features."""
_CELLS: Final = 8
_DETECTED: Final = 2_000
_CONTRAST: Final = 0.015


def features_of(rgb: Image.Image, most: int = FEATURES_AN_IMAGE) -> LocalFeatures:
    """Up to `most` features of a known picture, the strongest of each of 8 x 8 cells in turn."""
    return _features(rgb, min(1.0, LONGEST_SIDE / max(rgb.size)), most)


def query_features(rgb: Image.Image) -> QueryFeatures:
    """Up to 300 features of a picture that is asked with."""
    return QueryFeatures.of(upright_features(rgb))


def upright_features(rgb: Image.Image) -> LocalFeatures:
    """The same of a picture, or of a part of one, without the mirrored ones."""
    enlarged = max(1.0, min(_MAX_ENLARGED, _SMALLEST_SIDE / min(rgb.size)))
    return _features(rgb, min(enlarged, QUERY_SIDE / max(rgb.size)), QUERY_FEATURES)


def _features(rgb: Image.Image, scale: float, most: int) -> LocalFeatures:
    grey = rgb.convert("L")
    if scale != 1.0:
        size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
        grey = grey.resize(size, Image.Resampling.LANCZOS)
    pixels = np.asarray(grey)
    sift = cv2.SIFT.create(nfeatures=_DETECTED, contrastThreshold=_CONTRAST)
    keypoints = sift.detect(pixels, None)
    if not keypoints:
        return LocalFeatures.none(rgb.size)
    places = np.array([point.pt for point in keypoints], np.float32)
    chosen = _spread(places, np.array([point.response for point in keypoints]), pixels.shape, most)
    kept, descriptors = sift.compute(pixels, [keypoints[row] for row in chosen.tolist()])
    stretch = np.array([rgb.width / pixels.shape[1], rgb.height / pixels.shape[0]], np.float32)
    points = (np.array([point.pt for point in kept], np.float32) + 0.5) * stretch - 0.5
    scales = np.array([point.size for point in kept], np.float32) * np.float32(np.sqrt(stretch.prod()))
    angles = np.mod(np.deg2rad(np.array([point.angle for point in kept], np.float32)), 2 * np.pi).astype(np.float32)
    return LocalFeatures(rgb.size, points, scales, angles, _rooted(np.asarray(descriptors, np.float32)))


def _spread(
    points: Floats, responses: npt.NDArray[np.float64], shape: tuple[int, ...], most: int
) -> npt.NDArray[np.int64]:
    """The strongest of each cell, then the second of each, and so on."""
    cells = (points / np.array([shape[1], shape[0]]) * _CELLS).astype(np.int64).clip(0, _CELLS - 1)
    cell = cells[:, 1] * _CELLS + cells[:, 0]
    order = np.lexsort((np.arange(len(points)), -responses, cell))
    starts = np.searchsorted(cell[order], cell[order], side="left")
    turn = np.empty(len(points), np.int64)
    turn[order] = np.arange(len(points)) - starts
    chosen: npt.NDArray[np.int64] = np.lexsort((np.arange(len(points)), -responses, turn))[:most]
    return chosen


def _rooted(descriptors: Floats) -> Descriptors:
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9)
    rooted: Descriptors = np.rint(255 * np.sqrt(descriptors / sums)).astype(np.uint8)
    return rooted
