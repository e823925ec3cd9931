"""What else to ask with than the whole picture: what is inside its frames, its halves and its quarters."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PIL import Image

from indexer.copies.verification.overlap import Box
from indexer.copies.views.frames import framed_boxes

MOST_VIEWS: Final = 9
"""Three frames, two halves and four quarters."""
_LEAST_SIDE: Final = 48
"""A view with a shorter side, in pixels, shows too little to be asked with."""


class ViewKind(StrEnum):
    """How a view was cut out of a picture."""

    INNER = "inner"
    HALF = "half"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A part of a picture, cut out; `box` is where it lies, in pixels of the upright picture."""

    kind: ViewKind
    box: Box
    rgb: Image.Image


def views(rgb: Image.Image, most: int = MOST_VIEWS) -> list[View]:
    """Up to `most` views of a picture of mode RGB, those that find most first; the whole picture is not among them.

    First what lies inside its frames, the innermost first; then the two halves along the longer side, and the four
    quarters, of the innermost. Mirrored and turned copies need no views: PDQ asks with all eight, and descriptor and
    features know them. A view costs one more row of the descriptor's batch; finding the frames costs about 5 ms.
    """
    inner = framed_boxes(rgb)[::-1]
    parts = [(ViewKind.INNER, box) for box in inner]
    parts += _parts(inner[0] if inner else (0, 0, *rgb.size))
    large = [(kind, box) for kind, box in parts if min(box[2] - box[0], box[3] - box[1]) >= _LEAST_SIDE]
    return [View(kind, box, rgb.crop(box)) for kind, box in large[:most]]


def inner_box(rgb: Image.Image) -> Box | None:
    """Where the picture inside all frames of a picture lies; None where it has no frame."""
    boxes = framed_boxes(rgb)
    return boxes[-1] if boxes else None


def _parts(box: Box) -> list[tuple[ViewKind, Box]]:
    left, top, right, bottom = box
    x, y = (left + right) // 2, (top + bottom) // 2
    if right - left >= bottom - top:
        halves = [(left, top, x, bottom), (x, top, right, bottom)]
    else:
        halves = [(left, top, right, y), (left, y, right, bottom)]
    quarters = [(left, top, x, y), (x, top, right, y), (left, y, x, bottom), (x, y, right, bottom)]
    return [(ViewKind.HALF, half) for half in halves] + [(ViewKind.QUARTER, quarter) for quarter in quarters]
