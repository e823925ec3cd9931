"""Graphs of evidence between numbered images: links, connected components, and the distance matrix HDBSCAN reads.

Knows nothing of the catalogue: pure functions of arrays with bit-identical results.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from indexer.arrays import Reals

Ints = npt.NDArray[np.int64]

SMALLEST_DISTANCE = 1e-6
"""Distances are rounded to this and never smaller: sparse matrices drop zeros, and float32 cosines wobble below it."""

_BEYOND = 1.01
"""How much longer than the bound the edges are that stand for "no evidence".

HDBSCAN compares densities 1/distance. Long bridges make every connected piece look extremely persistent, and its
"eom" rule then returns the pieces whole. With bridges just beyond the bound it looks inside: on 1,223 planted vectors
with chained noise (bound 0.2, min_samples 2) the ARI is .43 at 1.01 and at 2 times the bound, .18 at 10 times.
"""


class LinkKind(IntEnum):
    """The evidence for a link. When two links of a pair are equally near, the first kind listed wins."""

    SAME_PICTURE = 0
    SAME_PICTURE_MIRRORED = 1
    SAME_RECIPE = 2
    SAME_ORIGIN = 3
    VERIFIED_COPY = 4
    VERIFIED_COPY_MIRRORED = 5


Kinds = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Links:
    """Undirected links between nodes. `first` < `second` [E] int64, each pair once, sorted; `distance` [E] float64,
    smaller is nearer, in the unit of its evidence (PDQ bits, or 1 - cosine); `kind` [E] what each rests on."""

    first: Ints
    second: Ints
    distance: Reals
    kind: Kinds

    def __len__(self) -> int:
        return len(self.first)

    def only(self, kept: npt.NDArray[np.bool_]) -> "Links":
        """The links for which `kept` [E] is true."""
        return Links(self.first[kept], self.second[kept], self.distance[kept], self.kind[kept])


def links(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    distance: npt.ArrayLike,
    kind: LinkKind | Kinds = LinkKind.SAME_ORIGIN,
) -> Links:
    """Links from node numbers [E] in any order and direction, possibly repeated: the nearest link of each pair is kept,
    self-links are dropped. `kind` is a single kind or [E].
    """
    left, right = np.asarray(first, np.int64), np.asarray(second, np.int64)
    low, high, far = np.minimum(left, right), np.maximum(left, right), np.asarray(distance, np.float64)
    kinds = np.broadcast_to(np.asarray(kind, np.uint8), low.shape)
    proper = np.flatnonzero(low != high)
    width = int(high.max(initial=0)) + 1
    pair = low[proper] * width + high[proper]
    order = np.argsort(pair)  # order within a pair does not matter: it does not change which link is kept
    pair, proper = pair[order], proper[order]
    first_of = np.flatnonzero(np.diff(pair, prepend=-1))
    if not len(first_of):
        return Links(pair, pair, far[proper], kinds[proper])
    nearest = np.minimum.reduceat(far[proper], first_of)
    as_near = far[proper] == np.repeat(nearest, np.diff(first_of, append=len(pair)))
    kind_kept = np.minimum.reduceat(np.where(as_near, kinds[proper], np.iinfo(np.uint8).max), first_of)
    return Links(*np.divmod(pair[first_of], width), nearest, kind_kept)


def both_ways(evidence: Links) -> tuple[Ints, Ints, Reals]:
    """Each link from both of its ends: near nodes, far nodes and distances, all [2E]."""
    near = np.concatenate([evidence.first, evidence.second])
    far = np.concatenate([evidence.second, evidence.first])
    return near, far, np.tile(evidence.distance, 2)


def united(*several: Links) -> Links:
    """The union of several sets of links; the nearest link of each pair."""
    return links(
        np.concatenate([some.first for some in several]),
        np.concatenate([some.second for some in several]),
        np.concatenate([some.distance for some in several]),
        np.concatenate([some.kind for some in several]),
    )


def cosine_distance(cosine: npt.ArrayLike) -> Reals:
    """1 - cosine, rounded to multiples of SMALLEST_DISTANCE and never below it."""
    distance = np.round(1.0 - np.asarray(cosine, np.float64), 6)
    return np.maximum(distance, SMALLEST_DISTANCE)


def pieces(nodes: int, evidence: Links) -> Ints:
    """The connected component of each node [nodes], numbered from 0 in the order of first nodes."""
    if nodes == 0:
        return np.empty(0, np.int64)
    joined = csr_array((np.ones(len(evidence), np.int8), (evidence.first, evidence.second)), shape=(nodes, nodes))
    _, labels = connected_components(joined, directed=False)
    return renumbered(labels)


def renumbered(labels: npt.ArrayLike) -> Ints:
    """The same groups [N] numbered from 0 in the order of their first members; negative labels become -1."""
    given = np.asarray(labels, np.int64)
    values, start, inverse = np.unique(given, return_index=True, return_inverse=True)
    number = np.full(len(values), -1, np.int64)
    real = np.flatnonzero(values >= 0)
    number[real[np.argsort(start[real])]] = np.arange(len(real))
    return number[inverse.reshape(-1)]


def members_of(labels: Ints) -> list[Ints]:
    """The rising numbers of the members of each group, by rising label; negative labels are no group."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []


def contracted(group_of: Ints, evidence: Links) -> Links:
    """The links between groups, by single linkage: a pair of groups is as near as its nearest members."""
    return links(group_of[evidence.first], group_of[evidence.second], evidence.distance, evidence.kind)


def distance_matrix(nodes: int, evidence: Links, bound: float, entries: int) -> Any:
    """Symmetric sparse distances [nodes, nodes] that scikit-learn's HDBSCAN accepts as `precomputed`.

    It needs at least `entries` stored distances a row and one connected piece, or core distances become infinite. Both
    come from a ring through all nodes whose edges are a little longer than `bound`; `evidence` must be within it.

    Returns:
        scipy csr_array of float64, all entries > 0.
    """
    node = np.arange(nodes, dtype=np.int64)
    steps = range(1, min(entries, nodes - 1) + 1)
    ring = links(
        np.concatenate([node for _ in steps] or [node[:0]]),
        np.concatenate([(node + step) % nodes for step in steps] or [node[:0]]),
        np.full(nodes * len(steps), bound * _BEYOND),
    )
    near, far, distance = both_ways(united(evidence, ring))
    return csr_array((distance, (near, far)), shape=(nodes, nodes))
