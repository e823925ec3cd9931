"""Numbers of an untrained detector: a fixed random feature of what a picture shows.

Made so that its CLS embedding is spread out instead of nearly constant. Patches are described by smooth Walsh
functions of brightness and two colour differences; positions, in dimensions of their own, by mixtures of Legendre
polynomials even from left to right, so that a mirrored copy stays close. Hidden units of the MLPs come in fours
with opposite signs, which cancels what all pictures have in common and leaves products of content and position; nearly
uniform attention averages them into the CLS token.

Bit for bit the same everywhere: raw PCG64 output (a stream numpy guarantees), whole numbers, and element-wise float64
operations that IEEE 754 rounds exactly. No matrix products, no logarithms or cosines, whose last bit varies.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals
from indexer.detector.spec import IMAGE_SIZE, PATCH_SIZE
from indexer.vocabulary import EMBEDDING_SIZE

_SEED: Final = 20250722
_COLOURS: Final = (((1, 1, 1), 192), ((1, 0, -1), 64), ((1, -2, 1), 64))
"""Weights of red, green, blue, and how many of the smoothest Walsh functions describe that combination."""
_CONTENT: Final = sum(count for _, count in _COLOURS)
_POSITION: Final = EMBEDDING_SIZE - _CONTENT
_LEGENDRE: Final = 5
_GRID: Final = IMAGE_SIZE // PATCH_SIZE
_MLP_GAIN: Final = 3.0
_AVERAGE_GAIN: Final = 0.15
"""Share of plain averages of content, which change less from picture to picture than their products with position."""
_QUERY_KEY_GAIN: Final = 0.25


class _Stream:
    """Bell-shaped numbers of mean 0 and variance 1: sums of the eight bytes of raw 64-bit outputs."""

    def __init__(self) -> None:
        self._bits = np.random.PCG64(_SEED)

    def take(self, rows: int, columns: int, gain: float = 1.0) -> Reals:
        """[rows, columns], of variance gain² / columns: a product with a unit-variance vector has variance gain²."""
        raw = self._bits.random_raw(rows * columns).view(np.uint8).reshape(rows, columns, 8)
        whole: npt.NDArray[np.int64] = raw.astype(np.int64).sum(axis=-1) - 1020
        return whole * np.float64(gain / math.sqrt(columns * 43690.0))


def untrained_weights(depth: int) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors of a `depth`-block vision transformer with one logit, under timm's names, float32."""
    stream = _Stream()
    width = EMBEDDING_SIZE
    tensors: dict[str, Reals] = {
        "cls_token": np.zeros((1, 1, width)),
        "pos_embed": _positions(stream),
        "patch_embed.proj.weight": _patch_filters(),
        "patch_embed.proj.bias": np.zeros(width),
    }
    for index in range(depth):
        block = f"blocks.{index}."
        for norm in ("norm1", "norm2"):
            tensors |= {f"{block}{norm}.weight": np.ones(width), f"{block}{norm}.bias": np.zeros(width)}
        tensors |= {block + name: values for name, values in _attention(stream, silent=index == 0).items()}
        tensors |= {block + name: values for name, values in _mlp(stream).items()}
    tensors |= {"norm.weight": np.ones(width), "norm.bias": np.zeros(width)}
    tensors |= {"head.weight": stream.take(1, width), "head.bias": np.zeros(1)}
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def _patch_filters() -> Reals:
    """[384, 3, 16, 16]: rising frequencies weighted up, for natural pictures hold ever less of them; the last
    `_POSITION` are zero."""
    walsh = np.array([[1]], np.int64)
    while len(walsh) < PATCH_SIZE:
        walsh = np.block([[walsh, walsh], [walsh, -walsh]])
    walsh = walsh[np.argsort((np.diff(walsh, axis=1) != 0).sum(axis=1), kind="stable")]
    orders = sorted((down + across, down, across) for down in range(PATCH_SIZE) for across in range(PATCH_SIZE))
    filters = np.zeros((EMBEDDING_SIZE, 3, PATCH_SIZE, PATCH_SIZE))
    row = 0
    for colour, count in _COLOURS:
        length = math.sqrt(sum(part * part for part in colour))
        for order, down, across in orders[:count]:
            pattern = walsh[down][:, None] * walsh[across][None, :]
            whole = np.array(colour, np.int64)[:, None, None] * pattern
            filters[row] = whole * (math.sqrt(1 + order) / (PATCH_SIZE * PATCH_SIZE * length))
            row += 1
    return filters


def _positions(stream: _Stream) -> Reals:
    """[1, 577, 384]: zero for the CLS token and in the content dimensions."""
    x = (np.arange(_GRID) * 2.0 - (_GRID - 1)) / _GRID
    legendre = [np.ones(_GRID), x]
    for n in range(1, _LEGENDRE - 1):
        legendre.append(((2 * n + 1) * x * legendre[n] - n * legendre[n - 1]) / (n + 1))
    terms = [
        legendre[i][:, None] * legendre[j][None, :] * math.sqrt((2 * i + 1) * (2 * j + 1))
        for i in range(_LEGENDRE)
        for j in range(0, _LEGENDRE, 2)
        if 0 < i + j <= _LEGENDRE
    ]
    mixture = stream.take(_POSITION, len(terms))
    embeddings = np.zeros((1, _GRID * _GRID + 1, EMBEDDING_SIZE))
    for number, term in enumerate(terms):
        embeddings[0, 1:, _CONTENT:] += term.reshape(-1, 1) * mixture[:, number]
    return embeddings


def _attention(stream: _Stream, *, silent: bool) -> dict[str, Reals]:
    """Weak queries and keys; values read content only. A `silent` one adds nothing: the average colour of the picture,
    all it could tell before the first MLP, would otherwise drown the rest."""
    width = EMBEDDING_SIZE
    query_key = stream.take(2 * width, width, _QUERY_KEY_GAIN)
    value, projection = stream.take(width, width), stream.take(width, width)
    value[:, _CONTENT:] = 0
    projection[_CONTENT:] = 0
    if silent:
        value[:] = 0
    return {
        "attn.qkv.weight": np.concatenate([query_key, value]),
        "attn.qkv.bias": np.zeros(3 * width),
        "attn.proj.weight": projection,
        "attn.proj.bias": np.zeros(width),
    }


def _mlp(stream: _Stream) -> dict[str, Reals]:
    """Hidden units in fours, content and position each with both signs. Their sum with the signs' products cancels
    every term but those odd in both; a smaller part is odd in content only."""
    width = units = EMBEDDING_SIZE
    content, position = stream.take(units, _CONTENT), stream.take(units, _POSITION)
    product, average = stream.take(width, units, _MLP_GAIN), stream.take(width, units, _MLP_GAIN * _AVERAGE_GAIN)
    product[_CONTENT:] = 0
    average[_CONTENT:] = 0
    signs = ((1, 1), (-1, 1), (1, -1), (-1, -1))
    return {
        "mlp.fc1.weight": np.concatenate([np.concatenate([content * c, position * p], axis=1) for c, p in signs]),
        "mlp.fc1.bias": np.zeros(4 * units),
        "mlp.fc2.weight": np.concatenate([product * (c * p) + average * c for c, p in signs], axis=1),
        "mlp.fc2.bias": np.zeros(width),
    }
