"""Quality: compression, thumbnails, blur, noise, screens photographed."""

import io
import random

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.alterations.kinds import Alteration, Family, Others, Strength


def _unchanged(rgb: Image.Image, _: random.Random, __: Strength, ___: Others) -> Image.Image:
    return rgb


def _shared_often(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Saved again and again, each time scaled a little."""
    for _round in range((3, 6, 12)[strength]):
        by = chance.uniform(0.88, 1.05)
        rgb = rgb.resize((max(16, round(rgb.width * by)), max(16, round(rgb.height * by))))
        written = io.BytesIO()
        rgb.save(written, chance.choice(("JPEG", "WEBP")), quality=chance.randint(45, 75))
        rgb = Image.open(written).convert("RGB")
    return rgb


def _thumbnail(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    small = rgb.copy()
    small.thumbnail(((160, 160), (96, 96), (64, 64))[strength])
    return small


def _blurred(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return rgb.filter(ImageFilter.GaussianBlur(min(rgb.size) * (0.005, 0.012, 0.025)[strength]))


def _shaken(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Blurred along a line, as by a moving hand."""
    length = max(2, round(min(rgb.size) * (0.01, 0.025, 0.05)[strength]))
    angle = chance.uniform(0, 3.14)
    total = np.zeros((rgb.height, rgb.width, 3), np.float32)
    values = np.asarray(rgb, np.float32)
    for step in range(length):
        along = step - length / 2
        shift = round(along * float(np.sin(angle))), round(along * float(np.cos(angle)))
        total += np.roll(values, shift, (0, 1))
    return Image.fromarray((total / length).astype(np.uint8))


def _noise(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    rng = np.random.default_rng(chance.randrange(2**32))
    noise = rng.normal(0, (10, 25, 50)[strength], (rgb.height, rgb.width, 3))
    return Image.fromarray((np.asarray(rgb, np.float32) + noise).clip(0, 255).astype(np.uint8))


def _pixelated(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    cells = (128, 64, 40)[strength]
    by = min(1.0, cells / max(rgb.size))
    small = rgb.resize((max(1, round(rgb.width * by)), max(1, round(rgb.height * by))), Image.Resampling.BOX)
    return small.resize(rgb.size, Image.Resampling.NEAREST)


def moire(rgb: Image.Image, chance: random.Random, depth: float) -> Image.Image:
    """The bands that a camera sees on a screen: two slow waves and the rows of the screen, 0 to `depth`."""
    y, x = np.mgrid[0 : rgb.height, 0 : rgb.width].astype(np.float32)
    bands = np.zeros((rgb.height, rgb.width, 3), np.float32)
    for channel in range(3):
        for _wave in range(2):
            angle, period = chance.uniform(0, 3.14), chance.uniform(4, 18)
            phase = chance.uniform(0, 6.28)
            bands[..., channel] += np.sin((x * np.cos(angle) + y * np.sin(angle)) * 6.28 / period + phase)
    bands += (np.sin(y * 6.28 / 3) * 0.7)[..., None]
    return Image.fromarray((np.asarray(rgb, np.float32) * (1 + depth * bands)).clip(0, 255).astype(np.uint8))


def _screen(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return moire(rgb, chance, (0.06, 0.12, 0.2)[strength])


def _palette(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return rgb.quantize((64, 16, 8)[strength], dither=Image.Dither.FLOYDSTEINBERG).convert("RGB")


def _sharpened(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return rgb.filter(ImageFilter.UnsharpMask(3, (150, 300, 600)[strength], 0))


ALTERATIONS = (
    Alteration("jpeg", Family.QUALITY, "JPEG of quality 40, 20 or 8", _unchanged, (40, 20, 8)),
    Alteration("shared_often", Family.QUALITY, "scaled and saved 3, 6 or 12 times", _shared_often, (70, 60, 50)),
    Alteration("thumbnail", Family.QUALITY, "scaled to 160, 96 or 64 pixels", _thumbnail),
    Alteration("blurred", Family.QUALITY, "blurred by 0.5, 1.2 or 2.5 % of the shorter side", _blurred),
    Alteration("shaken", Family.QUALITY, "blurred along a line of 1, 2.5 or 5 %", _shaken),
    Alteration("noise", Family.QUALITY, "noise of 10, 25 or 50 levels", _noise),
    Alteration("pixelated", Family.QUALITY, "squares, 128, 64 or 40 along the longer side", _pixelated),
    Alteration("screen", Family.QUALITY, "the bands of a photographed screen", _screen),
    Alteration("palette", Family.QUALITY, "64, 16 or 8 colours, dithered", _palette),
    Alteration("sharpened", Family.QUALITY, "sharpened by 150, 300 or 600 %", _sharpened),
)
