"""Compositions: the picture among others, and several alterations at once."""

import random

from PIL import Image, ImageDraw, ImageFilter

from benchmarks.alterations import colours, crops, frames, geometry, overlays, qualities
from benchmarks.alterations.drawing import BRIGHT, SENTENCES, fitting, font
from benchmarks.alterations.geometry import seen_from_aside
from benchmarks.alterations.kinds import Alteration, Family, Others, Strength
from benchmarks.alterations.qualities import moire

SINGLE = (
    *crops.ALTERATIONS,
    *frames.ALTERATIONS,
    *overlays.ALTERATIONS,
    *geometry.ALTERATIONS,
    *colours.ALTERATIONS,
    *qualities.ALTERATIONS,
)
"""What `several` draws from: a crop, frame and so on, at most one of each family."""


def _collage(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """Beside one other, among four, among six in a grid; each cell as large as the picture."""
    columns, rows = ((2, 1), (2, 2), (3, 2))[strength]
    gap = max(2, rgb.width // 50)
    canvas = Image.new(
        "RGB", (columns * (rgb.width + gap) + gap, rows * (rgb.height + gap) + gap), chance.choice(BRIGHT)
    )
    own = chance.randrange(columns * rows)
    for cell in range(columns * rows):
        at = gap + cell % columns * (rgb.width + gap), gap + cell // columns * (rgb.height + gap)
        canvas.paste(rgb if cell == own else others(chance, rgb.size), at)
    return _at_most(canvas, 1600)


def _pasted(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """Anywhere on another picture, over 70, 50 or 35 % of its sides."""
    share = (0.7, 0.5, 0.35)[strength]
    ground = others(chance, (round(rgb.width / share), round(rgb.height / share)))
    ground.paste(rgb, (chance.randint(0, ground.width - rgb.width), chance.randint(0, ground.height - rgb.height)))
    return _at_most(ground, 1600)


def _in_a_corner(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """Picture in picture: in a corner, with a white edge."""
    share = (0.55, 0.42, 0.3)[strength]
    ground = others(chance, (max(rgb.width, 400), max(rgb.height, 400)))
    size = round(rgb.width * share), round(rgb.height * share)
    small = rgb.resize((max(1, size[0]), max(1, size[1])), Image.Resampling.LANCZOS)
    edge = max(2, ground.width // 80)
    left = chance.choice((edge * 2, ground.width - small.width - edge * 2))
    top = chance.choice((edge * 2, ground.height - small.height - edge * 2))
    ImageDraw.Draw(ground).rectangle(
        (left - edge, top - edge, left + small.width + edge, top + small.height + edge), "white"
    )
    ground.paste(small, (left, top))
    return ground


def _photographed(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """A screen photographed from aside: bands, perspective, the room around it, a hand that shakes."""
    room = (1.1, 1.3, 1.6)[strength]
    ground = others(chance, (round(rgb.width * room), round(rgb.height * room))).filter(ImageFilter.GaussianBlur(6))
    screen = moire(rgb, chance, (0.04, 0.08, 0.12)[strength])
    at = (ground.width - rgb.width) // 2, (ground.height - rgb.height) // 2
    behind = ground.crop((*at, at[0] + rgb.width, at[1] + rgb.height))
    ground.paste(seen_from_aside(screen, chance, (0.05, 0.1, 0.16)[strength], behind), at)
    turned = ground.rotate(chance.uniform(-1, 1) * (2, 5, 9)[strength], Image.Resampling.BICUBIC)
    return turned.filter(ImageFilter.GaussianBlur((0.6, 1.0, 1.5)[strength]))


def _news_card(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """A shared article: the picture cut to a wide strip above a headline, a second picture at strength three."""
    kept = (0.85, 0.7, 0.55)[strength]
    high = round(rgb.height * kept)
    top = chance.randint(0, rgb.height - high)
    part = rgb.crop((0, top, rgb.width, top + high))
    below = round(rgb.width * (0.25, 0.4, 0.6)[strength])
    card = Image.new("RGB", (rgb.width, high + below), "white")
    card.paste(part, (0, 0))
    draw = ImageDraw.Draw(card)
    for row in range(2):
        text = chance.choice(SENTENCES)
        size = fitting(draw, text, rgb.width * 0.9, below * 0.25)
        draw.text((rgb.width * 0.04, high + below * (0.25 + 0.4 * row)), text, "#111", font(size), "lm")
    if strength is Strength.STRONG:
        card.paste(others(chance, (rgb.width // 3, below * 2 // 3)), (rgb.width * 3 // 5, high + below // 6))
    return card


def _several(rgb: Image.Image, chance: random.Random, strength: Strength, others: Others) -> Image.Image:
    """Two, three or four alterations of different families, one after another, each weak or middling."""
    families = list(dict.fromkeys(one.family for one in SINGLE))
    for family in chance.sample(families, (2, 3, 4)[strength]):
        one = chance.choice([each for each in SINGLE if each.family is family])
        rgb = _at_most(one.change(rgb, chance, chance.choice((Strength.WEAK, Strength.MIDDLE)), others), 1600)
    return rgb


def _at_most(rgb: Image.Image, side: int) -> Image.Image:
    rgb.thumbnail((side, side), Image.Resampling.LANCZOS)
    return rgb


ALTERATIONS = (
    Alteration("collage", Family.COMPOSITION, "one of 2, 4 or 6 pictures in a grid", _collage),
    Alteration("pasted", Family.COMPOSITION, "on another picture, over 70, 50 or 35 % of its sides", _pasted),
    Alteration("in_a_corner", Family.COMPOSITION, "in another picture's corner, over 55, 42 or 30 %", _in_a_corner),
    Alteration("photographed", Family.COMPOSITION, "a screen photographed from aside", _photographed),
    Alteration("news_card", Family.COMPOSITION, "85, 70 or 55 % of its height above a headline", _news_card),
    Alteration("several", Family.COMPOSITION, "2, 3 or 4 alterations of different families", _several, (80, 70, 60)),
)
