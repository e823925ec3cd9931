"""From a difference map to the places where two pictures differ: a mask without specks, and its connected regions."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from indexer.arrays import Floats
from indexer.examine.difference.alignment import Mask
from indexer.examine.difference.finding import SMALLEST

SURE: Final = 8.0
"""A region must reach this many times the usual noise somewhere …"""
EXTENT: Final = 3.0
"""… and reaches as far as this many times (hysteresis, after Canny, PAMI 1986)."""
MIN_PIXELS: Final = 24
"""Fewest pixels of a region, however small the pictures are."""

_BRIDGED: Final = 0.012
"""Gaps up to this share of the longer side are closed: letters become a line of text."""


@dataclass(frozen=True, slots=True)
class Place:
    """One connected region: `box` left, top, right, bottom in pixels of the frame, exclusive; its `pixels`; and the
    largest value of the map in it."""

    box: tuple[int, int, int, int]
    pixels: int
    strength: float


def differing(change: Floats, shared: Mask) -> tuple[Mask, tuple[Place, ...]]:
    """Where `change` [height, width] says that the pictures differ: a mask of that shape, and its regions, the largest
    first."""
    labels, count = ndimage.label(change >= EXTENT, np.ones((3, 3)))
    peaks = ndimage.maximum(change, labels, np.arange(count + 1)) if count else np.zeros(1)
    kept = np.asarray(peaks, np.float64) >= SURE
    kept[0] = False
    radius = max(1, round(_BRIDGED * max(change.shape)))
    joined = ndimage.binary_fill_holes(_closed(kept[labels], radius)) & shared
    labels, count = ndimage.label(joined, np.ones((3, 3)))
    least = least_pixels(int(np.count_nonzero(shared)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    large = sizes >= least
    large[0] = False
    places = []
    for number, slices in enumerate(ndimage.find_objects(labels), start=1):
        if large[number]:
            rows, columns = slices
            strength = float(change[slices][labels[slices] == number].max())
            places.append(Place((columns.start, rows.start, columns.stop, rows.stop), int(sizes[number]), strength))
    places.sort(key=lambda region: (-region.pixels, region.box))
    return np.asarray(large[labels], np.bool_), tuple(places)


def least_pixels(shared: int) -> float:
    """The fewest pixels that are a region where `shared` pixels are compared."""
    return max(MIN_PIXELS, SMALLEST * shared)


def _closed(mask: Mask, radius: int) -> npt.NDArray[np.bool_]:
    """Gaps up to twice `radius` closed; what lies at the border stays as it is."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)
    return np.asarray(closed[radius:-radius, radius:-radius] > 0)
