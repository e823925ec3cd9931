"""Training batches. A batch depends only on the seed and the step number, so an interrupted run continues exactly as
if it had not stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch

from indexer.detector.training import manipulations, views
from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.material import TILE, Picture, Pixels, central_square, cut_outs, read_pixels, resize
from indexer.detector.training.photographs import Photograph

PHOTOGRAPH: Final = 0
"""The kind of a photograph; generators and manipulations follow."""
_LITTLE: Final = 0.25
"""How much the verdict counts on a picture of which only a part was changed, and on a machine-made face: there are no
photographs of faces to learn from, and what a picture shows is not to decide."""
_FACES: Final = "stylegan2"
_MEAN: Final = np.array((0.485, 0.456, 0.406), np.float32)
_STD: Final = np.array((0.229, 0.224, 0.225), np.float32)


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to train on. `content` is shared by the tiles of a photograph, which overlap, and their manipulations:
    none is a stranger to the others."""

    pixels: Pixels
    kind: int
    content: int
    verdict_weight: float


@dataclass(frozen=True, slots=True)
class StemBatch:
    """A step's pictures while the stem learns alone. `plain` [N, 3, 384, 384]; `kinds` [N]; `fake`, `weights` [N]."""

    plain: torch.Tensor
    kinds: torch.Tensor
    fake: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """A step's pictures. `plain`, `copy`: [N, 3, 384, 384]; `kinds`, `contents` [N]; `fake`, `weights` [N] float32;
    `usable` [N]: the plain view still shows its content."""

    plain: torch.Tensor
    copy: torch.Tensor
    kinds: torch.Tensor
    contents: torch.Tensor
    fake: torch.Tensor
    weights: torch.Tensor
    usable: torch.Tensor


class Supply:
    """All training data, in memory.

    Args:
        photographs, generated: those of the training side.
        report: told in words what is being done.
    """

    def __init__(
        self,
        photographs: Sequence[Photograph],
        generated: Sequence[Picture],
        config: TrainingConfig,
        report: Callable[[str], None],
    ) -> None:
        self._config = config
        random = np.random.default_rng(config.seed)
        self._photographs: list[Item] = []
        for content, photograph in enumerate(photographs):
            report(f"cutting {photograph.name}")
            for cut in cut_outs(read_pixels(photograph.path), config.tiles_per_photograph, random):
                tile = cut if random.random() < 0.5 else resize(cut, TILE, random)
                self._photographs.append(Item(tile, PHOTOGRAPH, content, 1.0))
        report("training the autoencoder")
        photographed = [_as_tile(item.pixels, random) for item in self._photographs]
        autoencoder = manipulations.train_autoencoder(photographed, config.autoencoder_steps, random)
        generators = sorted({picture.generator for picture in generated})
        self.kinds = ("photograph", *generators, "autoencoder", "upsampling", *manipulations.LOCAL)
        self._manipulated: list[Item] = []
        makers: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
            "autoencoder": lambda pixels, other: autoencoder.resynthesise(pixels),
            "upsampling": lambda pixels, other: manipulations.upsampled(pixels, other, random),
        }
        for name, change in manipulations.LOCAL.items():
            makers[name] = lambda pixels, other, change=change: change(pixels, other, random)  # type: ignore[misc]
        report("manipulating photographs")
        names, odds = list(makers), np.array([0.35, 0.29, 0.12, 0.12, 0.12])
        for item, pixels in zip(self._photographs, photographed, strict=True):
            if random.random() < config.manipulated_share:
                name = str(random.choice(names, p=odds))
                other = photographed[int(random.integers(len(photographed)))]
                weight = _LITTLE if name in manipulations.LOCAL else 1.0
                self._manipulated.append(
                    Item(makers[name](pixels, other), self.kinds.index(name), item.content, weight)
                )
        self._generated: dict[int, list[Item]] = {self.kinds.index(name): [] for name in generators}
        report("reading machine-made pictures")
        for number, picture in enumerate(generated, start=len(photographs)):
            kind = self.kinds.index(picture.generator)
            pixels = _at_most_768(central_square(read_pixels(picture.path)))
            weight = _LITTLE if picture.generator == _FACES else 1.0
            self._generated[kind].append(Item(pixels, kind, number, weight))

    def stem_batch(self, step: int) -> StemBatch:
        """The batch of a step in which the stem learns alone."""
        random = np.random.default_rng((self._config.seed, step))
        items = self._draw(self._config.stem_batch, random)
        kinds = torch.tensor([item.kind for item in items])
        return StemBatch(
            plain=_tensor([views.plain_view(item.pixels, random) for item in items]),
            kinds=kinds,
            fake=(kinds != PHOTOGRAPH).float(),
            weights=torch.tensor([item.verdict_weight for item in items]),
        )

    def batch(self, step: int) -> Batch:
        """The batch of a step; whole pictures come in half batches, for they cost as much."""
        config = self._config
        random = np.random.default_rng((config.seed, step))
        whole = step >= config.steps - config.whole_picture_steps
        items = self._draw(config.batch // 2 if whole else config.batch, random)
        seen = [self._views(item, random) for item in items]
        kinds = torch.tensor([item.kind for item in items])
        return Batch(
            plain=_tensor([view.plain for view in seen]),
            copy=_tensor([view.copy for view in seen]),
            kinds=kinds,
            contents=torch.tensor([item.content for item in items]),
            fake=(kinds != PHOTOGRAPH).float(),
            weights=torch.tensor([item.verdict_weight for item in items]),
            usable=torch.tensor([not view.shuffled for view in seen]).float(),
        )

    def _draw(self, size: int, random: np.random.Generator) -> list[Item]:
        """Ten photographs in 24, ten machine-made pictures (rare generators more often than their number), four
        manipulated photographs."""
        generated, manipulated = size * 10 // 24, size * 4 // 24
        kinds = list(self._generated)
        odds = np.sqrt([len(self._generated[kind]) for kind in kinds])
        items = [
            self._photographs[int(i)]
            for i in random.integers(len(self._photographs), size=size - generated - manipulated)
        ]
        for kind in random.choice(kinds, size=generated, p=odds / odds.sum()):
            pictures = self._generated[int(kind)]
            items.append(pictures[int(random.integers(len(pictures)))])
        items += [self._manipulated[int(i)] for i in random.integers(len(self._manipulated), size=manipulated)]
        return items

    def _views(self, item: Item, random: np.random.Generator) -> views.Views:
        faces = self.kinds[item.kind] == _FACES
        shuffle = 0.8 if faces else 0.15 if item.kind != PHOTOGRAPH else 0.25
        return views.views(item.pixels, shuffle, random)


def _as_tile(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A square picture as a tile [384, 384, 3]."""
    return pixels if len(pixels) == TILE else resize(pixels, TILE, random)


def _at_most_768(square: Pixels) -> Pixels:
    """A square picture, shrunk to 768 pixels on a side when it is larger."""
    if len(square) > 768:
        return np.asarray(cv2.resize(square, (768, 768), interpolation=cv2.INTER_AREA), np.uint8)
    return square


def _tensor(pictures: Sequence[Pixels]) -> torch.Tensor:
    batch = (np.stack(pictures).astype(np.float32) / 255 - _MEAN) / _STD
    return torch.from_numpy(batch).permute(0, 3, 1, 2)
