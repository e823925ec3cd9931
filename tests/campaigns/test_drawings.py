"""The drawings of a report: where images go, and that nothing falls outside."""

import numpy as np
import pytest

from indexer.campaigns.report.embedding_map import embedding_map
from indexer.campaigns.report.link_graph import link_graph
from indexer.campaigns.why import Bounds, LinkKind, Nearness, Traces
from tests.campaigns.shelves import origin


def traces(groups: int, each: int) -> list[Traces]:
    return [
        Traces(f"{group}-{one}", None, origin(group, one).astype(np.float32), None, frozenset())
        for group in range(groups)
        for one in range(each)
    ]


@pytest.mark.parametrize(("groups", "each"), [(1, 2), (3, 4), (1, 24)])
def test_every_image_has_a_place_inside_the_drawing_and_near_ones_lie_near(groups: int, each: int) -> None:
    images = traces(groups, each)
    links = Nearness(images, Bounds(31, 0.9, None)).graph(2)
    names = [one.sha256 for one in images]
    drawn = link_graph(names, [True] + [False] * (len(names) - 1), links)
    assert drawn is not None
    assert drawn == link_graph(names, [True] + [False] * (len(names) - 1), links)
    at = np.array([(node.x, node.y) for node in drawn.nodes])
    assert (at >= 0).all()
    assert (at <= (drawn.width, drawn.height)).all()
    assert len(np.unique(at, axis=0)) == len(images)
    assert sum(edge.holds for edge in drawn.edges) == len(images) - 1
    assert drawn.kinds == ((LinkKind.SAME_ORIGIN, LinkKind.NONE) if groups > 1 else (LinkKind.SAME_ORIGIN,))


def test_without_links_there_is_nothing_to_draw() -> None:
    assert link_graph([], [], ()) is None
    assert Nearness(traces(1, 1), Bounds(31, 0.9, None)).graph(2) == ()


def test_a_map_puts_two_origins_on_two_sides_and_knows_who_has_no_embedding() -> None:
    vectors = [*(one.vector for one in traces(2, 3)), None]
    made = embedding_map(vectors)
    assert made is not None
    left = [place[0] < 0 for place in made.places if place is not None]
    assert left[:3] == [left[0]] * 3 != left[3:]
    assert left[3:] == [left[3]] * 3
    assert made.places[6] is None
    assert 0.9 < made.shares[0] <= 1


@pytest.mark.parametrize(
    "vectors", [[], [None] * 4, [np.ones(384, np.float32)] * 4, [np.eye(384, dtype=np.float32)[0]] * 2]
)
def test_there_is_no_map_of_few_or_equal_embeddings(vectors: list[np.ndarray | None]) -> None:
    assert embedding_map(vectors) is None
