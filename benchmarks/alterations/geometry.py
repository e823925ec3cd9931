"""Geometry: the picture is turned, mirrored, squeezed or seen from aside."""

import math
import random

import numpy as np
from PIL import Image, ImageOps

from benchmarks.alterations.kinds import Alteration, Family, Others, Strength

Corner = tuple[float, float]


def seen_from_aside(rgb: Image.Image, chance: random.Random, by: float, ground: Image.Image | str) -> Image.Image:
    """Moves each corner inwards by up to `by` of the side it lies on; `ground` fills the rest."""
    width, height = rgb.size
    shift = [(chance.uniform(0, by) * width, chance.uniform(0, by) * height) for _ in range(4)]
    corners: list[Corner] = [(0, 0), (width, 0), (width, height), (0, height)]
    moved = [(abs(x - dx), abs(y - dy)) for (x, y), (dx, dy) in zip(corners, shift, strict=True)]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    back = tuple(np.linalg.solve(np.array(rows), np.array(wanted)).tolist())
    turned = rgb.transform(rgb.size, Image.Transform.PERSPECTIVE, back, Image.Resampling.BICUBIC)
    inside = Image.new("L", rgb.size, 255).transform(rgb.size, Image.Transform.PERSPECTIVE, back)
    behind = Image.new("RGB", rgb.size, ground) if isinstance(ground, str) else ground
    return Image.composite(turned, behind, inside)


def _rotated(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    angle = (5, 15, 40)[strength] * chance.choice((-1, 1))
    return rgb.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=chance.choice(("black", "white")))


def _rotated_and_cut(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    """Turned, and the largest rectangle of the same shape that has no corner outside."""
    angle = (4, 10, 20)[strength] * chance.choice((-1, 1))
    turned = rgb.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    s, c = abs(math.sin(math.radians(angle))), math.cos(math.radians(angle))
    scale = min(rgb.width / (rgb.width * c + rgb.height * s), rgb.height / (rgb.width * s + rgb.height * c))
    width, height = round(rgb.width * scale), round(rgb.height * scale)
    left, top = (turned.width - width) // 2, (turned.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


def _quarter(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    way = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.TRANSPOSE)[strength]
    return rgb.transpose(way)


def _cut(rgb: Image.Image, chance: random.Random, kept: float) -> Image.Image:
    width, height = round(rgb.width * kept), round(rgb.height * kept)
    left, top = chance.randint(0, rgb.width - width), chance.randint(0, rgb.height - height)
    return rgb.crop((left, top, left + width, top + height))


def _mirrored(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return _cut(ImageOps.mirror(rgb), chance, (1.0, 0.85, 0.7)[strength])


def _upside_down(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return _cut(ImageOps.flip(rgb), chance, (1.0, 0.85, 0.7)[strength])


def _perspective(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    return seen_from_aside(rgb, chance, (0.08, 0.16, 0.28)[strength], chance.choice(("black", "white")))


def _aspect(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    by = (1.2, 1.45, 2.0)[strength] ** 0.5
    by = by if chance.random() < 0.5 else 1 / by
    return rgb.resize((max(1, round(rgb.width * by)), max(1, round(rgb.height / by))), Image.Resampling.LANCZOS)


def _sheared(rgb: Image.Image, chance: random.Random, strength: Strength, _: Others) -> Image.Image:
    by = (0.1, 0.2, 0.35)[strength] * chance.choice((-1, 1))
    width = round(rgb.width + abs(by) * rgb.height)
    back = (1, by, -by * rgb.height if by > 0 else 0, 0, 1, 0)
    return rgb.transform((width, rgb.height), Image.Transform.AFFINE, back, Image.Resampling.BICUBIC, fillcolor="black")


ALTERATIONS = (
    Alteration("rotated", Family.GEOMETRY, "turned by 5, 15 or 40° in a larger frame", _rotated),
    Alteration("rotated_and_cut", Family.GEOMETRY, "turned by 4, 10 or 20° and cut to what is whole", _rotated_and_cut),
    Alteration("quarter_turn", Family.GEOMETRY, "turned by 90°, by 180°, or by 90° and mirrored", _quarter),
    Alteration("mirrored", Family.GEOMETRY, "mirrored; at higher strengths cut to 85 or 70 % too", _mirrored),
    Alteration("upside_down", Family.GEOMETRY, "flipped; at higher strengths cut to 85 or 70 % too", _upside_down),
    Alteration("perspective", Family.GEOMETRY, "corners moved inwards by up to 8, 16 or 28 %", _perspective),
    Alteration("aspect", Family.GEOMETRY, "squeezed by 1.2, 1.45 or 2", _aspect),
    Alteration("sheared", Family.GEOMETRY, "sheared by 10, 20 or 35 %", _sheared),
)
