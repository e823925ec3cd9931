"""How strongly two aligned pictures differ at each pixel, measured in what their own noise explains.

Saving as JPEG, resampling and a registration off by a fraction of a pixel leave differences too: large ones where a
picture has texture and edges, small ones where it is smooth. How large, the pair itself tells: at each of three scales
and in each channel, the difference is divided by the one usual in this pair at places of as much texture.
"""

from typing import Final

import cv2
import numpy as np

from indexer.arrays import Floats
from indexer.examine.difference.alignment import AlignedPair, Mask

WINDOW: Final = 1.5
"""Standard deviation of the Gaussian window, in pixels of each scale; every scale is half as fine as the one before."""
FLOOR: Final = (2.5, 2.0, 1.6)
"""Differences up to this many of 255 levels are noise at each scale, however clean the pictures are."""
CEILING: Final = (0.5, 0.35, 0.25)
"""Noise is at most this share of the local contrast, for each scale: what is more was not made by compression."""

_CLASSES: Final = 24
_SAMPLE: Final = 40_000
"""Pixels are enough to tell what is usual."""
_SPILL: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
"""A window sees what lies beside it: as far as this, a difference is taken to come from there."""
_USUAL: Final = 0.4
"""The quantile taken as usual: below the median, for an edit may cover much of a picture."""


def change_map(pair: AlignedPair) -> Floats:
    """[height, width], at least 0: how many times larger the difference is than the noise usual at such places; 0
    where nothing is shared."""
    size = pair.shared.shape[1], pair.shared.shape[0]
    shared = pair.shared.astype(np.float32)
    a, b = _luma_and_chroma(pair.even_a), _luma_and_chroma(pair.even_b)
    strongest = np.zeros(shared.shape, np.float32)
    for floor, ceiling in zip(FLOOR, CEILING, strict=True):
        change = _change_at_one_scale(a, b, shared, floor, ceiling)
        large = np.asarray(cv2.resize(change, size, interpolation=cv2.INTER_LINEAR), np.float32)
        np.maximum(strongest, large, out=strongest)
        a, b, shared = _halved(a * shared[..., None]), _halved(b * shared[..., None]), _halved(shared)
        weight = np.maximum(shared, np.float32(1e-3))[..., None]
        a, b = np.asarray(a / weight, np.float32), np.asarray(b / weight, np.float32)
    strongest[~pair.shared] = 0
    return strongest


def _luma_and_chroma(rgb: Floats) -> Floats:
    return np.asarray(cv2.cvtColor(rgb / 255, cv2.COLOR_RGB2YCrCb) * 255, np.float32)


def _halved(values: Floats) -> Floats:
    size = max(1, values.shape[1] // 2), max(1, values.shape[0] // 2)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _change_at_one_scale(a: Floats, b: Floats, shared: Floats, floor: float, ceiling: float) -> Floats:
    """The largest of the three channels' differences, each in its own noise."""
    window, wide = _Window(WINDOW, shared), _Window(2 * WINDOW, shared)
    difference = np.asarray(np.sqrt(window.mean(window.mean(a - b) ** 2)), np.float32)
    texture = np.asarray((wide.deviation(a) + wide.deviation(b)) / 2, np.float32)
    inside = shared > 0.5
    changes = [
        difference[..., channel] / _usual(difference[..., channel], texture[..., channel], inside, floor, ceiling)
        for channel in range(3)
    ]
    return np.asarray(cv2.erode(np.max(changes, axis=0), _SPILL), np.float32)


class _Window:
    """Gaussian means of `sigma` pixels over what is shared; all [height, width, 3] float32."""

    def __init__(self, sigma: float, shared: Floats) -> None:
        self._sigma = sigma
        self._shared = shared[..., None]
        self._weight = np.maximum(self._blurred(shared), np.float32(1e-3))[..., None]

    def mean(self, values: Floats) -> Floats:
        return np.asarray(self._blurred(values * self._shared) / self._weight, np.float32)

    def deviation(self, values: Floats) -> Floats:
        variance = self.mean(values**2) - self.mean(values) ** 2
        return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)

    def _blurred(self, values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), self._sigma, borderType=cv2.BORDER_REFLECT), np.float32)


def _usual(difference: Floats, texture: Floats, inside: Mask, floor: float, ceiling: float) -> Floats:
    """The difference usual at places of as much texture, rising with it; all [height, width]."""
    seen, changes = texture[inside], difference[inside]
    if not len(seen):
        return np.full_like(difference, floor)
    every = max(1, len(seen) // _SAMPLE)
    seen, changes = seen[::every], changes[::every]
    order = np.argsort(seen, kind="stable")
    parts = [part for part in np.array_split(order, _CLASSES) if len(part)]
    at = np.array([np.median(seen[part]) for part in parts])
    usual = np.maximum.accumulate(np.array([np.quantile(changes[part], _USUAL) for part in parts]))
    noise = np.interp(texture, at, usual)
    return np.asarray(np.clip(noise, floor, np.maximum(floor, ceiling * texture)), np.float32)
