"""The layout of a campaign's link graph. Geometry only; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path
from sklearn.manifold import smacof

from indexer.campaigns.why import Link, LinkKind

_LENGTH = {
    LinkKind.SAME_PICTURE: 1.0,
    LinkKind.SAME_RECIPE: 1.4,
    LinkKind.SAME_ORIGIN: 1.8,
    LinkKind.SAME_MODEL: 2.2,
    LinkKind.NONE: 2.8,
}
_WIDTH, _HEIGHT, _EDGE = 960.0, 430.0, 40.0


@dataclass(frozen=True, slots=True)
class Node:
    """An image, by its number on the page from 1."""

    number: int
    exemplar: bool
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two nodes. `holds`: whether it is part of the spanning tree."""

    kind: LinkKind
    holds: bool
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class LinkGraph:
    """A drawing of `width` by `height`; `kinds` are the link kinds that occur."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    kinds: tuple[LinkKind, ...]


def link_graph(images: Sequence[str], exemplar: Sequence[bool], links: Sequence[Link]) -> LinkGraph | None:
    """Lays out images (SHA-256, in page order) and the links between them; None without links.

    Uses stress majorisation (Gansner, Koren & North, Graph Drawing 2004) on the shortest path lengths.
    """
    if not links:
        return None
    number = {sha256: position for position, sha256 in enumerate(images)}
    first = np.array([number[link.first] for link in links])
    second = np.array([number[link.second] for link in links])
    lengths = np.array([_LENGTH[link.kind] for link in links])
    shown = int(max(first.max(), second.max())) + 1
    ways = shortest_path(coo_array((lengths, (first, second)), shape=(shown, shown)).tocsr(), directed=False)
    at = _fitted(_majorised(ways))
    return LinkGraph(
        width=_WIDTH,
        height=_HEIGHT,
        nodes=tuple(Node(position + 1, exemplar[position], *at[position]) for position in range(shown)),
        edges=tuple(
            Edge(link.kind, link.splits_off > 0, *at[number[link.first]], *at[number[link.second]])
            for link in reversed(links)
        ),
        kinds=tuple(kind for kind in LinkKind if any(link.kind is kind for link in links)),
    )


def _majorised(ways: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Positions [N, 2] whose distances approximate the path lengths [N, N]."""
    angle = np.arange(len(ways)) * 2.399963  # the golden angle: no two on one line
    radius = ways[0] + 0.1
    start = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    layout: npt.NDArray[np.float64] = smacof(ways, init=start, n_init=1, max_iter=200, random_state=0)[0]
    return layout


def _fitted(places: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """The positions rotated so that the layout is wide, scaled to fit the drawing, and separated where they overlap."""
    centred = places - places.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    turned = centred @ axes.T
    half = np.abs(turned).max(axis=0) + 1e-9
    room = np.array([_WIDTH / 2 - _EDGE, _HEIGHT / 2 - _EDGE])
    scaled = turned * np.minimum(room / half, (room / half).min() * 1.6)
    middle = np.array([_WIDTH / 2, _HEIGHT / 2])
    return [(round(x, 1), round(y, 1)) for x, y in (scaled + middle).tolist()]
