"""From an upright RGB picture to the model's input, as the detector's preprocessing says. Pillow and numpy only."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.detector.spec import Preprocessing

_LONGEST_RESIZED: Final = 8_192
"""Above this many pixels on the longer side only the part that is kept is resized: a strip of 1 x 50,000 pixels would
otherwise become one of 440 x 22,000,000. The result is the same but for rounding."""


def prepare(rgb: Image.Image, preprocessing: Preprocessing) -> npt.NDArray[np.float32]:
    """The model's input for one picture.

    The arithmetic of Transformers' image processors on Pillow (resize in 8 bits, centre crop rounded down, rescale in
    float64, normalise in float32). Safe in any thread.

    Args:
        rgb: a picture of mode RGB, 8 bits, already upright.

    Returns:
        float32 [3, crop, crop].
    """
    crop = preprocessing.crop
    picture = rgb if rgb.mode == "RGB" else rgb.convert("RGB")
    width, height = _resized(picture.size, preprocessing)
    left, top = _corner(width, height, crop)
    resample = Image.Resampling(preprocessing.resample)
    if max(width, height) > _LONGEST_RESIZED:
        box = seen_box(picture.size, preprocessing)
        pixels = np.asarray(picture.resize((crop, crop), resample, box=box))
    else:
        resized = picture if picture.size == (width, height) else picture.resize((width, height), resample)
        pixels = np.asarray(resized)[top : top + crop, left : left + crop]
    values = _values(preprocessing)
    return np.stack([values[channel].take(pixels[:, :, channel]) for channel in range(3)])


def seen_box(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """The part of an upright picture of `size` (width, height) that the model sees: left, top, right and bottom in that
    picture's pixels, fractions included. What lies outside was cropped away."""
    crop = preprocessing.crop
    width, height = _resized(size, preprocessing)
    left, top = _corner(width, height, crop)
    across, down = size[0] / width, size[1] / height
    return left * across, top * down, (left + crop) * across, (top + crop) * down


@lru_cache(maxsize=8)
def _values(preprocessing: Preprocessing) -> npt.NDArray[np.float32]:
    """What each of the 256 values of a pixel becomes, [3, 256]: looked up, they cost a third of the arithmetic."""
    scaled = (np.arange(256, dtype=np.float64) * preprocessing.rescale).astype(np.float32)
    mean, std = np.asarray(preprocessing.mean, np.float32), np.asarray(preprocessing.std, np.float32)
    table: npt.NDArray[np.float32] = (scaled - mean[:, None]) / std[:, None]
    table.setflags(write=False)
    return table


def _corner(width: int, height: int, crop: int) -> tuple[int, int]:
    """Left and top of the central crop of a resized picture."""
    return (width - crop) // 2, (height - crop) // 2


def _resized(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Width and height after resizing."""
    shortest = preprocessing.resize_shortest
    if shortest is None:
        return preprocessing.crop, preprocessing.crop
    width, height = size
    if width <= height:
        return shortest, int(shortest * height / width)
    return int(shortest * width / height), shortest
