"""Overlays: something stands over the picture."""

import random

from PIL import Image, ImageDraw

from benchmarks.alterations.drawing import BRIGHT, NAMES, SENTENCES, emoji, fitting, font, write
from benchmarks.alterations.kinds import Alteration, Family, Others, Strength


def _caption(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    made, high = rgb.copy(), rgb.height * (0.05, 0.09, 0.13)[strength]
    draw = ImageDraw.Draw(made)
    for line in range((1, 2, 4)[strength]):
        text = chance.choice(SENTENCES)
        at = rgb.width / 2, rgb.height * chance.uniform(0.1, 0.9) if line else rgb.height * 0.85
        write(draw, at, text, fitting(draw, text, rgb.width * 0.95, high), chance.choice(BRIGHT), "black")
    return made


def _meme(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """A white bar above, at higher strengths capitals over the picture too."""
    bar = round(rgb.height * (0.12, 0.2, 0.35)[strength])
    made = Image.new("RGB", (rgb.width, rgb.height + bar), "white")
    made.paste(rgb, (0, bar))
    draw = ImageDraw.Draw(made)
    for row in range(1 + strength):
        text = chance.choice(SENTENCES)
        at = rgb.width / 2, bar * (row + 0.5) / (1 + strength)
        draw.text(at, text, "black", font(fitting(draw, text, rgb.width * 0.95, bar * 0.5)), "mm")
    for height in ((), (0.9,), (0.1, 0.9))[strength]:
        text = chance.choice(SENTENCES).upper()
        size = fitting(draw, text, rgb.width * 0.95, rgb.height * 0.11)
        write(draw, (rgb.width / 2, bar + rgb.height * height), text, size, "white", "black")
    return made


def _emoji(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    made = rgb.copy()
    for _number in range((1, 3, 7)[strength]):
        side = max(8, round(min(rgb.size) * chance.uniform(0.15, 0.3)))
        face = emoji(side, chance)
        made.paste(face, (chance.randint(0, rgb.width - side), chance.randint(0, rgb.height - side)), face)
    return made


def _sticker(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """Part of another picture, in a white edge, over 10, 20 or 35 % of the area."""
    share = (0.1, 0.2, 0.35)[strength] ** 0.5
    size = max(8, round(rgb.width * share)), max(8, round(rgb.height * share))
    made, patch = rgb.copy(), others(chance, size)
    ImageDraw.Draw(patch).rectangle((0, 0, size[0] - 1, size[1] - 1), outline="white", width=max(1, size[0] // 40))
    made.paste(patch, (chance.randint(0, rgb.width - size[0]), chance.randint(0, rgb.height - size[1])))
    return made


def _stripes(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    made = rgb.copy()
    draw, period = ImageDraw.Draw(made), max(6, round(max(rgb.size) / chance.randint(8, 14)))
    wide, slant = round(period * (0.15, 0.3, 0.5)[strength]), chance.choice((-1, 0, 1)) * rgb.height
    colour = chance.choice(BRIGHT)
    for left in range(-abs(slant), rgb.width + abs(slant), period):
        draw.line((left, 0, left + slant, rgb.height), fill=colour, width=max(1, wide))
    return made


def _watermark(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    layer = Image.new("RGBA", (rgb.width * 2, rgb.height * 2))
    draw, text = ImageDraw.Draw(layer), chance.choice(NAMES)
    size = max(8.0, rgb.width / 14)
    step = round(size * (5, 3, 2)[strength])
    alpha = (70, 110, 170)[strength]
    for y in range(0, layer.height, step):
        for x in range(0, layer.width, round(size * 6)):
            draw.text((x + (y // step % 2) * size * 3, y), text, (255, 255, 255, alpha), font(size))
    turned = layer.rotate(30)
    left, top = rgb.width // 2, rgb.height // 2
    over = turned.crop((left, top, left + rgb.width, top + rgb.height))
    return Image.alpha_composite(rgb.convert("RGBA"), over).convert("RGB")


def _bars(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Black bars, as over eyes and names."""
    made = rgb.copy()
    draw = ImageDraw.Draw(made)
    for _number in range((1, 3, 6)[strength]):
        wide, high = rgb.width * chance.uniform(0.25, 0.6), rgb.height * chance.uniform(0.05, 0.1)
        x, y = chance.uniform(0, rgb.width - wide), chance.uniform(0, rgb.height - high)
        draw.rectangle((x, y, x + wide, y + high), fill="black")
    return made


def _news(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """A channel's lower third, logo and ticker over the picture."""
    made, high = rgb.copy(), rgb.height * (0.12, 0.2, 0.3)[strength]
    draw, top = ImageDraw.Draw(made), rgb.height - high
    draw.rectangle((0, top, rgb.width, rgb.height), fill="#b71c1c")
    draw.rectangle((0, rgb.height - high * 0.3, rgb.width, rgb.height), fill="#0d47a1")
    text = chance.choice(SENTENCES).upper()
    draw.text((rgb.width * 0.02, top + high * 0.35), text, "white",
              font(fitting(draw, text, rgb.width * 0.95, high * 0.45)), "lm")  # fmt: skip
    draw.text((rgb.width * 0.02, rgb.height - high * 0.15), chance.choice(SENTENCES), "white", font(high * 0.2), "lm")
    side = rgb.width * 0.12
    draw.ellipse((rgb.width - side * 1.2, side * 0.2, rgb.width - side * 0.2, side * 1.2), fill="#0d47a1")
    draw.text((rgb.width - side * 0.7, side * 0.7), "N24", "white", font(side * 0.4), "mm")
    return made


def _scribble(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Red circles, arrows and lines drawn by hand."""
    made = rgb.copy()
    draw, wide = ImageDraw.Draw(made), max(2, round(min(rgb.size) / 50))
    for _number in range((1, 3, 7)[strength]):
        x, y = chance.uniform(0.2, 0.8) * rgb.width, chance.uniform(0.2, 0.8) * rgb.height
        r = chance.uniform(0.08, 0.2) * min(rgb.size)
        draw.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), outline="#e53935", width=wide)
        end = chance.uniform(0, rgb.width), chance.uniform(0, rgb.height)
        draw.line((x + r, y, *end), fill="#e53935", width=wide)
    return made


ALTERATIONS = (
    Alteration("caption", Family.OVERLAY, "1, 2 or 4 lines of text over the picture", _caption),
    Alteration("meme", Family.OVERLAY, "a bar with 1, 2 or 3 lines above, and capitals over the picture", _meme),
    Alteration("emoji", Family.OVERLAY, "1, 3 or 7 emoji", _emoji),
    Alteration("sticker", Family.OVERLAY, "another picture over 10, 20 or 35 % of it", _sticker),
    Alteration("stripes", Family.OVERLAY, "stripes over 15, 30 or 50 %", _stripes),
    Alteration("watermark", Family.OVERLAY, "a name all over it, at three densities", _watermark),
    Alteration("bars", Family.OVERLAY, "1, 3 or 6 black bars", _bars),
    Alteration("news", Family.OVERLAY, "a news channel's lower third of 12, 20 or 30 %, and its logo", _news),
    Alteration("scribble", Family.OVERLAY, "1, 3 or 7 circles and lines drawn in red", _scribble),
)
