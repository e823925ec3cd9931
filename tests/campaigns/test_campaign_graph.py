import numpy as np
import pytest

from indexer.campaigns.grouping.graph import (
    SMALLEST_DISTANCE,
    LinkKind,
    contracted,
    cosine_distance,
    distance_matrix,
    links,
    pieces,
    renumbered,
)


def test_links_are_undirected_unique_and_keep_the_nearest_of_a_pair() -> None:
    made = links([2, 0, 1, 3, 1], [1, 1, 2, 3, 0], [0.5, 0.2, 0.4, 0.0, 0.3])
    assert made.first.tolist() == [0, 1]
    assert made.second.tolist() == [1, 2]
    assert made.distance.tolist() == [0.2, 0.4]


def test_of_equally_near_links_of_a_pair_the_first_kind_counts_and_of_others_the_nearest() -> None:
    made = links(
        [3, 5, 3, 1, 1],
        [5, 3, 5, 2, 2],
        [0.2, 0.1, 0.1, 0.3, 0.2],
        np.array(
            [LinkKind.SAME_PICTURE, LinkKind.SAME_ORIGIN, LinkKind.SAME_RECIPE] + [LinkKind.SAME_ORIGIN] * 2, np.uint8
        ),
    )
    assert (made.first.tolist(), made.second.tolist()) == ([1, 3], [2, 5])
    assert (made.distance.tolist(), made.kind.tolist()) == ([0.2, 0.1], [LinkKind.SAME_ORIGIN, LinkKind.SAME_RECIPE])


def test_no_distance_is_zero_because_sparse_matrices_drop_zeros() -> None:
    assert cosine_distance([1.0, 1.0000002, 0.9]).tolist() == [SMALLEST_DISTANCE, SMALLEST_DISTANCE, pytest.approx(0.1)]


def test_pieces_are_numbered_by_their_first_members() -> None:
    assert pieces(5, links([4, 1], [0, 3], [1, 1])).tolist() == [0, 1, 2, 1, 0]
    assert pieces(0, links([], [], [])).tolist() == []


def test_groups_are_renumbered_by_their_first_members_and_noise_stays_noise() -> None:
    assert renumbered([7, -3, 2, 7, -1, 2]).tolist() == [0, -1, 1, 0, -1, 1]


def test_groups_are_as_near_as_their_nearest_members() -> None:
    made = contracted(np.array([0, 0, 1, 1]), links([0, 1, 0], [2, 3, 1], [0.3, 0.1, 0.01]))
    assert (made.first.tolist(), made.second.tolist(), made.distance.tolist()) == ([0], [1], [0.1])


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 50])
@pytest.mark.parametrize("entries", [1, 2, 5])
def test_the_distance_matrix_is_what_hdbscan_needs(nodes: int, entries: int) -> None:
    matrix = distance_matrix(nodes, links([0], [nodes - 1], [1e-6]), bound=0.1, entries=entries)
    dense = matrix.toarray()
    assert (dense == dense.T).all()
    assert (matrix.data > 0).all()
    assert (np.count_nonzero(dense, axis=1) >= min(entries, nodes - 1)).all()
    assert pieces(nodes, links(*matrix.nonzero(), matrix.data)).max() == 0
    assert dense[0, nodes - 1] == 1e-6
    assert set(np.unique(dense)) <= {0.0, 1e-6, 0.1 * 1.01}
