"""Brings two registered pictures to one frame: the same pixels at the same scale in the same colours."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats
from indexer.examine.difference.registration import Matrix, corners, local_scale, mapped, resizing

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_MARGIN: Final = 4
"""Pixels along the edge of what both show that are not compared: resampling and JPEG mix them with what lies beyond."""
_AROUND: Final = 16
_NOTHING: Final = (128, 128, 128)
_FITTED_SIDE: Final = 256
_ROUNDS: Final = 10
_TOLERANCE: Final = 0.03
"""Residual, of a range of 1, from which on a pixel counts less in the fit of colours."""
_RIDGE: Final = 1e-4
"""Holds the fit near "no change" where the pictures have too few colours to tell."""
_TONES: Final = 16
_MOST_LIFT: Final = 0.1
_LEAST_FITTED: Final = 256
"""Pixels; with fewer in common, colours are left as they are."""


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """Two pictures in one frame: A's, at the scale of the coarser of both.

    `a` and `b` [height, width, 3] uint8 RGB, as they are, B resampled to lie over A; `even_a` and `even_b` the same in
    float32, 0 to 255, one of them in the other's colours. `shared` [height, width] says where both show something.
    `to_a` and `to_b` [3, 3] take a pixel of the frame to one of the upright picture A or B.
    """

    a: Pixels
    b: Pixels
    even_a: Floats
    even_b: Floats
    shared: Mask
    to_a: Matrix
    to_b: Matrix


def align(a: Image.Image, b: Image.Image, homography: Matrix, longest: int) -> AlignedPair:
    """Lays B over A, both of mode RGB.

    Args:
        homography: [3, 3] from pixels of A to pixels of B.
        longest: most pixels of the frame's longer side.
    """
    scale = local_scale(homography, _middle_of_overlap(a.size, b.size, homography))
    shrink = min(1.0, scale, longest / max(a.size))
    size = max(1, round(a.width * shrink)), max(1, round(a.height * shrink))
    to_a = np.linalg.inv(resizing(a.size, size))
    part, to_part = _part_of_b(a, b, homography)
    small_b, to_small = _shrunk(part, min(1.0, shrink / scale))
    to_small = to_small @ to_part
    onto = to_small @ homography @ to_a
    pixels = np.asarray(small_b, np.uint8)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(pixels, onto, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=_NOTHING)
    inside = np.full(pixels.shape[:2], 255, np.uint8)
    covered = cv2.warpPerspective(inside, onto, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    margin = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)
    shared = cv2.erode((covered == 255).astype(np.uint8), margin, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    resampled = np.asarray(a.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), np.uint8)
    laid = np.asarray(warped, np.uint8)
    even_a, even_b = _evened(resampled, laid, shared)
    return AlignedPair(resampled, laid, even_a, even_b, shared, to_a, np.linalg.inv(to_small) @ onto)


def _middle_of_overlap(a: tuple[int, int], b: tuple[int, int], homography: Matrix) -> tuple[float, float]:
    back = mapped(np.linalg.inv(homography), corners(*b))
    low = np.maximum(back.min(axis=0), 0)
    high = np.minimum(back.max(axis=0), np.array(a, np.float64))
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1])


def _part_of_b(a: Image.Image, b: Image.Image, homography: Matrix) -> tuple[Image.Image, Matrix]:
    """What B shows of A and a little around it, and the matrix from pixels of B to those of the part: a picture of
    any size is cut down to what is compared."""
    outline = mapped(homography, corners(*a.size))
    low = np.clip(np.floor(outline.min(axis=0)) - _AROUND, 0, np.array(b.size) - 1).astype(int)
    high = np.clip(np.ceil(outline.max(axis=0)) + _AROUND, low + 1, b.size).astype(int)
    part = b.crop((int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    return part, np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)


def _shrunk(picture: Image.Image, factor: float) -> tuple[Image.Image, Matrix]:
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    if size == picture.size:
        return picture, np.eye(3)
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), resizing(picture.size, size)


def _evened(a: Pixels, b: Pixels, shared: Mask) -> tuple[Floats, Floats]:
    """Both in the same colours: of the two, the one that tells the other's colours better is changed.

    A black-and-white copy follows from the coloured picture, never the other way round.
    """
    height, width = shared.shape
    factor = min(1.0, _FITTED_SIDE / max(height, width))
    small = [cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for part in (a, b)]
    kept = cv2.resize(shared.astype(np.uint8), small[0].shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    of_a, of_b = (np.asarray(part, np.float64)[kept] / 255 for part in small)
    plain = a.astype(np.float32), b.astype(np.float32)
    if len(of_a) < _LEAST_FITTED:
        return plain
    to_a, to_b = _Recolouring.fitted(of_b, of_a), _Recolouring.fitted(of_a, of_b)
    if to_a.unexplained <= to_b.unexplained:
        return plain[0], to_a.of(b)
    return to_b.of(a), plain[1]


@dataclass(frozen=True, slots=True)
class _Recolouring:
    """From colours of one picture to those of another, all in [0, 1]: `affine` [4, 3], then for each channel a tone
    curve, given as what it adds (`lift` [3, K]) at `tones` [3, K]. `unexplained`: the share of the target it leaves."""

    affine: Matrix
    tones: Matrix
    lift: Matrix
    unexplained: float

    @classmethod
    def fitted(cls, source: Matrix, target: Matrix) -> "_Recolouring":
        """Takes `source` to `target`, both [N, 3].

        Least squares with Cauchy weights, so that what was changed locally does not pull it; clipped colours are not
        fitted. The curve is made of medians over equally many pixels each, so that no rare colour bends it.
        """
        affine = _affine(source, target)
        linear = np.clip(_with_one(source) @ affine, 0, 1)
        tones, lift = np.zeros((3, _TONES)), np.zeros((3, _TONES))
        for channel in range(3):
            order = np.argsort(linear[:, channel], kind="stable")
            for number, part in enumerate(np.array_split(order, _TONES)):
                tones[channel, number] = np.median(linear[part, channel])
                lift[channel, number] = np.median(target[part, channel] - linear[part, channel])
        lift = np.clip(lift, -_MOST_LIFT, _MOST_LIFT)
        alignment = cls(affine, tones, lift, 0.0)
        left = _left(alignment._applied(source), target)
        return cls(affine, tones, lift, float(np.mean(left / (1 + left))))

    def of(self, pixels: Pixels) -> Floats:
        """A picture [height, width, 3] in the other colours, 0 to 255."""
        aligned = self._applied(pixels.reshape(-1, 3).astype(np.float64) / 255)
        return np.asarray(aligned * 255, np.float32).reshape(pixels.shape)

    def _applied(self, colours: Matrix) -> Matrix:
        linear = np.clip(_with_one(colours) @ self.affine, 0, 1)
        for channel in range(3):
            linear[:, channel] += np.interp(linear[:, channel], self.tones[channel], self.lift[channel])
        aligned: Matrix = np.clip(linear, 0, 1)
        return aligned


def _affine(source: Matrix, target: Matrix) -> Matrix:
    inner = np.count_nonzero((target > 0.02) & (target < 0.98), axis=1) == 3
    used = inner if np.count_nonzero(inner) >= len(target) / 10 else np.ones(len(target), np.bool_)
    terms, tones = _with_one(source[used]), target[used]
    solution = start = np.vstack([np.zeros(3), np.eye(3)])
    weights = np.ones(len(terms))
    for _ in range(_ROUNDS):
        weighted = terms * weights[:, None]
        ridge = weights.sum() * _RIDGE * np.eye(4)
        solution = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ tones + ridge @ start)
        weights = 1 / (1 + _left(terms @ solution, tones))
    return solution


def _with_one(colours: Matrix) -> Matrix:
    return np.column_stack([np.ones(len(colours)), colours])


def _left(aligned: Matrix, tones: Matrix) -> Matrix:
    """The squared residual of each colour in units of the tolerance: [N]."""
    residuals: Matrix = (np.abs(np.clip(aligned, 0, 1) - tones).max(axis=1) / _TOLERANCE) ** 2
    return residuals
