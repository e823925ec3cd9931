"""Exact search promises: what brute force says, the same bits in any batch, ties by id, nothing that is masked."""

from collections.abc import Callable

import numpy as np
import pytest

from indexer.index.vectors.exact import exact_search
from indexer.index.vectors.hits import Hits
from indexer.index.vectors.selection import Selection


def brute_force(ids: np.ndarray, vectors: np.ndarray, queries: np.ndarray, k: int, mask: np.ndarray) -> Hits:
    scores = np.clip(queries.astype(np.float64) @ vectors[mask].T.astype(np.float64), -1, 1).astype(np.float32)
    return Hits(np.broadcast_to(ids[mask], scores.shape), scores).ranked(k)


@pytest.mark.parametrize("share", [1.0, 0.6, 0.05, 0.0])
@pytest.mark.parametrize("queries", [1, 40])
def test_it_finds_what_brute_force_finds(clustered: Callable, share: float, queries: int) -> None:
    vectors, _ = clustered(3_000, 1)
    wanted, _ = clustered(queries, 2)
    random = np.random.default_rng(3)
    ids = random.permutation(10_000)[:3_000]
    mask = random.random(3_000) < share
    found = exact_search(ids, vectors, wanted, 10, Selection(mask), 1)
    truth = brute_force(ids, vectors, wanted, 10, mask)
    np.testing.assert_array_equal(found.ids, truth.ids)
    np.testing.assert_allclose(found.scores, truth.scores, rtol=0, atol=1e-7)


def test_equal_vectors_come_by_rising_id_however_many_there_are(clustered: Callable) -> None:
    vectors, _ = clustered(2_000, 4)
    vectors[500:1_500] = vectors[0]
    ids = np.random.default_rng(5).permutation(2_000)
    found = exact_search(ids, vectors, vectors[:1], 20, None, 1)
    same = np.sort(np.append(ids[500:1_500], ids[0]))
    np.testing.assert_array_equal(found.ids[0], same[:20])
    assert len(set(found.scores[0].tolist())) == 1


def test_a_score_has_the_same_bits_alone_and_in_any_batch(clustered: Callable) -> None:
    vectors, _ = clustered(1_500, 6)
    queries, _ = clustered(33, 7)
    ids = np.arange(1_500)
    together = exact_search(ids, vectors, queries, 12, None, 2)
    for at in range(0, 33, 4):
        alone = exact_search(ids, vectors, queries[at : at + 1], 12, None, 1)
        np.testing.assert_array_equal(alone.ids[0], together.ids[at])
        np.testing.assert_array_equal(alone.scores[0], together.scores[at])


def test_every_vector_finds_itself_with_a_cosine_of_one(clustered: Callable) -> None:
    vectors, _ = clustered(1_000, 8)
    found = exact_search(np.arange(1_000), vectors, vectors, 1, None, 1)
    np.testing.assert_array_equal(found.ids[:, 0], np.arange(1_000))
    assert found.scores.min() >= 0.999999
    assert found.scores.max() <= 1


def test_where_fewer_may_be_found_the_rest_is_marked_as_no_hit(clustered: Callable) -> None:
    vectors, _ = clustered(100, 9)
    mask = np.zeros(100, np.bool_)
    mask[[3, 70]] = True
    found = exact_search(np.arange(100), vectors, vectors[:2], 5, Selection(mask), 1)
    assert set(found.ids[0, :2].tolist()) == {3, 70}
    assert (found.ids[:, 2:] == -1).all()
    assert np.isneginf(found.scores[:, 2:]).all()
