"""The five ways the demo fakes a photograph, with OpenCV and plain linear algebra: no learned model is involved.

Every function takes and gives RGB pictures as uint8 arrays [height, width, 3], and the same input gives the same
output. Which photograph is faked how lives in `indexer.demo.fakes`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An upright ellipse in pixels: centre (`x`, `y`) and half axes."""

    x: int
    y: int
    half_width: int
    half_height: int

    def mask(self, height: int, width: int) -> Pixels:
        """White inside, black outside: uint8 [height, width]."""
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, (self.x, self.y), (self.half_width, self.half_height), 0, 0, 360, 255, -1)
        return mask


def splice(target: Pixels, source: Pixels, region: Ellipse, at: tuple[int, int], scale: float = 1.0) -> Pixels:
    """Cuts `region` out of `source`, scales it and blends it into `target` with its centre `at` (x, y).

    Poisson blending after Pérez, Gangnet and Blake (SIGGRAPH 2003), by `cv2.seamlessClone`.
    """
    mask = region.mask(*source.shape[:2])
    rows = slice(max(0, region.y - region.half_height - 2), region.y + region.half_height + 3)
    columns = slice(max(0, region.x - region.half_width - 2), region.x + region.half_width + 3)
    patch = cv2.resize(source[rows, columns], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    patch_mask = cv2.resize(mask[rows, columns], patch.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return _pixels(cv2.seamlessClone(patch, target, patch_mask, at, cv2.NORMAL_CLONE))


def inpaint(picture: Pixels, *regions: Ellipse, radius: float = 5.0) -> Pixels:
    """Removes `regions` and fills them from their surroundings (Telea 2004, by `cv2.inpaint`)."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for region in regions:
        mask |= region.mask(*picture.shape[:2])
    return _pixels(cv2.inpaint(picture, mask, radius, cv2.INPAINT_TELEA))


def bulge(picture: Pixels, region: Ellipse, strength: float) -> Pixels:
    """Warps a region smoothly: `strength` > 0 enlarges what is in its middle, < 0 shrinks it; in (-1, 1).

    The local scaling warp of Gustafsson (Interactive Image Warping, 1993), resampled bilinearly.
    """
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    dx, dy = (x - region.x) / region.half_width, (y - region.y) / region.half_height
    inside = np.clip(1.0 - np.sqrt(dx * dx + dy * dy), 0.0, 1.0)
    pull = 1.0 - strength * inside * inside
    map_x = (region.x + dx * pull * region.half_width).astype(np.float32)
    map_y = (region.y + dy * pull * region.half_height).astype(np.float32)
    return _pixels(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def resynthesise(picture: Pixels, components: int, patch: int = 8, shrink: float = 0.5) -> Pixels:
    """Makes the picture anew from few numbers, as an autoencoder does: the whole picture is replaced.

    It is shrunk, cut into `patch` x `patch` tiles, each rebuilt from its `components` first principal components,
    enlarged again and smoothed.
    """
    height, width = picture.shape[:2]
    rows = max(patch, round(height * shrink) // patch * patch)
    columns = max(patch, round(width * shrink) // patch * patch)
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64)
    tiles = small.reshape(rows // patch, patch, columns // patch, patch, 3).transpose(0, 2, 1, 3, 4)
    flat = tiles.reshape(-1, patch * patch * 3)
    mean = flat.mean(axis=0)
    _, vectors = np.linalg.eigh((flat - mean).T @ (flat - mean))
    basis = vectors[:, -components:]
    rebuilt = (flat - mean) @ basis @ basis.T + mean
    back = rebuilt.reshape(rows // patch, columns // patch, patch, patch, 3).transpose(0, 2, 1, 3, 4)
    pixels = np.clip(back.reshape(rows, columns, 3), 0, 255).astype(np.uint8)
    large = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    return _pixels(cv2.bilateralFilter(large, 7, 40, 5))


def paint(picture: Pixels, style: str) -> Pixels:
    """Redraws the picture: `watercolour` (Gastal and Oliveira 2011, by `cv2.stylization`) or `poster` (mean shift)."""
    if style == "watercolour":
        return _pixels(cv2.stylization(picture, sigma_s=60, sigma_r=0.45))
    if style == "poster":
        return _pixels(cv2.pyrMeanShiftFiltering(picture, sp=18, sr=40))
    raise ValueError(f"no style {style!r}")


def _pixels(picture: object) -> Pixels:
    return np.asarray(picture, dtype=np.uint8)
