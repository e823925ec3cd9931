"""Frames: the whole picture with something around it."""

import random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from benchmarks.alterations.drawing import BRIGHT, NAMES, SENTENCES, font, post
from benchmarks.alterations.kinds import Alteration, Family, Others, Strength


def _border(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return ImageOps.expand(rgb, round(min(rgb.size) * (0.05, 0.12, 0.25)[strength]), chance.choice(BRIGHT))


def _padded(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    shape = (1.0, 9 / 16, 16 / 9)[strength]
    width = max(rgb.width, round(rgb.height * shape))
    canvas = Image.new("RGB", (width, max(rgb.height, round(width / shape))), chance.choice(("black", "white", "#777")))
    canvas.paste(rgb, ((canvas.width - rgb.width) // 2, (canvas.height - rgb.height) // 2))
    return canvas


def _blurred_sides(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    shape = (1.3, 1.8, 2.4)[strength]
    size = (round(rgb.width * shape), rgb.height) if rgb.height > rgb.width else (rgb.width, round(rgb.height * shape))
    behind = ImageOps.fit(rgb, size).filter(ImageFilter.GaussianBlur(max(size) / 40))
    behind = ImageEnhance.Brightness(behind).enhance(0.7)
    behind.paste(rgb, ((size[0] - rgb.width) // 2, (size[1] - rgb.height) // 2))
    return behind


def _post_light(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return post(rgb, chance, dark=False, side=(0.0, 0.03, 0.05)[strength], lines=(0, 2, 5)[strength])


def _post_dark(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return post(rgb, chance, dark=True, side=(0.0, 0.03, 0.05)[strength], lines=(0, 2, 5)[strength])


def _browser(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """A web page in a window: address bar, headline, the picture in the left column, grey text beside and below."""
    share = (0.85, 0.65, 0.5)[strength]
    width = round(rgb.width / share)
    unit = max(8, width // 40)
    canvas = Image.new("RGB", (width, round(rgb.height + unit * (10 + 4 * strength))), "white")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, width, unit * 3), fill="#dee1e6")
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        draw.ellipse((unit * (1 + number), unit, unit * (1.7 + number), unit * 1.7), fill=colour)
    draw.rounded_rectangle((unit * 5, unit * 0.7, width - unit * 2, unit * 2.3), radius=unit * 0.8, fill="white")
    draw.text((unit * 6, unit * 1.5), f"https://{chance.choice(NAMES)}/article", "#555", font(unit), "lm")
    draw.text((unit, unit * 4.6), chance.choice(SENTENCES), "#111", font(unit * 1.8), "lm")
    canvas.paste(rgb, (unit, round(unit * 6.5)))
    for row in range(round(canvas.height / unit / 1.4)):
        end = width - unit - chance.randrange(unit * 3)
        top = unit * (6.5 + 1.4 * row)
        left = rgb.width + 2 * unit if top < rgb.height + unit * 7.5 else unit
        if end > left:
            draw.rectangle((left, top, end, top + unit * 0.6), fill="#c4c8cc")
    return canvas


def _polaroid(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    edge = round(min(rgb.size) * 0.06)
    card = ImageOps.expand(rgb, (edge, edge, edge, edge * 4), "#f7f5ee")
    ImageDraw.Draw(card).text(
        (card.width / 2, card.height - edge * 2), chance.choice(SENTENCES)[:24], "#333", font(edge * 1.5), "mm"
    )
    turned = (0, 4, 9)[strength] * chance.choice((-1, 1))
    return card.rotate(turned, Image.Resampling.BICUBIC, expand=True, fillcolor="#7a5c43")


ALTERATIONS = (
    Alteration("border", Family.FRAME, "a coloured border of 5, 12 or 25 % of the shorter side", _border),
    Alteration("padded", Family.FRAME, "padded to a square, to 9:16 or to 16:9", _padded),
    Alteration("blurred_sides", Family.FRAME, "padded with a blurred copy of itself", _blurred_sides),
    Alteration(
        "post_light", Family.FRAME, "a phone's screenshot of a post, with 0, 2 or 5 lines and replies", _post_light
    ),
    Alteration("post_dark", Family.FRAME, "the same in dark colours", _post_dark),
    Alteration("browser", Family.FRAME, "in a web page that is 1.2, 1.5 or 2 times as wide", _browser),
    Alteration("polaroid", Family.FRAME, "on a card with a line of text, turned by 0, 4 or 9°", _polaroid),
)
