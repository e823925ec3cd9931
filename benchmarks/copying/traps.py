"""Pairs that share something and are not the same picture: one of each is known, with the other is asked.

Made by code: the same meme template, logo, application or background with another picture, patterns, blank pages and
pages of text. Found ones are folders of kinds, such as photographs of one place. Public repositories that have such
pictures: openMVG/ImageDataset_SceauxCastle, mapillary/OpenSfM and kushalvyas/Python-Multiple-Image-Stitching (places),
alicevision/dataset_monstree, pierotofy/dataset_banana and AlansCodeLog/photogrammetry-test-sets (things),
pierotofy/drone_dataset_brighton_beach (from the air), the store screenshots of free applications such as
TeamNewPipe/NewPipe and mastodon/mastodon-android, jacebrowning/memegen (memes). Mind the licence of each.
"""

import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.alterations.drawing import SENTENCES, Gallery, font, nobodys, post, solid_or_shaded
from benchmarks.copying.collection import read_pictures
from indexer.imaging.limits import ImageLimits

MADE = "made"
Pair: TypeAlias = tuple[Image.Image, Image.Image]


@dataclass(frozen=True, slots=True)
class Trap:
    """A file of a kind. `known`: it is ingested; else it is asked with."""

    kind: str
    name: str
    data: bytes
    known: bool


@dataclass(frozen=True, slots=True)
class Pools:
    """Pictures that belong to nobody, for known ones, for those asked with, and for grounds that both share: no picture
    is in two of them, or a pair would rightly be the same picture as half of another pair."""

    known: Gallery
    asked: Gallery
    grounds: Gallery

    def two(self, chance: random.Random, size: tuple[int, int]) -> Pair:
        """One for the known picture and one for the other."""
        return self.known(chance, size), self.asked(chance, size)


def _template(chance: random.Random, pools: Pools) -> Pair:
    """A reaction below another picture, with the sentence of each in between."""
    reaction = nobodys(chance, (640, 260))
    made = []
    for top in pools.two(chance, (640, 440)):
        page = Image.new("RGB", (640, 760), "white")
        page.paste(top, (0, 0))
        page.paste(reaction, (0, 500))
        ImageDraw.Draw(page).text((320, 470), chance.choice(SENTENCES), "black", font(26), "mm")
        made.append(page)
    return made[0], made[1]


def _logo(chance: random.Random, pools: Pools) -> Pair:
    """A channel's logo, lower third and ticker, the same words, over two pictures."""
    words, place, colour = (
        chance.choice(SENTENCES).upper(),
        chance.choice(SENTENCES),
        chance.choice(("#b71c1c", "#004d40")),
    )
    made = []
    for picture in pools.two(chance, (800, 520)):
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 420, 800, 520), fill=colour)
        draw.rectangle((0, 490, 800, 520), fill="#0d47a1")
        draw.text((20, 455), words, "white", font(30), "lm")
        draw.text((20, 505), place, "white", font(18), "lm")
        draw.ellipse((690, 20, 780, 110), fill="#0d47a1", outline="white", width=6)
        draw.text((735, 65), "N24", "white", font(34), "mm")
        made.append(picture)
    return made[0], made[1]


def _application(chance: random.Random, pools: Pools) -> Pair:
    """Posts of one account in one application: the same names, buttons and replies."""
    dark, lines, seed = chance.random() < 0.5, chance.randrange(5), chance.randrange(2**31)
    first, second = pools.two(chance, (640, 480))
    frame = {"dark": dark, "side": 0.02, "lines": lines}
    return post(first, random.Random(seed), **frame), post(second, random.Random(seed), **frame)  # type: ignore[arg-type]


def _background(chance: random.Random, pools: Pools) -> Pair:
    """Two pictures on one background, over half of its sides."""
    ground = pools.grounds(chance, (900, 700))
    made = []
    for picture in pools.two(chance, (450, 350)):
        page = ground.copy()
        page.paste(picture, (chance.randrange(450), chance.randrange(350)))
        made.append(page)
    return made[0], made[1]


def _advertisement(chance: random.Random, pools: Pools) -> Pair:
    """A web page's side column, head and foot around two pictures."""
    advert, head = nobodys(chance, (240, 600)), solid_or_shaded((900, 90), chance)
    made = []
    for picture in pools.two(chance, (620, 560)):
        page = Image.new("RGB", (900, 760), "white")
        page.paste(head, (0, 0))
        page.paste(advert, (650, 110))
        page.paste(picture, (15, 110))
        ImageDraw.Draw(page).text((20, 710), chance.choice(SENTENCES), "black", font(24), "lm")
        made.append(page)
    return made[0], made[1]


def _pattern(chance: random.Random, _: Pools) -> Pair:
    """Bricks, checks or dots of one kind: two walls."""
    kind = chance.randrange(3)

    def wall() -> Image.Image:
        ground = Image.new("RGB", (720, 540), tuple(chance.randrange(90, 200) for _ in range(3)))
        draw, step = ImageDraw.Draw(ground), chance.randrange(34, 60)
        colour = tuple(chance.randrange(256) for _ in range(3))
        for row in range(-1, 540 // step + 1):
            for column in range(-1, 720 // step + 2):
                x, y = column * step + (row % 2 * step // 2 if kind == 0 else 0), row * step
                if kind == 0:
                    draw.rectangle((x, y, x + step, y + step // 2 * 2), outline=colour, width=3)
                elif kind == 1 and (row + column) % 2:
                    draw.rectangle((x, y, x + step, y + step), fill=colour)
                elif kind == 2:
                    draw.ellipse((x + 8, y + 8, x + step - 8, y + step - 8), fill=colour)
        noise = np.random.default_rng(chance.randrange(2**32)).integers(0, 256, (540, 720, 3), np.uint8)
        return Image.blend(ground, Image.fromarray(noise), 0.06)

    return wall(), wall()


def _blank(chance: random.Random, _: Pools) -> Pair:
    """One colour, or two that blend, with a frame or a line."""

    def page() -> Image.Image:
        sheet = solid_or_shaded((600, 450), chance)
        if chance.random() < 0.5:
            sheet = ImageOps.expand(sheet, chance.randrange(5, 30), "white")
        return sheet

    return page(), page()


_WORDS = (
    "of the and to in that was it for is on as with his they at be this from have or by one had not but what all were",
    "when we there can an your which their said if do will each about how up out them then she many some so would",
    "other into has more her two like him see time could no make than first been its who now people my made over did",
    "down only way find use may water long little very after words called just where most know",
)


def _text(chance: random.Random, _: Pools) -> Pair:
    """Two pages of text in one font."""
    size, words = chance.choice((18, 22, 28)), " ".join(_WORDS).split()

    def page() -> Image.Image:
        sheet = Image.new("RGB", (620, 877), "white")
        draw = ImageDraw.Draw(sheet)
        for row in range(60, 820, round(size * 1.4)):
            line = " ".join(chance.choice(words) for _ in range(900 // (size * 4)))
            draw.text((55, row), line, "#222", font(size))
        return sheet

    return page(), page()


KINDS: Mapping[str, Callable[[random.Random, Pools], Pair]] = MappingProxyType(
    {
        "same_template": _template,
        "same_logo": _logo,
        "same_application": _application,
        "same_background": _background,
        "same_web_page": _advertisement,
        "pattern": _pattern,
        "blank": _blank,
        "text_page": _text,
    }
)


def made(pictures: Sequence[Image.Image], each: int) -> Iterator[Trap]:
    """`each` pairs of every kind, with pictures that belong to nobody inside."""
    pools = Pools(*(Gallery(pictures[number::3]) for number in range(3)))
    for kind, make in KINDS.items():
        for number in range(each):
            first, second = make(random.Random(f"{kind}:{number}"), pools)
            for picture, is_known in ((first, True), (second, False)):
                written = io.BytesIO()
                picture.save(written, "JPEG", quality=88)
                yield Trap(kind, f"{kind}-{number:03}", written.getvalue(), is_known)


def found(folder: Path, limits: ImageLimits) -> Iterator[Trap]:
    """Pictures of `folder`, whose own folders are kinds; every second one of a kind is known."""
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        for number, (name, data) in enumerate(sorted(read_pictures([kind], limits))):
            yield Trap(f"{kind.name} (found)", name, data, number % 2 == 0)
