"""What alterations draw and paste: text, emoji, posts' frames, pictures that belong to nobody."""

import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

SENTENCES = (
    "You won't believe what they found",
    "BREAKING: share before it is deleted",
    "when the meeting could have been an email",
    "Nobody is talking about this photo",
    "POV: it is monday again",
    "me explaining it to my mum",
    "Seen this morning near the station",
    "they told us it was impossible",
)
NAMES = ("daily.signal", "the_truth_now", "streetview77", "newsflash", "m.keller", "photo.of.the.day")
BRIGHT = ("#ffcc33", "#ff5252", "#42a5f5", "#66bb6a", "#ab47bc", "#ff8a65", "#111111", "#ffffff")


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The built-in font of this height in pixels."""
    return ImageFont.load_default(max(6.0, size))


def fitting(draw: ImageDraw.ImageDraw, text: str, width: float, height: float) -> float:
    """The largest font size, up to `height`, at which the text is at most `width` pixels wide."""
    return max(6.0, min(height, height * width / max(1.0, draw.textlength(text, font=font(height)))))


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float, fill: str, edge: str) -> None:
    """Writes a line centred at a point, with an outline."""
    draw.text(
        at, text, fill=fill, font=font(size), anchor="mm", stroke_width=max(1, round(size / 14)), stroke_fill=edge
    )


def emoji(side: int, chance: random.Random) -> Image.Image:
    """A drawn face, heart or star [side, side] on a transparent ground."""
    big = Image.new("RGBA", (200, 200))
    draw = ImageDraw.Draw(big)
    kind = chance.randrange(4)
    if kind == 0:
        points = [(100 + (95 if k % 2 == 0 else 40) * np.sin(k * np.pi / 5), 100 - (95 if k % 2 == 0 else 40)
                   * np.cos(k * np.pi / 5)) for k in range(10)]  # fmt: skip
        draw.polygon(points, fill="#ffc107", outline="#b28704")
    elif kind == 1:
        draw.ellipse((10, 20, 105, 115), fill="#e53935")
        draw.ellipse((95, 20, 190, 115), fill="#e53935")
        draw.polygon([(17, 90), (183, 90), (100, 190)], fill="#e53935")
    else:
        draw.ellipse((4, 4, 196, 196), fill="#ffd93b", outline="#c99700", width=5)
        draw.ellipse((55, 60, 80, 95), fill="#5d4037")
        draw.ellipse((120, 60, 145, 95), fill="#5d4037")
        if kind == 2:
            draw.chord((45, 80, 155, 170), 0, 180, fill="#6d2f1c")
        else:
            draw.ellipse((75, 115, 125, 165), fill="#6d2f1c")
    return big.rotate(chance.uniform(-20, 20), Image.Resampling.BICUBIC).resize((side, side))


def solid_or_shaded(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A ground of one colour, or of two that blend."""
    first, second = (tuple(chance.randrange(256) for _ in range(3)) for _ in range(2))
    if chance.random() < 0.5:
        return Image.new("RGB", size, first)
    ramp = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize(size)
    return ImageOps.colorize(ramp, first, second)


def nobodys(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    """A picture of blurry shapes and texture that was never seen before: the ground where no others are given."""
    rng = np.random.default_rng(chance.randrange(2**32))
    ground = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(ground)
    for _ in range(12):
        x, y = chance.uniform(0, size[0]), chance.uniform(0, size[1])
        r = chance.uniform(0.03, 0.2) * min(size)
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=tuple(chance.randrange(256) for _ in range(3)))
    noise = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))
    return Image.blend(ground, noise, 0.08)


class Gallery:
    """Gives pictures of a list, cut to the size that is wanted; without any, made-up ones."""

    def __init__(self, pictures: Sequence[Image.Image] = ()) -> None:
        self._pictures = tuple(pictures)

    def __call__(self, chance: random.Random, size: tuple[int, int]) -> Image.Image:
        """A picture of this size."""
        if not self._pictures:
            return nobodys(chance, size)
        return ImageOps.fit(chance.choice(self._pictures).convert("RGB"), size)


def post(rgb: Image.Image, chance: random.Random, *, dark: bool, side: float, lines: int) -> Image.Image:
    """The picture inside a phone's screenshot of a post: status bar, account, `lines` of text, buttons.

    Args:
        rgb: the picture.
        chance: what the names, numbers and sentences are drawn from.
        dark: light letters on black.
        side: the margin left and right, a share of the picture's width.
        lines: how many lines of text stand above it; as much again in replies below.
    """
    back, ink, faint = ("#15181c", "#e7e9ea", "#71767b") if dark else ("#ffffff", "#14171a", "#8a949e")
    unit = max(8, round(rgb.width * 0.04))
    margin = round(rgb.width * side)
    top, bottom = round(unit * (5 + 1.5 * lines)), round(unit * (3 + 3 * lines))
    canvas = Image.new("RGB", (rgb.width + 2 * margin, rgb.height + top + bottom), back)
    canvas.paste(rgb, (margin, top))
    draw, width = ImageDraw.Draw(canvas), canvas.width
    draw.text((unit, unit * 0.8), f"{chance.randint(6, 23)}:{chance.randint(0, 59):02d}", ink, font(unit), "lm")
    draw.rectangle((width - 2.6 * unit, unit * 0.5, width - unit, unit * 1.2), outline=ink)
    draw.ellipse((unit, unit * 2, unit * 3.2, unit * 4.2), fill=tuple(chance.randint(40, 220) for _ in range(3)))
    draw.text((unit * 4, unit * 2.6), chance.choice(NAMES), ink, font(unit * 1.1), "lm")
    draw.text((unit * 4, unit * 3.8), f"{chance.randint(1, 23)} h", faint, font(unit * 0.9), "lm")
    for line in range(lines):
        draw.text((unit, unit * (5.2 + 1.5 * line)), chance.choice(SENTENCES), ink, font(unit), "lm")
    row = canvas.height - bottom + 1.5 * unit
    draw.ellipse((unit, row - unit * 0.6, unit * 2.2, row + unit * 0.6), fill="#e0245e")
    draw.rounded_rectangle((unit * 3, row - unit * 0.6, unit * 4.4, row + unit * 0.5), radius=unit * 0.4, outline=ink)
    likes = f"{chance.randint(1, 99)},{chance.randint(0, 999):03d} likes"
    draw.text((width - unit, row), likes, faint, font(unit * 0.9), "rm")
    for line in range(lines):
        at = row + unit * (2.5 + 3 * line)
        draw.ellipse(
            (unit, at - unit * 0.8, unit * 2.6, at + unit * 0.8), fill=tuple(chance.randint(40, 220) for _ in range(3))
        )
        draw.text((unit * 3.2, at), chance.choice(SENTENCES), ink, font(unit * 0.9), "lm")
    return canvas
