"""The training and evaluation data of the bundled detector: which picture is on which side, and tiles of photographs.

Machine-made pictures are split by prompt (the manifest's `group`), and two generators are kept out altogether; faces of
StyleGAN2 have no prompt and are split one by one. Photographs are split by file. The split depends on names and digests
alone, so that evaluation finds it again without the training run.
"""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.photographs import Photograph
from indexer.errors import UsageError

Pixels = npt.NDArray[np.uint8]
Side = Literal["train", "held_out", "unseen_generator", "evaluation_only"]

TILE = 384
"""Side of a stored tile of a photograph, in pixels."""
_LONGEST = 1_800
"""Photographs are shrunk to this many pixels on the longer side before they are cut up."""
_ALONE = 10
"""A group of one generator with more pictures than this is no prompt: its pictures are split one by one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A machine-made picture, or a real one that is only for evaluation. `group` is its prompt."""

    path: Path
    sha256: str
    fake: bool
    generator: str
    group: str
    side: Side


def read_manifest(manifest: Path, config: TrainingConfig) -> tuple[Picture, ...]:
    """The pictures of a manifest (CSV with path, sha256, label, generator, group) and their sides. Real ones are always
    `evaluation_only`: their licence forbids training on them.

    Raises:
        UsageError: the file cannot be read or lacks a column.
    """
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        generators: dict[str, set[str]] = {}
        for row in rows:
            generators.setdefault(row["group"], set()).add(row["generator"])
        sizes = {group: sum(row["group"] == group for row in rows) for group in generators}
        alone = {group for group, of in generators.items() if len(of) == 1 and sizes[group] > _ALONE}
        return tuple(_picture(row, manifest.parent, alone, config) for row in rows)
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise UsageError(f"{manifest} is not a manifest to train with: {error}") from None


def _picture(row: dict[str, str], folder: Path, alone: set[str], config: TrainingConfig) -> Picture:
    key = row["sha256"] if row["group"] in alone else row["group"]
    share = config.held_out_alone if row["group"] in alone else config.held_out_prompts
    side: Side = "held_out" if _draw(key) < share else "train"
    if row["generator"] in config.unseen_generators:
        side = "unseen_generator"
    if row["label"] != "fake":
        side = "evaluation_only"
    return Picture(
        path=folder / row["path"],
        sha256=row["sha256"],
        fake=row["label"] == "fake",
        generator=row["generator"],
        group=row["sha256"] if row["group"] in alone else row["group"],
        side=side,
    )


def split_photographs(
    photographs: Iterable[Photograph], config: TrainingConfig
) -> tuple[tuple[Photograph, ...], tuple[Photograph, ...]]:
    """The photographs for training, and those held out for evaluation."""
    ordered = sorted(photographs, key=lambda photograph: photograph.name)
    kept = tuple(picture for picture in ordered if _draw(picture.name) < config.held_out_photographs)
    return tuple(picture for picture in ordered if picture not in kept), kept


def read_pixels(path: Path) -> Pixels:
    """RGB pixels [H, W, 3]; transparency on white."""
    with Image.open(path) as picture:
        if picture.mode in ("RGBA", "LA", "P"):
            layered = picture.convert("RGBA")
            white = Image.new("RGBA", layered.size, "white")
            picture = Image.alpha_composite(white, layered)  # type: ignore[assignment]
        return np.asarray(picture.convert("RGB"))


def central_square(pixels: Pixels) -> Pixels:
    """The square in the middle of [H, W, 3], as the detector cuts it."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def tiles(pixels: Pixels, count: int, random: np.random.Generator) -> list[Pixels]:
    """`count` square cut-outs, resized to [384, 384, 3] in various ways."""
    return [resize(cut, TILE, random) for cut in cut_outs(pixels, count, random)]


def cut_outs(pixels: Pixels, count: int, random: np.random.Generator) -> list[Pixels]:
    """`count` square cut-outs, from pixel-sharp to the whole picture, that share its memory.

    Machine-made pictures come at their generator's size, photographs from cameras: cutting at many scales keeps
    sharpness from telling the classes apart.
    """
    scale = _LONGEST / max(pixels.shape)
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    height, width = pixels.shape[:2]
    shortest = min(height, width)
    cut = []
    for _ in range(count):
        side = int(np.exp(random.uniform(np.log(min(224, shortest)), np.log(shortest))))
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        cut.append(pixels[top : top + side, left : left + side])
    return cut


def resize(pixels: Pixels, side: int, random: np.random.Generator) -> Pixels:
    """To `side` x `side`, with a resampling drawn from those that cameras, sites and generators use."""
    if len(pixels) > side:
        kind = random.choice([cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_AREA, -1, -2])
    else:
        kind = random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
    if kind < 0:  # Pillow's filters widen when they shrink
        filters = {-1: Image.Resampling.BICUBIC, -2: Image.Resampling.LANCZOS}
        return np.asarray(Image.fromarray(pixels).resize((side, side), filters[int(kind)]))
    return cv2.resize(pixels, (side, side), interpolation=int(kind)).astype(np.uint8)


def _draw(key: str) -> float:
    """A number in [0, 1) that depends on `key` alone."""
    return int(hashlib.sha256(f"dejafake-small:{key}".encode()).hexdigest()[:8], 16) / 2**32
