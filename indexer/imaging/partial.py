"""Pictures whose file ends early: which rows were decoded, and how the missing ones are handled."""

from typing import Final

import numpy as np
from PIL import Image, ImageFile

from indexer.errors import ImageRejectedError
from indexer.imaging.colour import Converted, to_srgb
from indexer.imaging.limits import MIN_SIDE

LEAST_SHARE: Final = 0.1
"""A picture with a smaller share than this is refused: nobody could say what it shows."""
MENDED: Final = 0.05
"""Up to this share the missing rows are filled with the last one, which changes PDQ by few bits. If more is missing,
only the existing part is judged: a grey area would make it look like other truncated pictures."""
_CUT_OFF = ("truncated", "incomplete", "premature", "end of file", "unexpected end", "not enough")
_BY_ROWS = frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF"})
_BLOCK = 64
_JPEG_FILLING, _JPEG_TOLERANCE = 128, 3
"""The value decoders write into every channel of missing pixels, and its tolerance after CMYK inversion."""
_PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))
_UNIT = 16


def tells_of_early_end(error: Exception) -> bool:
    """Whether a decoder's error means that the file ends early."""
    return isinstance(error, EOFError) or any(word in str(error).lower() for word in _CUT_OFF)


def load(image: ImageFile.ImageFile, name: str, *, cut: bool) -> bool:
    """Decodes the pixels; True when the file ends before they do, and `image` holds those that are there.

    Args:
        image: just opened, of format `name`.
        cut: its structure says already that the file ends early.

    Raises:
        OSError and whatever else Pillow raises on pixels that cannot be decoded.
    """
    try:
        image.load()
    except OSError as error:
        if name not in _BY_ROWS or not (cut or tells_of_early_end(error)):
            raise
        image.tile = []  # what was decoded before is in place, and is taken as it is
        image.load()
        return True
    return cut


def jpeg_filling(image: Image.Image) -> tuple[int, ...]:
    """The colour [3] of what is missing of a JPEG, as `to_srgb` shows it: grey, but for CMYK and colour profiles."""
    pixel = Image.new(image.mode, (1, 1), (_JPEG_FILLING,) * len(image.getbands()))
    pixel.info = dict(image.info)
    shown = to_srgb(pixel).rgb.getpixel((0, 0))
    return shown if isinstance(shown, tuple) else (_JPEG_FILLING,) * 3


def missing_rows(
    rgb: Image.Image, name: str, other: Image.Image | None, filling: tuple[int, ...] = (_JPEG_FILLING,) * 3
) -> int:
    """How many rows of a picture whose file ends early were not decoded; of a BMP at the top, else at the bottom.

    Decoders leave such rows in one colour, that of JPEG is known: `filling`. `other` is the same file with other bytes
    for the missing ones, None where its decoder stops where the data ends: what differs was made up.
    """
    if other is not None:
        differing = np.flatnonzero((np.asarray(rgb) != np.asarray(other)).any(axis=(1, 2)))
        return rgb.height - int(differing[0]) // _UNIT * _UNIT if len(differing) else 0
    upside_down = name == "BMP"
    colour, missing = rgb.getpixel((0, 0 if upside_down else rgb.height - 1)), 0
    if name == "JPEG" and np.abs(np.array(colour) - np.array(filling)).max() > _JPEG_TOLERANCE:
        return 0
    for start in range(0, rgb.height, _BLOCK):
        high = min(_BLOCK, rgb.height - start)
        top = start if upside_down else rgb.height - start - high
        rows = np.asarray(rgb.crop((0, top, rgb.width, top + high)))
        plain = (rows == np.asarray(colour)).all(axis=(1, 2))
        run = plain if upside_down else plain[::-1]
        if not run.all():
            missing += int(run.argmin())
            break
        missing += high
    if missing and name == "JPEG":  # the last row of blocks ends somewhere within
        missing += _UNIT - missing % _UNIT if missing % _UNIT else _UNIT
    return min(missing, rgb.height)


def deinterlaced(rgb: Image.Image) -> tuple[Image.Image, int]:
    """An interlaced GIF that ends early, each missing row filled with the one above, and how many rows are missing:
    none where the first pass is whole, for then the picture is there, less sharp.
    """
    order = [row for first, step in _PASSES for row in range(first, rgb.height, step)]
    pixels = np.asarray(rgb)
    missing = missing_rows(Image.fromarray(pixels[order]), "GIF", None)
    there = np.zeros(rgb.height, np.bool_)
    there[order[: rgb.height - missing]] = True
    first_pass = len(range(0, rgb.height, _PASSES[0][1]))
    if not there[0]:
        return rgb, rgb.height
    above = np.maximum.accumulate(np.where(there, np.arange(rgb.height), 0))
    below = first_pass - (rgb.height - missing)
    return Image.fromarray(pixels[above]), max(0, below) * _PASSES[0][1]


def mended(converted: Converted, missing: int, name: str) -> Converted:
    """The picture to judge: the existing part, or all of it if little is missing.

    Raises:
        ImageRejectedError: `truncated`, hardly anything is there.
    """
    rgb, alpha = converted.rgb, converted.alpha
    there = rgb.height - missing
    if there < max(MIN_SIDE, LEAST_SHARE * rgb.height):
        raise ImageRejectedError(
            "truncated", f"the file ends early: {there / rgb.height:.0%} of the picture is there; fetch it again"
        )
    if missing == 0:
        return converted
    top = missing if name == "BMP" else 0
    part = rgb.crop((0, top, rgb.width, top + there))
    if missing / rgb.height > MENDED:
        return Converted(part, converted.notes, None if alpha is None else alpha.crop((0, top, rgb.width, top + there)))
    whole = Image.new("RGB", rgb.size)
    edge = part.crop((0, 0, rgb.width, 1)) if top else part.crop((0, there - 1, rgb.width, there))
    whole.paste(part, (0, top))
    whole.paste(edge.resize((rgb.width, missing)), (0, 0 if top else there))
    return Converted(whole, converted.notes, alpha)


def note(missing: float) -> str:
    """The note on a picture whose file ends early; `missing` is the share of missing rows."""
    if missing == 0:
        return "the file ends early, with its picture complete or nearly so"
    if missing <= MENDED:
        return f"the file ends early: {missing:.1%} of the picture is missing, and was filled with its last row"
    return f"the file ends early: {missing:.0%} of the picture is missing, and the part that is there was judged"
