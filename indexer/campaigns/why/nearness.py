"""How near the images of a campaign are to each other, pairwise, and which pairs hold it together.

Pure functions of arrays. Every pair is compared by all evidence there is: same picture (PDQ, also mirrored), same
recipe, same origin (embeddings of a trained detector), same model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from indexer.arrays import Floats, Vector
from indexer.calibration import OriginMap
from indexer.campaigns.grouping.recipes import Recipe
from indexer.verdict.relations import farthest

Bools = npt.NDArray[np.bool_]

BITS = 256
_UNKNOWN_BITS = BITS
_UNKNOWN_COSINE = -1.0
_EVERY_OTHER_COLUMN = np.uint8(0b01010101)
"""Mirroring a picture turns these bits of its PDQ hash (indexer.campaigns.grouping.evidence)."""


class LinkKind(StrEnum):
    """The strongest evidence between two images, strongest first."""

    SAME_PICTURE = "same_picture"
    SAME_RECIPE = "same_recipe"
    SAME_ORIGIN = "same_origin"
    SAME_MODEL = "same_model"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Traces:
    """The features one image is compared by. `pdq` (32 bytes) is None where its quality is too low, `vector` [384]
    (L2-normalised) where embeddings do not count or the image has none. `content` as of an image of the catalogue: it
    may say that embeddings alone do not tell it from others of its kind."""

    sha256: str
    pdq: bytes | None
    vector: Vector | None
    recipe: Recipe | None
    models: frozenset[str]
    content: int | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts as a link: largest PDQ distance, smallest cosine. `origin`: the calibration of cosines, if any."""

    max_distance: int
    min_cosine: float
    origin: OriginMap | None


@dataclass(frozen=True, slots=True)
class Link:
    """Two images (SHA-256) and all evidence between them. `kind` is the strongest; `pdq_distance` in bits of 256,
    `mirrored` when one image is the mirrored other; `cosine` in [-1, 1]; `probability` of the same origin by the
    calibration. `splits_off`: how many images are connected to the rest by this link alone, 0 when other links connect
    them too.
    """

    first: str
    second: str
    kind: LinkKind
    pdq_distance: int | None
    mirrored: bool
    cosine: float | None
    probability: float | None
    same_recipe: bool
    same_model: bool
    splits_off: int


class Nearness:
    """All pairs of N images as N x N matrices, so for a few thousand images at most.

    Attributes:
        bits: PDQ distances [N, N], the smaller of plain and mirrored; 256 where one has no usable hash.
        cosine: [N, N]; -1 where one has no embedding.
    """

    def __init__(self, traces: Sequence[Traces], bounds: Bounds) -> None:
        self._traces = traces
        self._bounds = bounds
        plain, turned = hash_distances([trace.pdq for trace in traces], [trace.pdq for trace in traces])
        self._mirrored: Bools = turned < plain
        self.bits = np.minimum(plain, turned)
        self.cosine = cosines([trace.vector for trace in traces], [trace.vector for trace in traces])
        self._telling = telling(traces, traces, self.bits)
        self._recipe = _shared([frozenset() if trace.recipe is None else frozenset([trace.recipe]) for trace in traces])
        self._model = _shared([trace.models for trace in traces])
        self._distance = self._distances()

    def pictures(self) -> int:
        """How many different pictures the images are copies of."""
        return int(connected_components(coo_array(self.bits <= self._bounds.max_distance), directed=False)[0])

    def pairs(self) -> dict[LinkKind, int]:
        """How many pairs have each kind as their strongest evidence."""
        upper = self._distance[np.triu_indices(len(self._traces), 1)]
        kinds, counts = np.unique(np.floor(upper).astype(np.int64), return_counts=True)
        count_of = dict(zip(kinds.tolist(), counts.tolist(), strict=True))
        return {kind: int(count_of.get(rank, 0)) for rank, kind in enumerate(LinkKind)}

    def backbone(self) -> tuple[Link, ...]:
        """The N - 1 strongest links that connect all images (a minimum spanning tree), strongest first."""
        if len(self._traces) < 2:
            return ()
        tree = coo_array(minimum_spanning_tree(np.triu(self._distance, 1)))
        first, second = np.minimum(tree.row, tree.col), np.maximum(tree.row, tree.col)
        order = np.lexsort((second, first, tree.data))
        edges = list(zip(first[order].tolist(), second[order].tolist(), strict=True))
        split = _split_off(len(self._traces), edges)
        return tuple(self._link(left, right, off) for (left, right), off in zip(edges, split, strict=True))

    def graph(self, nearest: int) -> tuple[Link, ...]:
        """The backbone plus the links of each image to its `nearest` nearest others, strongest first."""
        tree = {(link.first, link.second): link for link in self.backbone()}
        number = {trace.sha256: position for position, trace in enumerate(self._traces)}
        alone = self._distance + np.where(np.eye(len(self._traces), dtype=np.bool_), np.inf, 0)
        for first, row in enumerate(alone):
            for other in np.argsort(row, kind="stable")[:nearest].tolist():
                low, high = min(first, other), max(first, other)
                key = self._traces[low].sha256, self._traces[high].sha256
                if np.isfinite(row[other]) and row[other] < len(LinkKind) - 1 and key not in tree:
                    tree[key] = self._link(low, high, 0)
        return tuple(sorted(tree.values(), key=lambda link: self._place(number[link.first], number[link.second])))

    def _place(self, first: int, second: int) -> tuple[float, int, int]:
        return float(self._distance[first, second]), first, second

    def _distances(self) -> Floats:
        """[N, N]: the integer part is the rank of the strongest evidence in `LinkKind`, the fraction the distance
        within that kind; never zero, which a sparse matrix would drop.
        """
        bounds = self._bounds
        apart = (1.0 - np.where(self._telling, self.cosine, _UNKNOWN_COSINE)) / 2.01
        ranks = np.full(self.bits.shape, 4.0, np.float32) + apart
        ranks = np.where(self._model, 3.0 + apart, ranks)
        ranks = np.where(self._telling & (self.cosine >= bounds.min_cosine), 2.0 + apart, ranks)
        ranks = np.where(self._recipe, 1.0 + self.bits / (BITS + 1), ranks)
        ranks = np.where(self.bits <= bounds.max_distance, self.bits / (BITS + 1), ranks)
        return np.maximum(ranks, 1e-6).astype(np.float32)

    def _link(self, first: int, second: int, splits_off: int) -> Link:
        bits, cosine, origin = int(self.bits[first, second]), float(self.cosine[first, second]), self._bounds.origin
        compared = self._traces[first].pdq is not None and self._traces[second].pdq is not None
        embedded = self._traces[first].vector is not None and self._traces[second].vector is not None
        embedded = embedded and bool(self._telling[first, second])
        return Link(
            first=self._traces[first].sha256,
            second=self._traces[second].sha256,
            kind=tuple(LinkKind)[int(self._distance[first, second])],
            pdq_distance=bits if compared else None,
            mirrored=bool(self._mirrored[first, second]) and bits <= self._bounds.max_distance,
            cosine=round(cosine, 6) if embedded else None,
            probability=round(origin.probability(cosine), 6) if embedded and origin is not None else None,
            same_recipe=bool(self._recipe[first, second]),
            same_model=bool(self._model[first, second]),
            splits_off=splits_off,
        )


def hash_distances(
    ours: Sequence[bytes | None], others: Sequence[bytes | None]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Bits [N, M] between PDQ hashes, plain and with the second one mirrored; 256 where one is missing."""
    first, second = _signs(ours), _signs(others)
    turned = _signs([None if pdq is None else _turned(pdq) for pdq in others])
    missing = _missing(ours)[:, None] | _missing(others)[None, :]
    plain, mirrored = ((BITS - first @ matrix.T) / 2 for matrix in (second, turned))
    return tuple(np.where(missing, _UNKNOWN_BITS, distances).astype(np.int64) for distances in (plain, mirrored))  # type: ignore[return-value]


def cosines(ours: Sequence[Vector | None], others: Sequence[Vector | None]) -> Floats:
    """Cosines [N, M] of embeddings, -1 where one is missing; rounded, because the last bits depend on the machine."""
    present = next((vector for vector in (*ours, *others) if vector is not None), None)
    if present is None:
        return np.full((len(ours), len(others)), _UNKNOWN_COSINE, np.float32)
    blank = np.full_like(present, np.nan)
    first, second = (np.stack([blank if vector is None else vector for vector in side]) for side in (ours, others))
    similarity = np.clip(np.round(first @ second.T, 6), -1, 1)
    known_or_not: Floats = np.nan_to_num(similarity, nan=_UNKNOWN_COSINE).astype(np.float32)
    return known_or_not


class _Measured(Protocol):
    @property
    def content(self) -> int | None: ...


def telling(ours: Sequence[_Measured], others: Sequence[_Measured], bits: npt.NDArray[np.int64]) -> Bools:
    """Of which pairs [N, M] a cosine says anything, with their PDQ distances `bits` [N, M]."""
    first, second = (np.array([farthest(content.content) for content in side], np.int64) for side in (ours, others))
    return np.asarray(bits <= np.minimum(first[:, None], second[None, :]))


def _signs(hashes: Sequence[bytes | None]) -> Floats:
    """PDQ hashes [N, 256] as +1 and -1."""
    packed = np.frombuffer(b"".join(pdq or bytes(32) for pdq in hashes), np.uint8).reshape(-1, 32)
    signs: Floats = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    return signs


def _missing(hashes: Sequence[bytes | None]) -> Bools:
    return np.array([item is None for item in hashes], np.bool_)


def _turned(pdq: bytes) -> bytes:
    return (np.frombuffer(pdq, np.uint8) ^ _EVERY_OTHER_COLUMN).tobytes()


def _shared(sets: Sequence[frozenset[object]] | Sequence[frozenset[str]] | Sequence[frozenset[Recipe]]) -> Bools:
    """Which pairs [N, N] share an element."""
    numbers: dict[object, list[int]] = {}
    for number, elements in enumerate(sets):
        for element in elements:
            numbers.setdefault(element, []).append(number)
    shared = np.zeros((len(sets), len(sets)), np.bool_)
    for places in numbers.values():
        shared[np.ix_(places, places)] = True
    return shared


def _split_off(nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each edge of a tree, how many nodes its smaller side has."""
    near: list[list[int]] = [[] for _ in range(nodes)]
    for child, neighbour in edges:
        near[child].append(neighbour)
        near[neighbour].append(child)
    parent, order = [-1] * nodes, [0]
    for node in order:
        order += [neighbour for neighbour in near[node] if neighbour != parent[node]]
        for neighbour in near[node]:
            if neighbour != parent[node]:
                parent[neighbour] = node
    below = [1] * nodes
    for node in reversed(order[1:]):
        below[parent[node]] += below[node]
    sizes = [below[neighbour] if parent[neighbour] == child else below[child] for child, neighbour in edges]
    return [min(size, nodes - size) for size in sizes]
