"""Which frame of an animation, or page of a file with several, a person would say it shows: the first with content."""

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageFile

from indexer.imaging.colour import Converted, to_srgb
from indexer.imaging.content import FEW_TONES, TOO_LITTLE, content_of
from indexer.imaging.limits import ImageLimits

MOST_FRAMES: Final = 64
"""Frames that are looked at, at most; no clock bounds it, so that the same file always gives the same frame."""
_MOST_PIXELS: Final = 400_000_000
_PAGES = frozenset({"TIFF"})


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame by its number, from 0, and its picture."""

    number: int
    converted: Converted


def says_enough(name: str, rgb: Image.Image) -> bool:
    """Whether the first frame is the one to judge: of an animation unless it has few tones (black, a fade, a title), of
    pages unless it is blank."""
    return content_of(rgb) >= (TOO_LITTLE if name in _PAGES else FEW_TONES)


def with_content(image: ImageFile.ImageFile, name: str, frames: int, first: int, limits: ImageLimits) -> Frame | None:
    """The first frame that says enough, else the one with most content; None where all are as blank as the first.

    Args:
        image: opened, with all its frames.
        first: the number of the first frame that is shown at all; it is taken where none has content.
    """
    best: Frame | None = None
    most = -1 if first else TOO_LITTLE - 1
    last = first + max(2, min(frames, MOST_FRAMES, _MOST_PIXELS // max(1, image.width * image.height)))
    try:
        for number in range(first, last):
            image.seek(number)
            limits.check_size(*image.size)
            image.load()
            converted = to_srgb(image)
            content = content_of(converted.rgb)
            if content > most:
                best, most = Frame(number, converted), content
            if content >= (TOO_LITTLE if name in _PAGES else FEW_TONES):
                break
    except Exception:  # noqa: BLE001 - hostile bytes; the frames before a bad one are good, and there are no more
        return best
    return best
