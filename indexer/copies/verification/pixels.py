"""Do the pixels of two pictures agree where their features say that they overlap? Small copies of both are enough.

A re-shared copy agrees nearly exactly wherever nothing was put over it. Another photograph of the same place or thing
agrees roughly nearly everywhere: what is nearer moves against what is farther, and light and shade differ.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats, Reals
from indexer.copies.verification.deciding import inner_counts
from indexer.copies.verification.fitting import mapped
from indexer.copies.verification.overlap import Box, Overlap, PixelAgreement

Mask = npt.NDArray[np.bool_]

_SIDE: Final = 96
"""The overlap is compared at this longest side, in pixels, ..."""
_WINDOW: Final = 9
"""... in windows of so many."""
_DETAIL: Final = 5.0
"""A window with less contrast, in standard deviations of 0 to 255, shows nothing to compare."""
_ALIKE: Final = 0.5
"""Normalised correlation from which on a window shows the same in both."""
_FINE_SIDE: Final = 160
_FINE_WINDOW: Final = 15
_EXACTLY: Final = 0.85
"""The same for windows of a larger frame that show the same nearly exactly."""
_LEAST_SIDE: Final = 64
"""The frame is no finer than both pictures, but has so many pixels."""
_STEPS: Final = 30
_AROUND: Final = 6.0
_SHIFTS: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1))
"""Registration is exact to about a pixel of the frame."""


def agreement(
    query: Image.Image,
    known: Image.Image,
    overlap: Overlap,
    query_size: tuple[int, int],
    known_size: tuple[int, int],
    inner: Box | None = None,
) -> PixelAgreement:
    """How far the pixels of two pictures agree in their overlap.

    Colours, brightness and contrast do not matter; a window of one picture that is blank in the other disagrees.

    Args:
        query, known: the upright pictures or smaller copies of them, of mode RGB.
        query_size, known_size: width and height of the pictures whose pixels the overlap is told in.
        inner: the picture inside the query, as of `verify_all`; it must agree as the whole does.
    """
    coarse = _Frame.of(query, known, overlap, query_size, known_size, _SIDE)
    if not coarse.shared.any():
        return PixelAgreement(0.0, 0.0)
    likeness = np.full(coarse.query.shape, -1.0, np.float32)
    for shift in _SHIFTS:
        moved = np.roll(coarse.query, shift, axis=(1, 0))
        likeness = np.maximum(likeness, _correlation(moved, coarse.known, _WINDOW))
    shows = _shows(coarse, _WINDOW)
    alike = shows & (likeness >= _ALIKE) & _both_show(coarse, _WINDOW)
    share = float(alike.sum() / max(1, shows.sum()))
    if inner is not None and inner_counts(inner, overlap.query_box):
        inside = _inside(inner, coarse.to_query, coarse.size)
        share = min(share, float((alike & inside).sum() / max(1, (shows & inside).sum())))
    side = min(
        _longest(overlap.known_box) * known.width / known_size[0],
        _longest(overlap.query_box) * query.width / query_size[0],
    )
    fine = _Frame.of(query, known, overlap, query_size, known_size, round(min(_FINE_SIDE, max(_LEAST_SIDE, side))))
    return PixelAgreement(share, max(_sharpness(fine), _sharpness(fine.refined())))


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """The overlap of two pictures, grey, of one size: `query` and `known` [height, width] float32, and where both are
    `shared`; `to_query` takes a pixel of it to one of the query."""

    query: Floats
    known: Floats
    shared: Mask
    to_query: Reals

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.known.shape[1], self.known.shape[0]

    @classmethod
    def of(
        cls,
        query: Image.Image,
        known: Image.Image,
        overlap: Overlap,
        query_size: tuple[int, int],
        known_size: tuple[int, int],
        side: int,
    ) -> "_Frame":
        """The known picture's box with a longest side of `side` pixels; arguments as of `agreement`."""
        left, top, right, bottom = overlap.known_box
        scale = side / max(right - left, bottom - top)
        size = max(_WINDOW, round((right - left) * scale)), max(_WINDOW, round((bottom - top) * scale))
        x, y = (right - left) / size[0], (bottom - top) / size[1]
        to_known = np.array([[x, 0, left + x / 2 - 0.5], [0, y, top + y / 2 - 0.5], [0, 0, 1]])
        to_query = np.asarray(np.linalg.inv(np.reshape(np.array(overlap.to_known), (3, 3))) @ to_known, np.float64)
        of_query, in_query = _framed(query, query_size, to_query, size)
        of_known, in_known = _framed(known, known_size, to_known, size)
        return cls(of_query, of_known, in_query & in_known, to_query)

    def refined(self) -> "_Frame":
        """The query laid anew over the known picture by the pixels, as a homography that makes them correlate most
        (ECC: Evangelidis and Psarakis, TPAMI 2008); unchanged where that finds nothing."""
        start, until = np.eye(3, dtype=np.float32), (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 1e-4)
        known, query, shared = evened(self.known), evened(self.query), self.shared.astype(np.uint8)
        try:
            _, matrix = cv2.findTransformECC(known, query, start, cv2.MOTION_HOMOGRAPHY, until, shared, 3)
        except cv2.error:  # it does not converge, or there is nothing to correlate
            return self
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        laid = cv2.warpPerspective(self.query, matrix, self.size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpPerspective(self.shared.astype(np.float32), matrix, self.size, flags=flags) > 0.99
        return _Frame(
            np.asarray(laid, np.float32), self.known, np.asarray(inside & self.shared, np.bool_), self.to_query
        )


def _longest(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def evened(grey: Floats) -> Floats:
    """Grey pixels [height, width], 0 to 255, without their local brightness and contrast."""
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _AROUND)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _AROUND)) + 4), np.float32)


def _sharpness(frame: _Frame) -> float:
    likeness = _correlation(frame.query, frame.known, _FINE_WINDOW)
    alike = _shows(frame, _FINE_WINDOW) & _both_show(frame, _FINE_WINDOW) & (likeness >= _ALIKE)
    return float((alike & (likeness >= _EXACTLY)).sum() / max(1, alike.sum()))


def _correlation(query: Floats, known: Floats, window: int) -> Floats:
    apart = _mean(query * known, window) - _mean(query, window) * _mean(known, window)
    correlation: Floats = apart / np.maximum(1e-3, _deviation(query, window) * _deviation(known, window))
    return correlation


def _shows(frame: _Frame, window: int) -> Mask:
    """Where at least one of the pictures shows something to compare."""
    stronger = np.maximum(_deviation(frame.query, window), _deviation(frame.known, window))
    return np.asarray(frame.shared & (stronger >= _DETAIL), np.bool_)


def _both_show(frame: _Frame, window: int) -> Mask:
    weaker = np.minimum(_deviation(frame.query, window), _deviation(frame.known, window))
    return np.asarray(weaker >= _DETAIL / 4, np.bool_)


def _framed(
    picture: Image.Image, size: tuple[int, int], to_picture: Reals, frame: tuple[int, int]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The grey picture as the frame shows it, and where that lies in the picture; `size` is what `to_picture` is of."""
    middle = to_picture @ np.array([frame[0] / 2, frame[1] / 2, 1.0])
    pixels = float(np.sqrt(abs(np.linalg.det(to_picture)) / abs(middle[2]) ** 3))  # of the picture, to one of the frame
    small = min(1.0, 1.0 / max(pixels, 1e-6))
    target = max(2, min(picture.width, round(size[0] * small))), max(2, min(picture.height, round(size[1] * small)))
    grey = np.asarray(picture.convert("L").resize(target, Image.Resampling.BOX), np.float32)
    x, y = target[0] / size[0], target[1] / size[1]
    onto = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]) @ to_picture
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(grey, onto, frame, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpPerspective(np.ones(grey.shape, np.float32), onto, frame, flags=flags)
    return np.asarray(cv2.GaussianBlur(warped, (0, 0), 0.8), np.float32), np.asarray(inside > 0.99, np.bool_)


def _inside(inner: Box, to_query: Reals, frame: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels of the frame [height, width] show something of the query's inner picture."""
    x, y = np.meshgrid(np.arange(frame[0]), np.arange(frame[1]))
    points = mapped(to_query, np.stack([x.ravel(), y.ravel()], axis=1))
    left, top, right, bottom = inner
    inside = ((points >= np.array([left, top]) - 0.5) & (points <= np.array([right, bottom]) - 0.5)).all(axis=1)
    return np.asarray(inside.reshape(frame[1], frame[0]), np.bool_)


def _mean(pixels: Floats, window: int) -> Floats:
    return np.asarray(cv2.blur(pixels, (window, window)), np.float32)


def _deviation(pixels: Floats, window: int) -> Floats:
    middle = _mean(pixels, window)
    return np.sqrt(np.maximum(0, _mean(pixels * pixels, window) - middle * middle)).astype(np.float32)
