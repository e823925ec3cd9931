"""What the difference benchmark compares: pictures edited in code with the region that was, and their re-shares.

The edits are the demo's (`indexer.demo.fakery`) and a line of text. Every edited picture is saved again as JPEG, half
of them scaled down before, as an edit that travels is.
"""

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from indexer.demo import fakery

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

VISIBLE = 12.0
"""Levels of 255 that an edit changes its region by on average: what changes less is drawn again at another place."""

_DRAWS = 12
_WORDS = ("Seen this morning", "BREAKING NEWS", "They lied to you", "Share this now")


@dataclass(frozen=True, slots=True)
class EditedCopy:
    """`copy` is the re-shared, edited picture; `region` [height, width] of the picture says where it was edited."""

    copy: Image.Image
    region: Mask


def edit(name: str, picture: Image.Image, other: Image.Image, seed: str) -> EditedCopy | None:
    """The picture with one visible edit of this name; None when none of a dozen places gave a visible one.

    Args:
        name: one of `EDITS`.
        picture, other: of mode RGB; a splice is cut out of the other one.
        seed: the same gives the same edit.
    """
    chance = random.Random(f"{name}:{seed}")
    before = np.asarray(picture, np.uint8)
    for _ in range(_DRAWS):
        after, region = EDITS[name](before, other, chance)
        if np.abs(after.astype(np.int16) - before)[region].max(axis=1).mean() >= VISIBLE:
            return EditedCopy(_re_shared(Image.fromarray(after), chance), region)
    return None


def _re_shared(picture: Image.Image, chance: random.Random) -> Image.Image:
    if chance.random() < 0.5:
        scale = chance.uniform(0.6, 0.95)
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        picture = picture.resize(size, chance.choice((Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=chance.randint(60, 90))
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def _ellipse(before: Pixels, chance: random.Random) -> fakery.Ellipse:
    """0.8 to 7 % of the picture, somewhere inside it."""
    height, width = before.shape[:2]
    half_width, half_height = round(width * chance.uniform(0.05, 0.15)), round(height * chance.uniform(0.05, 0.15))
    x = chance.randint(half_width + 4, width - half_width - 5)
    y = chance.randint(half_height + 4, height - half_height - 5)
    return fakery.Ellipse(x, y, half_width, half_height)


def _splice(before: Pixels, other: Image.Image, chance: random.Random) -> tuple[Pixels, Mask]:
    """Poisson blending, kept inside its ellipse: OpenCV's changes the picture's colours around it too."""
    mask = _ellipse(before, chance)
    region = mask.mask(*before.shape[:2]) > 0
    source = np.asarray(other.resize((before.shape[1], before.shape[0])), np.uint8)
    blended = fakery.splice(before.copy(), source.copy(), mask, (mask.x, mask.y))
    return np.where(region[..., None], blended, before), region


def _inpaint(before: Pixels, _: Image.Image, chance: random.Random) -> tuple[Pixels, Mask]:
    mask = _ellipse(before, chance)
    return fakery.inpaint(before.copy(), mask), mask.mask(*before.shape[:2]) > 0


def _text(before: Pixels, _: Image.Image, chance: random.Random) -> tuple[Pixels, Mask]:
    """One line; its region is the box of that line, of which letters cover a third or so."""
    height, width = before.shape[:2]
    image = Image.fromarray(before)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(max(9.0, height * chance.uniform(0.035, 0.07)))
    words = chance.choice(_WORDS)
    at = width * chance.uniform(0.03, 0.3), height * chance.uniform(0.05, 0.85)
    left, top, right, bottom = (round(edge) for edge in pen.textbbox(at, words, font=font))
    pen.text(at, words, font=font, fill=chance.choice(("white", "black", "#e0245e", "#ffd60a")))
    region = np.zeros((height, width), bool)
    region[max(0, top) : bottom, max(0, left) : right] = True
    return np.asarray(image, np.uint8), region


EDITS: Mapping[str, Callable[[Pixels, Image.Image, random.Random], tuple[Pixels, Mask]]] = {
    "splice": _splice,
    "inpaint": _inpaint,
    "text": _text,
}
"""Every edit by name: from a picture, another one and a source of chance to the edited picture and its region."""
