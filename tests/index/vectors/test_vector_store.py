"""A vector store promises what a table of vectors would answer, through any sequence of changes, and while changing."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import VectorIndexError
from indexer.index.vectors import Allowed, SnapshotFolder, SnapshotPlan, VectorStore, nearest_neighbours

DIMENSION = 8
IDS = 30
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, IDS - 1), max_size=12), st.integers(0, 5)),
        st.tuples(st.just("delete"), st.lists(st.integers(0, IDS - 1), max_size=6), st.just(0)),
        st.tuples(st.sampled_from(["snapshot", "reopen", "snapshot and reopen"]), st.just([]), st.just(0)),
        st.tuples(st.just("search"), st.lists(st.integers(0, IDS - 1), max_size=20), st.integers(1, 12)),
    ),
    max_size=25,
)


def unit(*seed: int) -> np.ndarray:
    """One of few unit vectors, so that ties are common."""
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


class Model:
    """The table: what the store must answer, by brute force."""

    def __init__(self) -> None:
        self.now: dict[int, np.ndarray] = {}
        self.saved: dict[int, np.ndarray] = {}

    def search(self, query: np.ndarray, k: int, allowed: set[int] | None) -> tuple[list[int], list[float]]:
        scores = {
            image_id: np.float32(min(1, vector.astype(np.float64) @ query.astype(np.float64)))
            for image_id, vector in self.now.items()
            if allowed is None or image_id in allowed
        }
        best = sorted(scores, key=lambda image_id: (-scores[image_id], image_id))[:k]
        missing = k - len(best)
        return best + [-1] * missing, [float(scores[one]) for one in best] + [-np.inf] * missing


@settings(max_examples=80, deadline=None)
@given(operations=OPERATIONS)
def test_any_sequence_of_changes_answers_like_a_table(operations: list[tuple[str, list[int], int]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = SnapshotFolder(Path(temporary), "a" * 64, DIMENSION)
        store, model = VectorStore.open(folder, threads=1), Model()
        for step, (operation, ids, number) in enumerate(operations):
            if operation == "add":
                vectors = np.array([unit(image_id % 4, number) for image_id in ids], np.float32).reshape(-1, DIMENSION)
                store.add(np.array(ids, np.int64), vectors, step)
                model.now.update(zip(ids, vectors, strict=True))
            elif operation == "delete":
                store.delete(np.array(ids, np.int64), step)
                for image_id in ids:
                    model.now.pop(image_id, None)
            elif operation == "search":
                for allowed in (None, set(ids)):
                    query = unit(number % 4, number)
                    selection = None if allowed is None else Allowed(np.array(ids, np.int64))
                    found = store.search(query[None], number, selection)
                    truth_ids, truth_scores = model.search(query, number, allowed)
                    assert found.ids[0].tolist() == truth_ids
                    np.testing.assert_allclose(found.scores[0], truth_scores, rtol=0, atol=1e-7)
            if "snapshot" in operation:
                with folder.lock(wait=False):
                    store.write_snapshot(SnapshotPlan(exact_max=1_000, threads=1))
                model.saved = dict(model.now)
            if "reopen" in operation:
                store, model.now = VectorStore.open(folder, threads=1), dict(model.saved)
            assert store.count == len(model.now)
            held = store.vectors_of(np.arange(-1, 40))
            assert held.keys() == {image_id for image_id in model.now if image_id < 40}
            assert all(np.array_equal(vector, model.now[image_id]) for image_id, vector in held.items())


def test_the_counts_say_what_is_where(folder: SnapshotFolder, clustered: Callable, exact_plan: SnapshotPlan) -> None:
    vectors, _ = clustered(30, 1)
    store = VectorStore.open(folder)
    store.add(np.arange(20), vectors[:20], 20)
    with folder.lock(wait=False):
        store.write_snapshot(exact_plan)
    store = VectorStore.open(folder)
    store.add(np.arange(20, 30), vectors[20:], 30)
    store.delete(np.array([0, 1, 25]), 4)
    assert (store.count, store.tail, store.deleted) == (27, 9, 2)
    assert (store.watermark, store.tombstone_watermark) == (30, 4)


def test_vectors_of_another_length_or_not_normalised_are_refused_and_nothing_is_added(folder: SnapshotFolder) -> None:
    store = VectorStore.open(folder)
    with pytest.raises(VectorIndexError, match="384"):
        store.add(np.arange(2), np.ones((2, 512), np.float32), 1)
    for wrong in (np.zeros(384), np.full(384, np.nan), np.ones(384)):
        with pytest.raises(VectorIndexError, match="image 7"):
            store.add(np.array([7]), wrong[None].astype(np.float32), 1)
    assert (store.count, store.watermark) == (0, 0)


def test_searches_during_adds_and_deletes_are_each_right(folder: SnapshotFolder, clustered: Callable) -> None:
    vectors, _ = clustered(3_000, 2)
    store = VectorStore.open(folder, threads=1)
    store.add(np.arange(100), vectors[:100], 100)
    done = threading.Event()
    failures: list[str] = []

    def search() -> None:
        random = np.random.default_rng(threading.get_ident())
        while not done.is_set():
            image_id = int(random.integers(0, 50))  # these stay throughout
            found = store.search(vectors[image_id][None], 5)
            if found.ids[0, 0] != image_id or found.scores[0, 0] < 0.999999 or (found.ids < 0).any():
                failures.append(f"{image_id}: {found}")

    def delete() -> None:
        for image_id in range(50, 3_000, 2):
            store.delete(np.array([image_id]), image_id)

    threads = [threading.Thread(target=search) for _ in range(3)]
    deleter = threading.Thread(target=delete)
    for thread in (*threads, deleter):
        thread.start()
    for start in range(100, 3_000, 10):
        rows = slice(start, start + 10)
        store.add(np.arange(start, start + 10), vectors[rows], start)
    deleter.join()
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    store.delete(np.arange(50, 3_000, 2), 3_000)
    assert store.count == 50 + 2_950 // 2


def test_a_search_sees_additions_and_deletions_at_once(folder: SnapshotFolder, clustered: Callable) -> None:
    vectors, _ = clustered(10, 3)
    store = VectorStore.open(folder)
    store.add(np.array([5]), vectors[:1], 1)
    assert store.search(vectors[:1], 1).ids.tolist() == [[5]]
    store.delete(np.array([5]), 1)
    assert store.search(vectors[:1], 1).ids.tolist() == [[-1]]


def test_what_is_read_block_by_block_is_of_one_moment(
    folder: SnapshotFolder, clustered: Callable, exact_plan: SnapshotPlan
) -> None:
    vectors, _ = clustered(40, 6)
    store = VectorStore.open(folder)
    store.add(np.arange(30), vectors[:30], 1)
    with folder.lock(wait=False):
        store.write_snapshot(exact_plan)
    store = VectorStore.open(folder)
    store.add(np.arange(30, 40), vectors[30:], 2)
    store.delete(np.array([0, 39]), 1)
    blocks = store.blocks()
    store.delete(np.array([1, 38]), 2)
    store.add(np.array([99]), vectors[:1], 3)
    assert np.concatenate([block.ids for block in blocks]).tolist() == list(range(1, 39))


def test_neighbours_leave_out_the_image_itself_and_come_in_the_order_of_ids(
    folder: SnapshotFolder, clustered: Callable, exact_plan: SnapshotPlan
) -> None:
    vectors, _ = clustered(1_500, 4)
    vectors[1_000:1_040] = vectors[0]  # more images of one vector than neighbours asked for
    ids = np.random.default_rng(5).permutation(1_500)
    store = VectorStore.open(folder, threads=1)
    store.add(ids[:1_200], vectors[:1_200], 1)
    with folder.lock(wait=False):
        store.write_snapshot(exact_plan)
    store = VectorStore.open(folder, threads=1)
    store.add(ids[1_200:], vectors[1_200:], 2)
    store.delete(ids[3:5], 1)

    found_ids, neighbours, cosines = nearest_neighbours(store, 6)

    live = np.delete(np.arange(1_500), [3, 4])
    np.testing.assert_array_equal(found_ids, np.sort(ids[live]))
    place = {int(image_id): row for row, image_id in enumerate(ids)}
    for at in range(0, len(found_ids), 7):
        row = place[int(found_ids[at])]
        others = live[live != row]
        scores = vectors[others].astype(np.float64) @ vectors[row].astype(np.float64)
        np.testing.assert_allclose(cosines[at], np.sort(scores)[::-1][:6], rtol=0, atol=2e-7)
        assert found_ids[at] not in neighbours[at]


def test_a_store_with_few_vectors_has_as_many_neighbours_as_there_are(folder: SnapshotFolder) -> None:
    store = VectorStore.open(folder)
    assert nearest_neighbours(store, 3).neighbours.shape == (0, 3)
    store.add(np.array([4, 9]), np.eye(384, dtype=np.float32)[:2], 1)
    assert nearest_neighbours(store, 3).neighbours.tolist() == [[9, -1, -1], [4, -1, -1]]
