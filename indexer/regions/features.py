"""Local features of a picture, few enough to keep for each image, spread so that no region is without.

SIFT (Lowe, IJCV 2004) as RootSIFT (Arandjelović and Zisserman, CVPR 2012), one byte a dimension.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""

LONGEST_SIDE: Final = 512
"""A picture is shrunk to this before its features are taken."""
QUERY_FEATURES: Final = 300
DIMENSION: Final = 128
_QUERY_SIDE: Final = 256
_MAX_ENLARGED: Final = 3.0
"""A region is enlarged up to so many times, until its shorter side has 256 pixels: small ones have few features."""
_LONGEST_QUERY: Final = 1_024
_CELLS: Final = 8
_DETECTED: Final = 2_000
_CONTRAST: Final = 0.015


@dataclass(frozen=True, slots=True, eq=False)
class RegionFeatures:
    """`points` [N, 2] float32, x and y in pixels of the picture as it is upright; `descriptors` [N, 128] uint8."""

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)


def features_of(rgb: Image.Image, most: int) -> RegionFeatures:
    """Up to `most` features of a whole picture, the strongest of each of 8 x 8 cells in turn."""
    scale = min(1.0, LONGEST_SIDE / max(rgb.size))
    return _features(rgb, scale, most)


def region_features(rgb: Image.Image, box: Box) -> RegionFeatures:
    """Up to 300 features of what `box`, which lies in the picture, shows; points are in pixels of the picture."""
    cut = rgb.crop(box)
    scale = min(max(1.0, min(_MAX_ENLARGED, _QUERY_SIDE / min(cut.size))), _LONGEST_QUERY / max(cut.size))
    found = _features(cut, scale, QUERY_FEATURES)
    return RegionFeatures(found.points + np.array(box[:2], np.float32), found.descriptors)


def _features(rgb: Image.Image, scale: float, most: int) -> RegionFeatures:
    grey = rgb.convert("L")
    if scale != 1.0:
        size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
        grey = grey.resize(size, Image.Resampling.LANCZOS)
    pixels = np.asarray(grey)
    sift = cv2.SIFT.create(nfeatures=_DETECTED, contrastThreshold=_CONTRAST)
    found, descriptors = sift.detectAndCompute(pixels, None)
    if not found:
        return RegionFeatures(np.empty((0, 2), np.float32), np.empty((0, DIMENSION), np.uint8))
    points = np.array([point.pt for point in found], np.float32)
    chosen = _spread(points, np.array([point.response for point in found]), pixels.shape, most)
    stretch = np.array([rgb.width / pixels.shape[1], rgb.height / pixels.shape[0]], np.float32)
    return RegionFeatures((points[chosen] + 0.5) * stretch - 0.5, _rooted(np.asarray(descriptors, np.float32)[chosen]))


def _spread(
    points: npt.NDArray[np.float32], responses: npt.NDArray[np.float64], shape: tuple[int, ...], most: int
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


def _rooted(descriptors: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9)
    rooted: npt.NDArray[np.uint8] = np.rint(255 * np.sqrt(descriptors / sums)).astype(np.uint8)
    return rooted
