"""How many real pictures fall under the quality floor, and how many made-up blank and flat ones do not.

`python -m benchmarks.quality_floor MANIFEST…`: manifests with the columns path and label, as the catalogue reads them.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexer.errors import ImageRejectedError
from indexer.imaging.content import FEW_TONES, TOO_LITTLE, content_of
from indexer.imaging.decoding import decode
from indexer.imaging.degenerate import says_nothing
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits

LIMITS = ImageLimits(max_bytes=2**26, max_pixels=100_000_000, max_frames=2_000)
EACH = 40
SIZES = ((600, 400), (300, 700), (512, 512), (1200, 800), (256, 256))
Chance = np.random.Generator


def ground(chance: Chance) -> Image.Image:
    """One colour: white, black or another."""
    shade = (int(chance.integers(245, 256)), int(chance.integers(0, 8)), int(chance.integers(0, 256)))
    return Image.new("RGB", SIZES[chance.integers(len(SIZES))], (shade[chance.integers(3)],) * 3)


def gradient(chance: Chance) -> Image.Image:
    """A slope in any direction, faint or strong."""
    width, height = SIZES[chance.integers(len(SIZES))]
    down, across = np.mgrid[0:height, 0:width]
    angle, reach = chance.uniform(0, 2 * np.pi), chance.uniform(4, 200)
    slope = across / width * np.cos(angle) + down / height * np.sin(angle)
    grey = (slope - slope.min()) / np.ptp(slope) * reach + chance.uniform(0, 255 - reach)
    return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")


def noise(chance: Chance) -> Image.Image:
    """The grain of a sensor over one shade."""
    width, height = SIZES[chance.integers(len(SIZES))]
    grey = chance.normal(chance.uniform(10, 245), chance.uniform(0.5, 3), (height, width))
    return Image.fromarray(grey.round().clip(0, 255).astype(np.uint8)).convert("RGB")


def line(chance: Chance) -> Image.Image:
    """A thin line across one shade."""
    picture = ground(chance)
    ends = [int(chance.integers(0, side)) for side in picture.size * 2]
    ImageDraw.Draw(picture).line(ends, fill=int(chance.integers(0, 256)) * 0x010101, width=int(chance.integers(1, 5)))
    return picture


def logo(chance: Chance) -> Image.Image:
    """A small disc and a word."""
    picture = ground(chance)
    side = int(min(picture.size) * chance.uniform(0.04, 0.12))
    left, top = (int(chance.integers(0, limit - 2 * side)) for limit in picture.size)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((left, top, left + side, top + side), fill=tuple(chance.integers(0, 256, 3).tolist()))
    draw.text((left + side, top), "ACME", fill=(128, 128, 128), font=ImageFont.load_default(side * 0.6))
    return picture


def stamp(chance: Chance) -> Image.Image:
    """A date in a corner."""
    picture = ground(chance)
    date = (
        f"20{chance.integers(10, 26)}-0{chance.integers(1, 10)}-1{chance.integers(0, 10)} 12:{chance.integers(10, 60)}"
    )
    font = ImageFont.load_default(max(10.0, picture.height * 0.035))
    ImageDraw.Draw(picture).text((picture.width * 0.05, picture.height * 0.92), date, fill=(250, 240, 20), font=font)
    return picture


def page(chance: Chance) -> Image.Image:
    """A page with a border and a number, and no text."""
    picture = ground(chance)
    width, height = picture.size
    draw, edge = ImageDraw.Draw(picture), chance.uniform(0.03, 0.15)
    draw.rectangle((width * edge, height * edge, width * (1 - edge), height * (1 - edge)), outline=(90,) * 3, width=2)
    draw.text((width / 2, height * 0.96), str(chance.integers(1, 99)), fill=(90,) * 3)
    return picture


def halves(chance: Chance) -> Image.Image:
    """Black and white, side by side or one over the other."""
    picture = Image.new("RGB", SIZES[chance.integers(len(SIZES))], "white")
    width, height = picture.size
    cut = chance.uniform(0.3, 0.7)
    upright = chance.random() < 0.5
    picture.paste((0, 0, 0), (0, 0, int(width * cut), height) if upright else (0, 0, width, int(height * cut)))
    return picture


def vignette(chance: Chance) -> Image.Image:
    """A frame darker towards its corners (held out: the floor was chosen without it)."""
    width, height = SIZES[chance.integers(len(SIZES))]
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    grey = chance.uniform(60, 250) * (1 - chance.uniform(0.1, 0.8) * (down**2 + across**2) / 2)
    return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")


def bars(chance: Chance) -> Image.Image:
    """A test card's bars of colour (held out)."""
    picture = Image.new("RGB", SIZES[chance.integers(len(SIZES))])
    count = int(chance.integers(3, 9))
    for number in range(count):
        left, right = (round(picture.width * (number + edge) / count) for edge in (0, 1))
        picture.paste(tuple(chance.integers(0, 256, 3).tolist()), (left, 0, right, picture.height))
    return picture


def banner(chance: Chance) -> Image.Image:
    """One word in the middle of one shade (held out)."""
    picture = ground(chance)
    font = ImageFont.load_default(picture.height * chance.uniform(0.03, 0.07))
    centre = (picture.width / 2, picture.height / 2)
    ImageDraw.Draw(picture).text(centre, "NO SIGNAL", fill=(120, 130, 140), font=font, anchor="mm")
    return picture


MADE: tuple[Callable[[Chance], Image.Image], ...] = (ground, gradient, noise, line, logo, stamp, page, halves)
HELD_OUT: tuple[Callable[[Chance], Image.Image], ...] = (vignette, bars, banner)


def real(manifests: list[Path]) -> Iterator[tuple[str, str, Image.Image]]:
    """Place, label and picture of the rows of these manifests that can be decoded."""
    for manifest in manifests:
        with manifest.open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                path = manifest.parent / row["path"]
                try:
                    yield str(path), row["label"], decode(path.read_bytes(), LIMITS).rgb
                except ImageRejectedError as error:
                    print(f"{path}: {error}")


def main(manifests: list[Path]) -> None:
    """Prints the shares, and the real pictures that fall under the floor."""
    print("made up: share with too little content (wanted: all)")
    for make in (*MADE, *HELD_OUT):
        contents = [
            content_of(make(np.random.default_rng([seed, sum(map(ord, make.__name__))]))) for seed in range(EACH)
        ]
        held = " (held out)" if make in HELD_OUT else ""
        print(f"  {make.__name__}{held}: {np.mean(np.array(contents) < TOO_LITTLE):.1%}, highest {max(contents)}")
    by_label: dict[str, list[int]] = defaultdict(list)
    silent: dict[str, int] = defaultdict(int)
    for path, label, rgb in real(manifests):
        by_label[label].append(content_of(rgb))
        silent[label] += says_nothing(pdq_hash(rgb).bits)
        if by_label[label][-1] < TOO_LITTLE:
            print(f"  under the floor: {path} ({label}, content {by_label[label][-1]})")
    for label, contents in sorted(by_label.items()):
        shares = [f"{np.mean(np.array(contents) < bound):.2%}" for bound in (TOO_LITTLE, FEW_TONES)]
        print(f"{label}: {len(contents)} pictures, {shares[0]} too little, {shares[1]} few tones")
        print(f"  hashes that say nothing: {silent[label]}")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
