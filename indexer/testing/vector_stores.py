"""What a store of vectors promises: what a table of vectors would answer, exactly, also while it changes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from indexer.errors import VectorIndexError
from indexer.index.vectors import Allowed, Hits, VectorStore

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class VectorStoreTests:
    """Inherit, and give the fixture `store`: an empty store. `dimension` is the length of its vectors.

    A store has what `VectorStore` has of `add`, `delete`, `search`, `vectors_of`, `count`, `watermark`,
    `tombstone_watermark` and `at_this_moment`.
    """

    dimension = 384

    def test_an_empty_store_finds_nothing(self, store: VectorStore) -> None:
        hits = store.search(self._vectors(2), 3)
        assert hits.ids.tolist() == [[-1] * 3] * 2, "what is missing is id -1"
        assert np.isneginf(hits.scores).all(), "what is missing has the score -inf"
        assert store.count == 0

    def test_the_nearest_come_first_and_no_other(self, store: VectorStore) -> None:
        ids, vectors = self._fill(store)
        queries = self._vectors(20, seed=1)
        self._same(store.search(queries, 7), self._by_brute_force(ids, vectors, queries, 7))

    def test_equal_cosines_come_by_rising_id(self, store: VectorStore) -> None:
        vector = self._vectors(1)
        store.add(np.array([9, 4, 7]), np.repeat(vector, 3, axis=0), 9)
        assert store.search(vector, 5).ids.tolist() == [[4, 7, 9, -1, -1]]

    def test_a_filter_is_kept_to_and_still_exact(self, store: VectorStore) -> None:
        ids, vectors = self._fill(store)
        queries = self._vectors(5, seed=2)
        for some in (ids[:3], ids[::2], ids[:0], np.array([100_000])):
            rows = np.isin(ids, some)
            expected = self._by_brute_force(ids[rows], vectors[rows], queries, 4)
            self._same(store.search(queries, 4, Allowed(some)), expected)

    def test_what_is_added_again_has_its_new_vector(self, store: VectorStore) -> None:
        old, new = self._vectors(2)
        store.add(np.array([5]), old[None], 1)
        store.add(np.array([5]), new[None], 2)
        assert store.count == 1
        assert np.array_equal(store.vectors_of(np.array([5, 6]))[5], new), "vectors come back bit by bit"
        assert 6 not in store.vectors_of(np.array([5, 6]))

    def test_what_is_deleted_is_not_found_from_then_on(self, store: VectorStore) -> None:
        ids, vectors = self._fill(store)
        store.delete(np.array([ids[0], 99_999]), 3)
        assert store.count == len(ids) - 1
        assert ids[0] not in store.search(vectors[:1], len(ids)).ids
        assert not store.vectors_of(ids[:1])
        store.add(ids[:1], vectors[:1], 1_000)
        assert store.search(vectors[:1], 1).ids.tolist() == [[ids[0]]], "an id that was deleted may come again"

    def test_watermarks_only_rise(self, store: VectorStore) -> None:
        vector = self._vectors(1)
        store.add(np.array([1]), vector, 8)
        store.add(np.array([2]), vector, 5)
        store.delete(np.array([1]), 4)
        store.delete(np.array([1]), 2)
        assert (store.watermark, store.tombstone_watermark) == (8, 4)

    def test_vectors_that_do_not_fit_are_refused_and_nothing_is_added(self, store: VectorStore) -> None:
        good = self._vectors(2)
        not_numbers = np.full((2, self.dimension), np.nan, np.float32)
        for wrong in (good * 2, np.zeros_like(good), not_numbers, good[:, 1:], np.vstack((good[:1], good[1:] * 2))):
            try:
                store.add(np.array([1, 2]), wrong, 2)
            except VectorIndexError:
                pass
            else:
                raise AssertionError("vectors that are not normalised, or of another length, must be refused")
        assert (store.count, store.watermark) == (0, 0)

    def test_a_moment_stays_as_it_was(self, store: VectorStore) -> None:
        ids, vectors = self._fill(store)
        moment = store.at_this_moment()
        store.delete(ids[:10], 1)
        store.add(np.array([5_000]), vectors[:1], 5_000)
        assert moment.count == len(ids)
        self._same(moment.search(vectors[:3], 4), self._by_brute_force(ids, vectors, vectors[:3], 4))

    def test_searches_go_on_while_it_changes(self, store: VectorStore) -> None:
        ids, vectors = self._fill(store)

        def change(row: int) -> None:
            store.delete(ids[row : row + 1], row)
            store.add(ids[row : row + 1], vectors[row : row + 1], int(ids[row]))

        with ThreadPoolExecutor(4) as threads:
            changing = [threads.submit(change, row) for row in range(40)]
            searching = [threads.submit(store.search, vectors[100:101], 1) for _ in range(40)]
            for done in changing:
                done.result()
            assert {int(done.result().ids[0, 0]) for done in searching} == {int(ids[100])}
        self._same(store.search(vectors[:5], 3), self._by_brute_force(ids, vectors, vectors[:5], 3))

    def _vectors(self, count: int, seed: int = 0) -> Floats:
        drawn = np.random.default_rng((seed, count)).standard_normal((count, self.dimension)).astype(np.float32)
        unit: Floats = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit

    def _fill(self, store: VectorStore) -> tuple[Ids, Floats]:
        """150 vectors by ids with gaps, added in two parts."""
        ids, vectors = np.arange(150, dtype=np.int64) * 3 + 2, self._vectors(150, seed=9)
        store.add(ids[:80], vectors[:80], int(ids[79]))
        store.add(ids[80:], vectors[80:], int(ids[-1]))
        return ids, vectors

    @staticmethod
    def _by_brute_force(ids: Ids, vectors: Floats, queries: Floats, k: int) -> Hits:
        scores = np.clip(queries.astype(np.float64) @ vectors.T.astype(np.float64), -1, 1).astype(np.float32)
        return Hits(np.broadcast_to(ids, scores.shape), scores).ranked(k)

    @staticmethod
    def _same(hits: Hits, expected: Hits) -> None:
        assert hits.ids.tolist() == expected.ids.tolist()
        np.testing.assert_allclose(hits.scores, expected.scores, atol=1e-6)
