"""Do the pixels of two pictures agree where their features say that they overlap? Small copies of both are enough."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats, Reals
from indexer.copies.verification.fitting import mapped
from indexer.copies.verification.overlap import Box, Overlap

_FRAME: Final = 96
"""The overlap is compared at this longest side, in pixels, ..."""
_WINDOW: Final = 9
"""... in windows of so many."""
_DETAIL: Final = 5.0
"""A window with less contrast, in standard deviations of 0 to 255, shows nothing to compare."""
_ALIKE: Final = 0.5
"""Normalised correlation from which on a window shows the same in both."""
_SHIFTS: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1))
"""Registration is exact to about a pixel of the frame."""


def agreement(
    query: Image.Image,
    known: Image.Image,
    overlap: Overlap,
    query_size: tuple[int, int],
    known_size: tuple[int, int],
    inner: Box | None = None,
) -> float:
    """0 to 1: the share of the overlap, as far as either picture shows something there, that shows the same in both.

    Colours, brightness and contrast do not matter; a window of one picture that is blank in the other disagrees.

    Args:
        query, known: the upright pictures or smaller copies of them, of mode RGB.
        query_size, known_size: width and height of the pictures whose pixels the overlap is told in.
        inner: the picture inside the query, as of `verify_all`; it must agree as the whole does.
    """
    left, top, right, bottom = overlap.known_box
    scale = _FRAME / max(right - left, bottom - top)
    size = max(_WINDOW, round((right - left) * scale)), max(_WINDOW, round((bottom - top) * scale))
    x, y = (right - left) / size[0], (bottom - top) / size[1]
    to_known = np.array([[x, 0, left + x / 2 - 0.5], [0, y, top + y / 2 - 0.5], [0, 0, 1]])
    to_query = np.linalg.inv(np.reshape(np.array(overlap.to_known), (3, 3))) @ to_known
    one, in_one = _framed(query, query_size, np.asarray(to_query, np.float64), size)
    other, in_other = _framed(known, known_size, to_known, size)
    shared = in_one & in_other
    if not shared.any():
        return 0.0
    deviation_of_one, deviation_of_other = _deviation(one), _deviation(other)
    best = np.full(one.shape, -1.0, np.float32)
    for shift in _SHIFTS:
        moved = np.roll(one, shift, axis=(1, 0))
        apart = _mean(moved * other) - _mean(moved) * _mean(other)
        best = np.maximum(best, apart / np.maximum(1e-3, _deviation(moved) * deviation_of_other))
    shows = shared & (np.maximum(deviation_of_one, deviation_of_other) >= _DETAIL)
    blank = np.minimum(deviation_of_one, deviation_of_other) < _DETAIL / 4
    alike = shows & (best >= _ALIKE) & ~blank
    whole = float(alike.sum() / max(1, shows.sum()))
    if inner is None:
        return whole
    inside = _inside(inner, np.asarray(to_query, np.float64), size)
    return min(whole, float((alike & inside).sum() / max(1, (shows & inside).sum())))


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
    places = mapped(to_query, np.stack([x.ravel(), y.ravel()], axis=1))
    left, top, right, bottom = inner
    inside = ((places >= np.array([left, top]) - 0.5) & (places <= np.array([right, bottom]) - 0.5)).all(axis=1)
    return np.asarray(inside.reshape(frame[1], frame[0]), np.bool_)


def _mean(pixels: Floats) -> Floats:
    return np.asarray(cv2.blur(pixels, (_WINDOW, _WINDOW)), np.float32)


def _deviation(pixels: Floats) -> Floats:
    middle = _mean(pixels)
    return np.sqrt(np.maximum(0, _mean(pixels * pixels) - middle * middle)).astype(np.float32)
