"""Alterations that are never trained on: what they tell is whether the network learned pictures or alterations."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from indexer.copies.descriptor.training.alterations import Pixels, Random, resized
from indexer.copies.descriptor.training.overlays import Others, colour_of


def striped(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Stripes of one colour over a third of the picture, upright, level or slanted."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    slant = random.uniform(0, np.pi)
    period = random.uniform(0.08, 0.25) * max(height, width)
    covered = (x * np.cos(slant) + y * np.sin(slant)) % period < 0.35 * period
    return np.where(covered[..., None], np.array(colour_of(random), np.uint8), pixels)


def photographed(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """A screen photographed from the side: perspective, the screen's grid against the camera's, uneven light."""
    height, width = pixels.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + random.uniform(-0.14, 0.14, (4, 2)) * (width, height)
    moved = (moved - moved.min(axis=0)).astype(np.float32)
    wide, high = moved.max(axis=0)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    screen = cv2.warpPerspective(pixels, matrix, (int(wide), int(high)), borderValue=(35, 32, 30)).astype(np.float32)
    y, x = np.mgrid[: screen.shape[0], : screen.shape[1]]
    waves = np.sin(x * random.uniform(0.6, 1.6) + y * random.uniform(-0.3, 0.3)) * np.sin(y * random.uniform(0.6, 1.6))
    light = 1 + random.uniform(-0.3, 0.3) * (x / wide - 0.5) + random.uniform(-0.3, 0.3) * (y / high - 0.5)
    return np.asarray(np.clip(screen * (light * (1 + 0.12 * waves))[..., None], 0, 255), np.uint8)


def upside_down(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Top and bottom exchanged."""
    return np.ascontiguousarray(pixels[::-1])


def with_inset(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Another picture in a corner, an eighth to a fifth of the area."""
    height, width = pixels.shape[:2]
    out, share = pixels.copy(), np.sqrt(random.uniform(0.12, 0.2))
    wide, high = int(width * share), int(height * share)
    left, top = (int(random.choice((4, side - part - 4))) for side, part in ((width, wide), (height, high)))
    out[top : top + high, left : left + wide] = resized(others(), wide, high)
    return out


UNSEEN: Final[dict[str, Callable[[Pixels, Random, Others], Pixels]]] = {
    "stripes": striped,
    "photographed screen": photographed,
    "upside down": upside_down,
    "inset": with_inset,
}
"""By name."""
