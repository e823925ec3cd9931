"""Where linked accounts stand in a picture of their links: the same every time."""

from dataclasses import dataclass
from typing import Final

import networkx as nx

from indexer.accounts.exporting import graph_of
from indexer.accounts.links import AccountLinks

MOST_DRAWN: Final = 1_500
_SEED: Final = 7
_GAP: Final = 1.5
_BETWEEN_GROUPS: Final = 110.0
"""Room for names."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """`places`: x and y of each account, by its place in the list, within `width` and `height`."""

    places: tuple[tuple[float, float], ...]
    width: float
    height: float


def drawing_of(links: AccountLinks, width: float = 960.0, margin: float = 40.0) -> Drawing | None:
    """Each group by itself in rows, the largest first; None where there is nothing to draw, or too much to see."""
    if not 0 < len(links.accounts) <= MOST_DRAWN:
        return None
    graph = graph_of(links)
    groups: dict[int, list[str]] = {}
    for place, account in enumerate(links.accounts):
        groups.setdefault(account.group, []).append(str(place))
    places: dict[str, tuple[float, float]] = {}
    left, top, row_height = margin, margin, 0.0
    for _, nodes in sorted(groups.items()):
        side = 60.0 * len(nodes) ** 0.5 + margin
        if left + side > width and left > margin:
            left, top, row_height = margin, top + row_height + margin, 0.0
        side = min(side, width - 2 * margin)
        around = nx.spring_layout(graph.subgraph(nodes), seed=_SEED, k=_GAP / len(nodes) ** 0.5, weight=None)
        for node in nodes:
            x, y = around[node]
            places[node] = round(left + side * (float(x) + 1) / 2, 1), round(top + side * (float(y) + 1) / 2, 1)
        left, row_height = left + side + _BETWEEN_GROUPS, max(row_height, side)
    ordered = tuple(places[str(place)] for place in range(len(links.accounts)))
    return Drawing(ordered, width, top + row_height + margin)
