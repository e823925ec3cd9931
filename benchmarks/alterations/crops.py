"""Crops: a part of the picture is kept."""

import random

from PIL import Image

from benchmarks.alterations.kinds import Alteration, Family, Others, Strength

_KEPT = (0.8, 0.65, 0.5)
"""Of each side."""


def _part(rgb: Image.Image, wide: float, high: float, left: float, top: float) -> Image.Image:
    width, height = max(1, round(rgb.width * wide)), max(1, round(rgb.height * high))
    x, y = round((rgb.width - width) * left), round((rgb.height - height) * top)
    return rgb.crop((x, y, x + width, y + height))


def _centre(rgb: Image.Image, _: random.Random, strength: Strength, __: Others) -> Image.Image:
    return _part(rgb, _KEPT[strength], _KEPT[strength], 0.5, 0.5)


def _corner(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return _part(rgb, _KEPT[strength], _KEPT[strength], chance.choice((0, 1)), chance.choice((0, 1)))


def _anywhere(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    area = (0.6, 0.4, 0.25)[strength]
    wide = min(1.0, area**0.5 * chance.uniform(0.8, 1.25))
    return _part(rgb, wide, min(1.0, area / wide), chance.random(), chance.random())


def _one_side(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    kept = (0.75, 0.6, 0.45)[strength]
    upright = chance.random() < 0.5
    return _part(rgb, 1.0 if upright else kept, kept if upright else 1.0, chance.choice((0, 1)), chance.choice((0, 1)))


ALTERATIONS = (
    Alteration("crop_centre", Family.CROP, "the middle 80, 65 or 50 % of both sides", _centre),
    Alteration("crop_corner", Family.CROP, "80, 65 or 50 % of both sides, from a corner", _corner),
    Alteration("crop_anywhere", Family.CROP, "60, 40 or 25 % of the area, of another shape", _anywhere),
    Alteration("crop_one_side", Family.CROP, "25, 40 or 55 % cut from one side", _one_side),
)
