"""What an alteration is: a name, a family, three strengths and a function of picture and chance."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias

from PIL import Image


class Family(StrEnum):
    """What an alteration mainly does."""

    CROP = "crop"
    FRAME = "frame"
    OVERLAY = "overlay"
    GEOMETRY = "geometry"
    COLOUR = "colour"
    QUALITY = "quality"
    COMPOSITION = "composition"


class Strength(IntEnum):
    """How much of it."""

    WEAK = 0
    MIDDLE = 1
    STRONG = 2


Others: TypeAlias = Callable[[random.Random, tuple[int, int]], Image.Image]
"""Gives a picture that belongs to nobody, of a size, for backgrounds and collages."""
Change: TypeAlias = Callable[[Image.Image, random.Random, Strength, Others], Image.Image]


@dataclass(frozen=True, slots=True)
class Alteration:
    """One way to alter a picture. `qualities`: of the JPEG file that is made, by strength."""

    name: str
    family: Family
    summary: str
    change: Change
    qualities: tuple[int, int, int] = (90, 82, 75)
