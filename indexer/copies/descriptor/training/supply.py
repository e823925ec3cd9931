"""Batches to learn from. What is in a batch depends on the seed and the number of the step alone, so that a run that
was cut continues as if nothing had happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import torch
from PIL import Image

from indexer.copies.descriptor.training.alterations import (
    COLOURS,
    QUALITIES,
    SHAPES,
    Pixels,
    Random,
    compressed,
    resized,
)
from indexer.copies.descriptor.training.overlays import AROUND, OVER, Others

MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
_WORKING: Final = 1.4
"""Pictures are altered at this many times the side that the network sees."""
T = TypeVar("T")


class Collection(Protocol):
    """Pictures by number."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> Pixels: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A step's pictures. `plain` [N, 3, S, S]: as they are in a catalogue; `altered` [N * V, 3, S, S]: V re-shared
    copies of each, in the order of `plain` V times over; `numbers` [N]: which pictures they are."""

    plain: torch.Tensor
    altered: torch.Tensor
    numbers: torch.Tensor


class Supply:
    """Batches of a collection. An epoch shows each picture once, in an order of its own."""

    def __init__(self, pictures: Collection, seed: int, size: int, views: int) -> None:
        self._pictures, self._seed, self._size, self._views = pictures, seed, size, views

    def batch(self, step: int, side: int, strength: float) -> Batch:
        """The batch of a step, for a network that sees `side` pixels. `strength`, 0 to 1: of the alterations."""
        random = np.random.default_rng((self._seed, step))
        epoch, turn = divmod(step, max(1, len(self._pictures) // self._size))
        order = np.random.default_rng((self._seed, epoch, 1)).permutation(len(self._pictures))
        numbers = order[turn * self._size : (turn + 1) * self._size]

        def others() -> Pixels:
            return self._pictures[int(random.integers(len(self._pictures)))]

        chosen = [self._pictures[int(number)] for number in numbers]
        plain = [kept(pixels, side, random) for pixels in chosen]
        altered = [reshared(pixels, side, strength, random, others) for pixels in chosen * self._views]
        return Batch(as_tensor(plain), as_tensor(altered), torch.from_numpy(numbers.astype(np.int64)))


def kept(pixels: Pixels, side: int, random: Random) -> Pixels:
    """A picture as a catalogue holds it [side, side, 3]: whole, at most compressed or shrunk a little."""
    draw = random.random()
    if draw < 0.3:
        pixels = resized(
            pixels, int(pixels.shape[1] * random.uniform(0.6, 1)), int(pixels.shape[0] * random.uniform(0.6, 1))
        )
    elif draw < 0.5:
        pixels = compressed(pixels, random)
    return resized(pixels, side, side)


def reshared(pixels: Pixels, side: int, strength: float, random: Random, others: Others) -> Pixels:
    """A copy as somebody re-shares it [side, side, 3]: a random chain of alterations, longer and more often framed
    where `strength` (0 to 1) is high."""
    height, width = pixels.shape[:2]
    chain_shapes = random.random() < 0.25 + 0.45 * strength
    shrink = min(1.0, _WORKING * side * (1.4 if chain_shapes else 1.0) / max(height, width))
    pixels = resized(pixels, int(width * shrink), int(height * shrink)) if shrink < 1 else np.array(pixels)
    if chain_shapes:
        for _ in range(2 if random.random() < 0.25 * strength else 1):
            pixels = _drawn(SHAPES, random)(pixels, random)
    if random.random() < 0.2 + 0.4 * strength:
        pixels = _drawn(COLOURS, random)(pixels, random)
    if random.random() < 0.15 + 0.3 * strength:
        pixels = _drawn(OVER, random)(pixels, random, others)
    early = random.random() < 0.4
    if early and random.random() < 0.2 + 0.35 * strength:
        pixels = _drawn(QUALITIES, random)(pixels, random)
    if random.random() < 0.1 + 0.4 * strength:
        pixels = _drawn(AROUND, random)(pixels, random, others)
        if random.random() < 0.12 * strength:
            pixels = _drawn(SHAPES, random)(pixels, random)
        if random.random() < 0.1 * strength:
            pixels = _drawn(OVER, random)(pixels, random, others)
    if not early and random.random() < 0.2 + 0.35 * strength:
        pixels = _drawn(QUALITIES, random)(pixels, random)
    return resized(pixels, side, side)


def squeezed(pixels: Pixels, side: int) -> Pixels:
    """A whole picture [side, side, 3] as it is prepared in use: Pillow's bilinear, which averages where it shrinks."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR), np.uint8)


def as_tensor(pictures: list[Pixels]) -> torch.Tensor:
    """Pictures [N, S, S, 3] of one size as the network takes them, [N, 3, S, S], channels last in memory."""
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    mean, std = torch.tensor(MEAN).view(3, 1, 1) * 255, torch.tensor(STD).view(3, 1, 1) * 255
    return ((batch - mean) / std).contiguous(memory_format=torch.channels_last)


def _drawn(choices: Mapping[T, float], random: Random) -> T:
    """One of the choices, as often as its weight says."""
    weights = np.fromiter(choices.values(), float)
    return list(choices)[int(np.searchsorted(np.cumsum(weights) / weights.sum(), random.random(), side="right"))]
