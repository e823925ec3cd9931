"""How much content a picture has to compare: below a floor, neither its hash nor its embedding means anything.

Measured on the decoded picture, not on the hash: a line on white gives a PDQ hash of quality 100.
`indexer.verdict.relations` applies the floors.
"""

from typing import Final

import numpy as np
from PIL import Image

from indexer.arrays import Reals

TOO_LITTLE: Final = 10
"""Content below this: blank, flat or nearly so. To PDQ and detectors all such pictures look alike."""
FEW_TONES: Final = 50
"""Content below this: drawings, text, two colours, or very faint. PDQ tells such pictures apart, embeddings do not."""

LEAST_QUALITY: Final = 25
"""PDQ quality below which a picture of unmeasured content counts as having too little: 2,117 real pictures have 25 or
more."""

BARE: Final = 30
"""Content below this: posts, charts and signs drawn in a few tones on an empty ground; 3 of 1,100 real pictures."""

_SIDE = 128
_TILE = 4
_LEAST_DETAIL = 0.045
_COARSE_SIDES = (32, 24)
_BLURRED_BITS = 2.0
"""Logos, lines and pages of text have less than 0.4 bits of tone; slopes and vignettes have no detail at any scale."""
_FEW_TONES_BITS = 2.5
_RANK = 10
_LEAST_SINGULAR = 12 / 64
_LEAST_BITS = 0.5
_NOISE_SIDE = 512
_NOISE, _PICTURE = 0.2, 0.3
"""Least correlation between neighbouring tiles: 0 for noise and fine patterns, 0.49 or more in 2,117 real pictures."""
_GREY = np.array([0.299, 0.587, 0.114])


def content_of(rgb: Image.Image) -> int:
    """The content of a picture of mode RGB, 0 (flat) to 100.

    Below `TOO_LITTLE` it is how much of the picture has detail: the share of small tiles that are more than a slope,
    less where rows look alike (frames, bars, checks, dots), where neighbouring places have nothing in common (noise),
    or where nearly all of it is of one tone. From `TOO_LITTLE` on it is how many tones the picture has: the entropy of
    its greys, in steps of eight levels. Scaling, re-encoding and thumbnails change it little; noise of a few levels
    does not count.
    """
    size = tuple(max(_TILE, min(_SIDE, side) // _TILE * _TILE) for side in rgb.size)
    small = rgb.resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=2.0)
    pixels = np.asarray(small, np.float64)
    grey = pixels @ _GREY
    bits = _entropy(grey)
    detail = _detail(pixels, min(rgb.size))
    if bits >= _BLURRED_BITS:
        detail = max(detail, *(_detail(_reduced(small, side), side) for side in _COARSE_SIDES))
    detail *= _variety(grey) * _coherence(grey) * min(1.0, bits / _LEAST_BITS)
    if detail < _LEAST_DETAIL:
        return int(TOO_LITTLE * detail / _LEAST_DETAIL)
    return int(np.clip(round(FEW_TONES * bits / _FEW_TONES_BITS), TOO_LITTLE, 100))


def _reduced(picture: Image.Image, longest: int) -> Reals:
    """The pixels of a smaller copy of the same shape, its sides multiples of a tile."""
    scale = longest / max(picture.size)
    width, height = (max(_TILE, round(side * scale / _TILE) * _TILE) for side in picture.size)
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float64)


def _detail(pixels: Reals, shortest: int) -> float:
    """The share of tiles [4, 4] that differ from the best plane through them, in any channel, by more than a level on
    average; in small pictures, where noise was not averaged away, by up to four."""
    high, wide, channels = pixels.shape
    tiles = pixels.reshape(high // _TILE, _TILE, wide // _TILE, _TILE, channels).transpose(0, 2, 4, 1, 3)
    left = tiles.reshape(-1, channels, _TILE * _TILE) @ _BUT_PLANES
    roughness = np.sqrt((left**2).mean(axis=-1)).max(axis=-1)
    return float((roughness > np.clip(_NOISE_SIDE / shortest, 1.0, 4.0)).mean())


def _variety(grey: Reals) -> float:
    """0 to 1: how many independent patterns its rows are made of, without what all rows and all columns share; 0 for up
    to half as many as real pictures have."""
    high, wide = grey.shape
    halved = grey.reshape(high // 2, 2, wide // 2, 2).mean(axis=(1, 3))
    rest = halved - halved.mean(axis=0) - halved.mean(axis=1)[:, None] + halved.mean()
    independent = np.linalg.svd(rest, compute_uv=False) > _LEAST_SINGULAR * np.sqrt(halved.size)
    share = min(1.0, np.count_nonzero(independent) / min(_RANK, min(halved.shape) // 2))
    return float(max(0.0, 2 * share - 1))


def _coherence(grey: Reals) -> float:
    """0 to 1: how much neighbouring tiles have in common."""
    rest = grey - grey.mean()
    products = (rest[:, 1:] * rest[:, :-1]).mean() + (rest[1:] * rest[:-1]).mean()
    shared = products / 2 / max(float((rest**2).mean()), 1e-9)
    return float(np.clip((shared - _NOISE) / (_PICTURE - _NOISE), 0, 1))


def _entropy(grey: Reals) -> float:
    shares = np.bincount((grey / 8).astype(np.intp).ravel()) / grey.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _but_planes() -> Reals:
    """The projection [16, 16] that takes the best plane out of a tile."""
    down, across = (np.indices((_TILE, _TILE)) - (_TILE - 1) / 2).reshape(2, -1)
    basis, _ = np.linalg.qr(np.stack([np.ones(_TILE * _TILE), down, across], axis=1))
    return np.asarray(np.eye(_TILE * _TILE) - basis @ basis.T)


_BUT_PLANES: Final = _but_planes()


def has_too_little(content: int | None, pdq_quality: int | None) -> bool:
    """Whether a picture has too little content to compare it. If content was not measured, its PDQ quality decides."""
    if content is None:
        return pdq_quality is not None and pdq_quality < LEAST_QUALITY
    return content < TOO_LITTLE


def has_few_tones(content: int | None) -> bool:
    """Whether a picture has so few tones that embeddings alone cannot tell it from others. False where content was not
    measured."""
    return content is not None and content < FEW_TONES
