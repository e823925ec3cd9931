"""A photograph, and copies of it that were edited or only re-shared."""

import io
import random

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from indexer.demo.photographs import PHOTOGRAPHS
from indexer.imaging.alterations import apply

Mask = npt.NDArray[np.bool_]


def photograph(name: str = "chelsea") -> Image.Image:
    """A photograph of a cat, 451 x 300, unless another one is named."""
    return PHOTOGRAPHS[name].rgb()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def jpeg(picture: Image.Image, quality: int = 80) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return opened(buffer.getvalue())


def altered(name: str, picture: Image.Image) -> Image.Image:
    """The picture after one of the alterations that re-sharing makes."""
    return opened(apply(name, picture))


def spliced(picture: Image.Image, box: tuple[int, int, int, int], source: str = "coffee") -> tuple[Image.Image, Mask]:
    """The picture with a piece of another photograph in an ellipse inside `box`, and where that is."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    other = photograph(source).resize(picture.size)
    return Image.composite(other, picture, mask), np.asarray(mask) > 0


def captioned(picture: Image.Image, at: tuple[int, int]) -> tuple[Image.Image, Mask]:
    """The picture with a line of text written over it, and the box of that line."""
    made = picture.copy()
    pen, font = ImageDraw.Draw(made), ImageFont.load_default(24)
    pen.text(at, "SEEN THIS MORNING", font=font, fill="white")
    left, top, right, bottom = (round(edge) for edge in pen.textbbox(at, "SEEN THIS MORNING", font=font))
    mask = np.zeros((picture.height, picture.width), bool)
    mask[top:bottom, left:right] = True
    return made, mask


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    """Smooth random colours: plenty of points to find again."""
    chance = random.Random(seed)
    coarse = Image.new("RGB", (32, 24))
    coarse.putdata([tuple(chance.randrange(256) for _ in range(3)) for _ in range(32 * 24)])
    return coarse.resize(size, Image.Resampling.BICUBIC)


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union of two masks."""
    return float((found & truth).sum() / max(1, (found | truth).sum()))
