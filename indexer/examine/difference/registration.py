"""Lays one picture over another: which pixel of B shows what a pixel of A shows, or why that cannot be said.

SIFT features (Lowe, IJCV 2004), which lie between pixels, Lowe's ratio test, and a homography by MAGSAC++ (Barath et
al., CVPR 2020). OpenCV's ECC was tried as a refinement and moved known homographies from 0.06 pixels off to 0.5.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.floating[Any]]
Points = npt.NDArray[np.float32]

MIN_INLIERS: Final = 15
"""Fewest pairs of points that must agree on one homography."""
MIN_INLIER_SHARE: Final = 0.2
"""Smallest share of the matched pairs of points that must agree."""
SURE_INLIERS: Final = 60
"""From here on, with half of the pairs agreeing, the mirrored picture is not tried as well."""
MAX_SCALE: Final = 8.0
"""One picture may show things at most this many times larger than the other."""
MAX_STRETCH: Final = 2.0
"""Largest ratio of the stretch along two directions: beyond, it is another view or no match at all."""
MIN_OVERLAP: Final = 0.1
"""Smallest share of the smaller picture that the other must show."""

_FEATURES: Final = 2000
_CONTRAST: Final = 0.015
"""SIFT's contrast threshold; lower than its default of 0.04, for smooth pictures have few features."""
_RATIO: Final = 0.8
_PIXELS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Registration:
    """How B lies over A.

    `homography` [3, 3] maps a pixel (x, y, 1) of A to one of B, homogeneous, pixel centres at whole numbers. `inliers`
    of `matches` pairs of points agree on it. `mirrored`: B shows A mirrored.
    """

    homography: Matrix
    inliers: int
    matches: int
    mirrored: bool

    def shown(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float]:
        """The share of A's area that B shows too, and of B's that A shows; `a` and `b` are width and height."""
        in_b = _common(mapped(self.homography, corners(*a)), corners(*b))
        in_a = _common(mapped(np.linalg.inv(self.homography), corners(*b)), corners(*a))
        return min(1.0, in_a / (a[0] * a[1])), min(1.0, in_b / (b[0] * b[1]))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why two pictures could not be laid over each other, as a clause for a person; `inliers` of `matches` agreed."""

    reason: str
    inliers: int = 0
    matches: int = 0


@dataclass(frozen=True, slots=True)
class _Features:
    """`points` [N, 2] in pixels, `descriptors` [N, 128]."""

    points: Points
    descriptors: npt.NDArray[np.float32]


def register(a: Grey, b: Grey) -> Registration | Refusal:
    """Finds the homography from `a` to `b`, grey pictures [height, width] of 0 to 255; the same input gives the same
    output."""
    features = _features(a)
    direct = _attempt(features, _features(b), a, b)
    if isinstance(direct, Registration) and direct.inliers >= max(SURE_INLIERS, direct.matches / 2):
        return direct
    flipped = np.ascontiguousarray(b[:, ::-1])
    mirrored = _attempt(features, _features(flipped), a, flipped)
    if isinstance(mirrored, Registration) and (isinstance(direct, Refusal) or mirrored.inliers > direct.inliers):
        flip = np.array([[-1.0, 0.0, b.shape[1] - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return Registration(flip @ mirrored.homography, mirrored.inliers, mirrored.matches, mirrored=True)
    return direct


def local_scale(homography: Matrix, at: tuple[float, float]) -> float:
    """How many pixels of B one pixel of A is long, around the pixel `at` (x, y) of A."""
    return float(np.sqrt(abs(np.linalg.det(_jacobian(homography, at)))))


def mapped(homography: Matrix, points: npt.ArrayLike) -> Matrix:
    """`points` [N, 2] through a homography: [N, 2]."""
    given = np.asarray(points, np.float64)
    homogeneous = np.column_stack([given, np.ones(len(given))]) @ homography.T
    mapped_points: Matrix = homogeneous[:, :2] / homogeneous[:, 2:]
    return mapped_points


def corners(width: float, height: float) -> Matrix:
    """The outer corners of a picture, clockwise from the top left: [4, 2]."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5


def _features(grey: Grey) -> _Features:
    points, descriptors = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=_CONTRAST).detectAndCompute(grey, None)
    if not points:
        return _Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    coordinates = np.array([point.pt for point in points], np.float32)
    return _Features(coordinates[:_FEATURES], np.asarray(descriptors, np.float32)[:_FEATURES])


def _matched(a: _Features, b: _Features) -> tuple[Points, Points]:
    """The pairs of points that pass the ratio test; a point of B is used once, by its nearest."""
    if len(a.points) < 2 or len(b.points) < 2:
        return a.points[:0], b.points[:0]
    best: dict[int, tuple[float, int]] = {}
    for nearest, second in cv2.BFMatcher(cv2.NORM_L2).knnMatch(a.descriptors, b.descriptors, k=2):
        if nearest.distance < _RATIO * second.distance:
            known = best.get(nearest.trainIdx)
            if known is None or nearest.distance < known[0]:
                best[nearest.trainIdx] = (nearest.distance, nearest.queryIdx)
    of_b = sorted(best)
    return a.points[[best[index][1] for index in of_b]], b.points[of_b]


def _attempt(features: _Features, others: _Features, a: Grey, b: Grey) -> Registration | Refusal:
    of_a, of_b = _matched(features, others)
    matches = len(of_a)
    if matches < MIN_INLIERS:
        return Refusal(f"they share only {matches} points, and {MIN_INLIERS} are needed", 0, matches)
    # USAC starts from a fixed random state, so that the same points give the same homography
    fitted, agreeing = cv2.findHomography(of_a, of_b, cv2.USAC_MAGSAC, _PIXELS, maxIters=10_000, confidence=0.9999)
    inliers = 0 if fitted is None else int(np.count_nonzero(agreeing))
    if fitted is None or inliers < max(MIN_INLIERS, MIN_INLIER_SHARE * matches):
        return Refusal(f"only {inliers} of {matches} points they share lie alike in both", inliers, matches)
    homography = np.asarray(fitted, np.float64)
    reason = _implausible(homography, a.shape[::-1], b.shape[::-1])
    if reason is not None:
        return Refusal(reason, inliers, matches)
    return Registration(homography / homography[2, 2], inliers, matches, mirrored=False)


def _implausible(homography: Matrix, a: tuple[int, ...], b: tuple[int, ...]) -> str | None:
    """Why no re-share or crop lies like this; `a` and `b` are width and height. None when it is plausible."""
    outline = np.column_stack([corners(a[0], a[1]), np.ones(4)])
    if not np.isfinite(homography).all() or (outline @ homography[2] * homography[2, 2] <= 0).any():
        return "the only way to lay them over each other folds one of them over"
    for point in (*corners(a[0], a[1]), (a[0] / 2, a[1] / 2)):
        jacobian = _jacobian(homography, (float(point[0]), float(point[1])))
        large, small = np.linalg.svd(jacobian, compute_uv=False)
        if np.linalg.det(jacobian) <= 0 or large > MAX_STRETCH * small:
            return "the only way to lay them over each other bends one of them out of shape"
        if not 1 / MAX_SCALE <= np.sqrt(large * small) <= MAX_SCALE:
            return f"one of them would show things more than {MAX_SCALE:g} times larger than the other"
    quad = mapped(homography, corners(a[0], a[1]))
    area = float(cv2.contourArea(quad.astype(np.float32)))
    if _common(quad, corners(b[0], b[1])) < MIN_OVERLAP * min(b[0] * b[1], area):
        return f"less than {MIN_OVERLAP:.0%} of the smaller one would be shown by the other"
    return None


def _common(first: Matrix, second: Matrix) -> float:
    """The area that two convex polygons [4, 2] share."""
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return float(area)


def _jacobian(homography: Matrix, at: tuple[float, float]) -> Matrix:
    x, y, w = homography @ np.array([at[0], at[1], 1.0])
    rows = np.array([homography[0, :2] - x / w * homography[2, :2], homography[1, :2] - y / w * homography[2, :2]])
    jacobian: Matrix = rows / w
    return jacobian


def resizing(size: tuple[int, ...], to: tuple[int, ...]) -> Matrix:
    """The matrix that takes pixels of a picture of `size` (width, height) to those of its copy resized `to` another."""
    x, y = to[0] / size[0], to[1] / size[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]], np.float64)
