"""Altered copies of a picture, as re-sharing makes them: for the demo, for benchmarks and for evaluation."""

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from indexer.errors import NotFoundError

_CAPTIONS = (
    "You won't believe what they found",
    "BREAKING: share before it is deleted",
    "Nobody is talking about this photo",
    "Seen this morning near the station",
    "They do not want you to see this",
    "Real or not? You decide",
)
_ACCOUNTS = ("daily.signal", "the_truth_now", "streetview77", "newsflash", "m.keller", "photo.of.the.day")
_INK, _GREY, _LINE, _ACCENT = "#14171a", "#65727c", "#d8dee3", "#e0245e"


@dataclass(frozen=True, slots=True)
class Alteration:
    """One way to alter a picture. `change` takes the picture and a seeded generator; `quality` is of the JPEG made."""

    name: str
    summary: str
    change: Callable[[Image.Image, random.Random], Image.Image]
    quality: int = 90


def apply(name: str, rgb: Image.Image, seed: int = 0) -> bytes:
    """A JPEG file of the altered picture; the same name, picture (mode RGB) and seed give the same bytes.

    Raises:
        NotFoundError: there is no alteration of this name.
    """
    alteration = ALTERATIONS.get(name)
    if alteration is None:
        raise NotFoundError(f"there is no alteration {name!r}; there are: {', '.join(ALTERATIONS)}")
    altered = alteration.change(rgb.convert("RGB"), random.Random(f"{name}:{seed}"))
    buffer = io.BytesIO()
    altered.save(buffer, "JPEG", quality=alteration.quality)
    return buffer.getvalue()


def _unchanged(rgb: Image.Image, _: random.Random) -> Image.Image:
    return rgb


def _downscale(rgb: Image.Image, _: random.Random) -> Image.Image:
    size = max(1, round(rgb.width * 0.6)), max(1, round(rgb.height * 0.6))
    return rgb.resize(size, Image.Resampling.LANCZOS)


def _crop(fraction: float) -> Callable[[Image.Image, random.Random], Image.Image]:
    """Cuts off `fraction` of the width and of the height, split at random between both sides."""

    def change(rgb: Image.Image, chance: random.Random) -> Image.Image:
        wide, high = round(rgb.width * fraction), round(rgb.height * fraction)
        left, top = chance.randint(0, wide), chance.randint(0, high)
        return rgb.crop((left, top, rgb.width - wide + left, rgb.height - high + top))

    return change


def _mirror(rgb: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.mirror(rgb)


def _caption_bar(rgb: Image.Image, chance: random.Random) -> Image.Image:
    """A white bar with a line of text above the picture, as meme makers add it."""
    bar = max(12, round(rgb.height * 0.14))
    canvas = Image.new("RGB", (rgb.width, rgb.height + bar), "white")
    canvas.paste(rgb, (0, bar))
    draw = ImageDraw.Draw(canvas)
    text = chance.choice(_CAPTIONS)
    font = _font_that_fits(draw, text, rgb.width * 0.92, bar * 0.5)
    draw.text((rgb.width / 2, bar / 2), text, fill=_INK, font=font, anchor="mm")
    return canvas


def _screenshot_border(rgb: Image.Image, chance: random.Random) -> Image.Image:
    """A phone screenshot of a post: status bar, account line, the picture, buttons and a like count."""
    unit = max(6, round(rgb.width * 0.035))
    margin, top, bottom = unit // 2, round(unit * 4.5), unit * 3
    canvas = Image.new("RGB", (rgb.width + 2 * margin, rgb.height + top + bottom), "white")
    canvas.paste(rgb, (margin, top))
    draw = ImageDraw.Draw(canvas)
    small, normal = ImageFont.load_default(unit * 0.9), ImageFont.load_default(unit * 1.1)
    width = canvas.width
    clock = f"{chance.randint(6, 23)}:{chance.randint(0, 59):02d}"
    draw.text((unit, unit * 0.9), clock, fill=_INK, font=small, anchor="lm")
    charge = chance.uniform(0.2, 1.0)
    draw.rectangle((width - 2.6 * unit, unit * 0.5, width - unit, unit * 1.2), outline=_INK)
    draw.rectangle((width - 2.6 * unit, unit * 0.5, width - (2.6 - 1.6 * charge) * unit, unit * 1.2), fill=_INK)
    draw.line((0, unit * 1.7, width, unit * 1.7), fill=_LINE)
    shade = tuple(chance.randint(60, 220) for _ in range(3))
    draw.ellipse((unit, unit * 2, unit * 3, unit * 4), fill=shade)
    draw.text((unit * 3.5, unit * 2.6), chance.choice(_ACCOUNTS), fill=_INK, font=normal, anchor="lm")
    draw.text((unit * 3.5, unit * 3.7), f"{chance.randint(1, 23)} h", fill=_GREY, font=small, anchor="lm")
    row = canvas.height - bottom / 2
    draw.ellipse((unit, row - unit * 0.6, unit * 2.2, row + unit * 0.6), fill=_ACCENT)
    draw.rounded_rectangle((unit * 3, row - unit * 0.6, unit * 4.4, row + unit * 0.5), radius=unit * 0.4, outline=_INK)
    likes = f"{chance.randint(1, 99)},{chance.randint(0, 999):03d} likes"
    draw.text((width - unit, row), likes, fill=_GREY, font=small, anchor="rm")
    return canvas


def _colour_shift(rgb: Image.Image, chance: random.Random) -> Image.Image:
    """A photo app's filter: warmer or cooler, more or less saturated, brighter or darker, all moderately."""
    warmth = chance.choice((-1, 1)) * chance.uniform(0.06, 0.12)
    red, green, blue = rgb.split()
    warmed = Image.merge(
        "RGB",
        (red.point(lambda value: value * (1 + warmth)), green, blue.point(lambda value: value * (1 - warmth))),
    )
    saturated = ImageEnhance.Color(warmed).enhance(chance.choice((0.75, 1.3)))
    return ImageEnhance.Brightness(saturated).enhance(chance.uniform(0.9, 1.12))


def _font_that_fits(
    draw: ImageDraw.ImageDraw, text: str, width: float, height: float
) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The built-in font, as large as `height` allows and narrow enough for `width` pixels."""
    size = max(4.0, height)
    length = draw.textlength(text, font=ImageFont.load_default(size))
    return ImageFont.load_default(max(4.0, size * min(1.0, width / length)))


ALTERATIONS: Mapping[str, Alteration] = MappingProxyType(
    {
        alteration.name: alteration
        for alteration in (
            Alteration("jpeg50", "saved again as JPEG of quality 50", _unchanged, quality=50),
            Alteration("downscale60", "scaled down to 60 %", _downscale),
            Alteration("crop5", "5 % of the width and height cut away", _crop(0.05)),
            Alteration("crop10", "10 % of the width and height cut away", _crop(0.10)),
            Alteration("mirror", "mirrored left to right", _mirror),
            Alteration("caption_bar", "a white bar with text above", _caption_bar),
            Alteration("screenshot_border", "a phone screenshot of a post", _screenshot_border),
            Alteration("colour_shift", "colours shifted by a photo filter", _colour_shift),
        )
    }
)
"""All alterations by name."""
