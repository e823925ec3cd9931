"""What of each of two pictures the other covers, and how well the features that lie alike speak for all of it."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats, Reals
from indexer.copies.verification.fitting import mapped
from indexer.copies.verification.overlap import Box

Flags = npt.NDArray[np.bool_]

_NEIGHBOURS: Final = 8
_BY_CHANCE: Final = 0.05
_LEAST_RATE: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """The part of a picture that another covers: a convex `outline` [N, 2], the `box` around it, 0 to 1 of its area."""

    outline: Reals
    box: Box
    share: float

    def holds(self, points: Floats) -> Flags:
        """Which of `points` [N, 2] lie in it."""
        if len(self.outline) < 3:
            return np.zeros(len(points), np.bool_)
        start, end = self.outline, np.roll(self.outline, -1, axis=0)
        edge, to = end - start, points[:, None, :] - start
        cross = edge[:, 0] * to[:, :, 1] - edge[:, 1] * to[:, :, 0]
        return np.asarray((cross >= 0).all(axis=1) | (cross <= 0).all(axis=1), np.bool_)


def corners(size: tuple[int, int]) -> Reals:
    """The outer corners of a picture, clockwise from the top left: [4, 2]."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5


def covered(matrix: Reals, other: tuple[int, int], size: tuple[int, int]) -> Covered | None:
    """What a picture of size `other`, taken through `matrix`, covers of one of `size`; None where that is nothing."""
    placed, own = mapped(matrix, corners(other)), corners(size)
    if np.abs(placed).max() > 1e6:
        return None
    area, outline = cv2.intersectConvexConvex(placed.astype(np.float32), own.astype(np.float32))
    if area <= 0 or outline is None:
        return None
    points = np.asarray(outline, np.float64).reshape(-1, 2)
    low = np.clip(np.floor(points.min(axis=0) + 0.5), 0, np.array(size) - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + 0.5), low + 1, size).astype(int)
    box = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    return Covered(points, box, min(1.0, float(area) / (size[0] * size[1])))


def supported(points: Floats, agree: Flags, most: int) -> float:
    """0 to 1: the share of the features at `points` [N, 2] that have one that agrees among their neighbours.

    How many neighbours are asked, up to `most`, depends on how many agree around those that do: where every third
    agrees, eight in a row without one are no chance but another picture.
    """
    agreeing = np.flatnonzero(agree)
    if len(points) <= 2 or len(agreeing) < 3:
        return 0.0
    apart = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    order = np.argsort(apart, axis=1, kind="stable")
    rate = float(agree[order[agreeing, 1 : _NEIGHBOURS + 1]].mean())
    neighbours = math.log(_BY_CHANCE) / math.log(1 - min(0.9, max(_LEAST_RATE, rate)))
    asked = min(most, max(2, math.ceil(neighbours)))
    return float(agree[order[:, :asked]].any(axis=1).mean())
