"""Planted campaigns: unit vectors whose groups are known, as uneven as real ones, with noise. Deterministic."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors

DIMENSION = 384
NOBODY = -1
SMALLEST = 3
NOISE = 0.15
COPIES = 0.35
"""Share of a group's members that are near duplicates of others in it."""
INNER_DIMENSION = 16
"""Directions in which the members of one group differ."""
A_FAMILY = 8
_BASES = 256

Truth = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Planted:
    """`vectors` [N, 384] float32, L2-normalised; `truth` [N], the group of each, -1 for noise."""

    vectors: Vectors
    truth: Truth


def planted(count: int, seed: int = 0) -> Planted:
    """`count` vectors in groups of 3 to a hundredth of all, their sizes by a power law.

    All share a direction, as embeddings of one detector do. Half of the groups are tight and lie close to others of
    their family, half lie apart and are wide: no one distance tells all of them apart. Of the noise, 15 % of all, three
    fifths lie anywhere, one around families and one between groups.
    """
    random = np.random.default_rng(seed)
    sizes = _sizes(random, count - round(count * NOISE), max(40, count // 100))
    common = unit(random.standard_normal(DIMENSION, np.float32))
    middles, families, spreads = _middles(random, common, len(sizes))
    members = _members(random, middles, spreads, sizes)
    noise = _noise(random, common, middles, families, count - len(members))
    vectors = np.concatenate([members, noise])
    truth = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(len(noise), NOBODY)])
    order = random.permutation(count)
    return Planted(unit(vectors[order]), truth[order])


def unit(vectors: Vectors) -> Vectors:
    """The same directions with length 1."""
    lengths: Vectors = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / lengths


def _directions(random: np.random.Generator, count: int) -> Vectors:
    return unit(random.standard_normal((count, DIMENSION), np.float32))


def _sizes(random: np.random.Generator, images: int, largest: int) -> Truth:
    sizes: list[int] = []
    while images:
        size = min(int(SMALLEST * (1 - random.random()) ** (-1 / 1.1)), largest, images)
        sizes.append(images if images - size < SMALLEST else size)
        images -= sizes[-1]
    return np.array(sizes, np.int64)


def _anywhere(random: np.random.Generator, common: Vectors, count: int) -> Vectors:
    return 0.75 * common + 0.66 * _directions(random, count)


def _middles(random: np.random.Generator, common: Vectors, groups: int) -> tuple[Vectors, Vectors, Vectors]:
    families = _anywhere(random, common, max(1, groups // A_FAMILY))
    kin = random.random(groups) < 0.5
    near = families[random.integers(len(families), size=groups)] + 0.38 * _directions(random, groups)
    middles = np.where(kin[:, None], near, _anywhere(random, common, groups))
    low, high = np.where(kin, 0.1, 0.2), np.where(kin, 0.25, 0.5)
    spreads = low * (high / low) ** random.random(groups)
    return middles.astype(np.float32), families, spreads.astype(np.float32)


def _members(random: np.random.Generator, middles: Vectors, spreads: Vectors, sizes: Truth) -> Vectors:
    bases = unit(random.standard_normal((_BASES, INNER_DIMENSION, DIMENSION), np.float32))
    vectors = np.empty((int(sizes.sum()), DIMENSION), np.float32)
    at = 0
    for middle, spread, size in zip(middles, spreads, sizes.tolist(), strict=True):
        inner = random.standard_normal((size, INNER_DIMENSION), np.float32) * (spread / np.sqrt(INNER_DIMENSION))
        copies = int(size * COPIES)
        inner[size - copies :] = inner[random.integers(size - copies, size=copies)]
        jitter = random.standard_normal((size, DIMENSION), np.float32) * np.float32(0.02 / np.sqrt(DIMENSION))
        vectors[at : at + size] = middle + inner @ bases[random.integers(_BASES)] + jitter
        at += size
    return vectors


def _noise(random: np.random.Generator, common: Vectors, middles: Vectors, families: Vectors, count: int) -> Vectors:
    between = around = count // 5
    left, right = random.integers(len(middles), size=(2, between))
    share = random.uniform(0.2, 0.8, size=(between, 1)).astype(np.float32)
    return np.concatenate(
        [
            _anywhere(random, common, count - between - around),
            families[random.integers(len(families), size=around)] + 0.45 * _directions(random, around),
            share * middles[left] + (1 - share) * middles[right] + 0.3 * _directions(random, between),
        ]
    )
