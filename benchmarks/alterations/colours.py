"""Colours: filters, greyscale, brightness."""

import random

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.alterations.kinds import Alteration, Family, Others, Strength


def _greyscale(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    grey = ImageEnhance.Color(rgb).enhance((0.3, 0.0, 0.0)[strength])
    return ImageEnhance.Contrast(grey).enhance(1.6) if strength is Strength.STRONG else grey


def _filter(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """A photo app's: warmer or cooler, more or less saturated."""
    by = (0.08, 0.16, 0.3)[strength] * chance.choice((-1, 1))
    values = np.asarray(rgb, np.float32) * np.array([1 + by, 1, 1 - by], np.float32)
    warmed = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    return ImageEnhance.Color(warmed).enhance(chance.choice(((0.8, 1.3), (0.6, 1.6), (0.4, 2.2))[strength]))


def _brightness(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return ImageEnhance.Brightness(rgb).enhance(chance.choice(((0.75, 1.25), (0.5, 1.5), (0.3, 2.0))[strength]))


def _contrast(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return ImageEnhance.Contrast(rgb).enhance(chance.choice(((0.75, 1.3), (0.5, 1.7), (0.3, 2.5))[strength]))


def _hue(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    hue, saturation, value = rgb.convert("HSV").split()
    by = (15, 45, 110)[strength] * chance.choice((-1, 1))
    return Image.merge("HSV", (hue.point(lambda one: (one + by) % 256), saturation, value)).convert("RGB")


def _toned(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Sepia, or two colours from dark to light."""
    pairs = (("#2b1a0b", "#f3e3c3"), ("#0b1f4b", "#ffd27f"), ("#3b0a45", "#7fffd4"))
    toned = ImageOps.colorize(ImageOps.grayscale(rgb), *pairs[strength])
    return Image.blend(rgb, toned, (0.6, 1.0, 1.0)[strength])


def _posterised(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return ImageOps.posterize(rgb, (4, 3, 2)[strength])


def _negative(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    """Solarised from a level on, at last the negative."""
    return ImageOps.solarize(rgb, (200, 140, 0)[strength])


def _equalised(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return Image.blend(rgb, ImageOps.equalize(rgb), (0.4, 0.7, 1.0)[strength])


ALTERATIONS = (
    Alteration("greyscale", Family.COLOUR, "a third of the colour, none, or none and more contrast", _greyscale),
    Alteration("filter", Family.COLOUR, "warmer or cooler by 8, 16 or 30 %, and the saturation", _filter),
    Alteration("brightness", Family.COLOUR, "brighter or darker, down to 75, 50 or 30 %", _brightness),
    Alteration("contrast", Family.COLOUR, "more or less contrast, down to 75, 50 or 30 %", _contrast),
    Alteration("hue", Family.COLOUR, "the hue turned by 21, 64 or 155°", _hue),
    Alteration("toned", Family.COLOUR, "sepia or two-tone", _toned),
    Alteration("posterised", Family.COLOUR, "4, 3 or 2 bits a channel", _posterised),
    Alteration("negative", Family.COLOUR, "solarised above 200 or 140, or the negative", _negative),
    Alteration("equalised", Family.COLOUR, "tones equalised by 40, 70 or 100 %", _equalised),
)
