"""How near the images of a campaign are to each other, pair by pair, and which pairs hold it together.

Pure functions of arrays. Every pair is compared by all evidence there is: same picture (PDQ, also mirrored), same
recipe, same origin (embeddings of a trained detector), same model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from indexer.calibration import OriginMap
from indexer.campaigns.recipes import Recipe

Vector = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

BITS = 256
_UNKNOWN_BITS = BITS
_UNKNOWN_COSINE = -1.0
_EVERY_OTHER_COLUMN = np.uint8(0b01010101)
"""Mirroring a picture turns these bits of its PDQ hash (indexer.campaigns.evidence)."""


class LinkKind(StrEnum):
    """The strongest evidence between two images, strongest first."""

    SAME_PICTURE = "same_picture"
    SAME_RECIPE = "same_recipe"
    SAME_ORIGIN = "same_origin"
    SAME_MODEL = "same_model"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Traces:
    """What one image is compared by. `pdq` (32 bytes) is None where its quality is too low, `vector` [384]
    (L2-normalised) where embeddings do not count or the image has none."""

    sha256: str
    pdq: bytes | None
    vector: Vector | None
    recipe: Recipe | None
    models: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts as a link: PDQ bits at most, cosine at least. `origin`: what a calibration says of cosines."""

    max_distance: int
    min_cosine: float
    origin: OriginMap | None


@dataclass(frozen=True, slots=True)
class Link:
    """Two images (SHA-256) and all evidence between them. `kind` is the strongest; `pdq_distance` in bits of 256,
    `mirrored` when it is of one against the other mirrored; `cosine` in [-1, 1]; `probability` of the same origin as a
    calibration measured it. `splits_off`: how many images hang on the rest of the campaign by this link alone,
    0 when others hold them, too."""

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
    """All pairs of N images: N x N matrices, so for some thousand images at most.

    Attributes:
        bits: PDQ distances [N, N], the smaller of plain and mirrored; 256 where one has no usable hash.
        cosine: [N, N]; -1 where one has no embedding.
    """

    def __init__(self, traces: Sequence[Traces], bounds: Bounds) -> None:
        self._traces = traces
        self._bounds = bounds
        plain, turned = hash_distances([one.pdq for one in traces], [one.pdq for one in traces])
        self._mirrored: Bools = turned < plain
        self.bits = np.minimum(plain, turned)
        self.cosine = cosines([one.vector for one in traces], [one.vector for one in traces])
        self._recipe = _shared([frozenset() if one.recipe is None else frozenset([one.recipe]) for one in traces])
        self._model = _shared([one.models for one in traces])
        self._distance = self._distances()

    def pictures(self) -> int:
        """How many different pictures the images are copies of."""
        return int(connected_components(coo_array(self.bits <= self._bounds.max_distance), directed=False)[0])

    def pairs(self) -> dict[LinkKind, int]:
        """How many pairs have each kind as their strongest evidence."""
        upper = self._distance[np.triu_indices(len(self._traces), 1)]
        kinds, counts = np.unique(np.floor(upper).astype(np.int64), return_counts=True)
        found = dict(zip(kinds.tolist(), counts.tolist(), strict=True))
        return {kind: int(found.get(place, 0)) for place, kind in enumerate(LinkKind)}

    def backbone(self) -> tuple[Link, ...]:
        """The strongest N - 1 links that hold all images together (a minimum spanning tree), strongest first."""
        if len(self._traces) < 2:
            return ()
        tree = coo_array(minimum_spanning_tree(np.triu(self._distance, 1)))
        first, second = np.minimum(tree.row, tree.col), np.maximum(tree.row, tree.col)
        order = np.lexsort((second, first, tree.data))
        edges = list(zip(first[order].tolist(), second[order].tolist(), strict=True))
        split = _split_off(len(self._traces), edges)
        return tuple(self._link(one, other, off) for (one, other), off in zip(edges, split, strict=True))

    def graph(self, nearest: int) -> tuple[Link, ...]:
        """The backbone, and the links of each image to as many nearest others, strongest first."""
        tree = {(link.first, link.second): link for link in self.backbone()}
        number = {one.sha256: place for place, one in enumerate(self._traces)}
        alone = self._distance + np.where(np.eye(len(self._traces), dtype=np.bool_), np.inf, 0)
        for one, row in enumerate(alone):
            for other in np.argsort(row, kind="stable")[:nearest].tolist():
                low, high = min(one, other), max(one, other)
                key = self._traces[low].sha256, self._traces[high].sha256
                if np.isfinite(row[other]) and row[other] < len(LinkKind) - 1 and key not in tree:
                    tree[key] = self._link(low, high, 0)
        return tuple(sorted(tree.values(), key=lambda link: self._place(number[link.first], number[link.second])))

    def _place(self, one: int, other: int) -> tuple[float, int, int]:
        return float(self._distance[one, other]), one, other

    def _distances(self) -> Floats:
        """[N, N]: the whole part is the place of the strongest evidence in `LinkKind`, the rest how far apart within
        it; never zero, which a sparse matrix would drop."""
        bounds = self._bounds
        apart = (1.0 - self.cosine) / 2.01
        found = np.full(self.bits.shape, 4.0, np.float32) + apart
        found = np.where(self._model, 3.0 + apart, found)
        found = np.where((self.cosine >= bounds.min_cosine), 2.0 + apart, found)
        found = np.where(self._recipe, 1.0 + self.bits / (BITS + 1), found)
        found = np.where(self.bits <= bounds.max_distance, self.bits / (BITS + 1), found)
        return np.maximum(found, 1e-6).astype(np.float32)

    def _link(self, one: int, other: int, splits_off: int) -> Link:
        bits, cosine, origin = int(self.bits[one, other]), float(self.cosine[one, other]), self._bounds.origin
        compared = self._traces[one].pdq is not None and self._traces[other].pdq is not None
        embedded = self._traces[one].vector is not None and self._traces[other].vector is not None
        return Link(
            first=self._traces[one].sha256,
            second=self._traces[other].sha256,
            kind=tuple(LinkKind)[int(self._distance[one, other])],
            pdq_distance=bits if compared else None,
            mirrored=bool(self._mirrored[one, other]) and bits <= self._bounds.max_distance,
            cosine=round(cosine, 6) if embedded else None,
            probability=round(origin.probability(cosine), 6) if embedded and origin is not None else None,
            same_recipe=bool(self._recipe[one, other]),
            same_model=bool(self._model[one, other]),
            splits_off=splits_off,
        )


def hash_distances(
    ours: Sequence[bytes | None], others: Sequence[bytes | None]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Bits [N, M] between PDQ hashes, as they are and with the second one mirrored; 256 where one is missing."""
    first, second = _signs(ours), _signs(others)
    turned = _signs([None if one is None else _turned(one) for one in others])
    missing = _missing(ours)[:, None] | _missing(others)[None, :]
    plain, mirrored = ((BITS - first @ matrix.T) / 2 for matrix in (second, turned))
    return tuple(np.where(missing, _UNKNOWN_BITS, found).astype(np.int64) for found in (plain, mirrored))  # type: ignore[return-value]


def cosines(ours: Sequence[Vector | None], others: Sequence[Vector | None]) -> Floats:
    """Cosines [N, M] of embeddings, -1 where one is missing; rounded, because the last bits depend on the machine."""
    known = next((one for one in (*ours, *others) if one is not None), None)
    if known is None:
        return np.full((len(ours), len(others)), _UNKNOWN_COSINE, np.float32)
    blank = np.full_like(known, np.nan)
    first, second = (np.stack([blank if one is None else one for one in side]) for side in (ours, others))
    found = np.clip(np.round(first @ second.T, 6), -1, 1)
    known_or_not: Floats = np.nan_to_num(found, nan=_UNKNOWN_COSINE).astype(np.float32)
    return known_or_not


def _signs(hashes: Sequence[bytes | None]) -> Floats:
    """PDQ hashes [N, 256] as +1 and -1."""
    packed = np.frombuffer(b"".join(one or bytes(32) for one in hashes), np.uint8).reshape(-1, 32)
    signs: Floats = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    return signs


def _missing(hashes: Sequence[bytes | None]) -> Bools:
    return np.array([one is None for one in hashes], np.bool_)


def _turned(pdq: bytes) -> bytes:
    return (np.frombuffer(pdq, np.uint8) ^ _EVERY_OTHER_COLUMN).tobytes()


def _shared(sets: Sequence[frozenset[object]] | Sequence[frozenset[str]] | Sequence[frozenset[Recipe]]) -> Bools:
    """Which pairs [N, N] share an element."""
    numbers: dict[object, list[int]] = {}
    for place, elements in enumerate(sets):
        for element in elements:
            numbers.setdefault(element, []).append(place)
    found = np.zeros((len(sets), len(sets)), np.bool_)
    for places in numbers.values():
        found[np.ix_(places, places)] = True
    return found


def _split_off(nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each edge of a tree, how many nodes its smaller side has."""
    near: list[list[int]] = [[] for _ in range(nodes)]
    for one, other in edges:
        near[one].append(other)
        near[other].append(one)
    parent, order = [-1] * nodes, [0]
    for node in order:
        order += [other for other in near[node] if other != parent[node]]
        for other in near[node]:
            if other != parent[node]:
                parent[other] = node
    below = [1] * nodes
    for node in reversed(order[1:]):
        below[parent[node]] += below[node]
    sizes = [below[other] if parent[other] == one else below[one] for one, other in edges]
    return [min(size, nodes - size) for size in sizes]
