"""An approximate index promises recall, filters and deletions that cost none, exact scores, and repeatable builds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from indexer.index.vectors import (
    Allowed,
    Hits,
    SnapshotFolder,
    SnapshotPlan,
    VectorStore,
    ivf,
    main_index,
    nearest_neighbours,
)
from indexer.index.vectors.exact import exact_search
from indexer.index.vectors.selection import Selection

COUNT = 20_000
FEW = 8_000
TWINS = slice(4_000, 4_400)
"""Rows that have the very vector of row 0."""
IVF_PLAN = SnapshotPlan(exact_max=1_000, threads=1, tuning_queries=64)


@dataclass(frozen=True)
class Built:
    folder: SnapshotFolder
    ids: np.ndarray
    vectors: np.ndarray
    cluster: np.ndarray
    queries: np.ndarray

    def open(self) -> VectorStore:
        return VectorStore.open(self.folder, threads=1)

    def truth(self, k: int, mask: np.ndarray | None = None) -> Hits:
        wanted = None if mask is None else Selection(mask)
        return exact_search(self.ids, self.vectors, self.queries, k, wanted, 1)


@pytest.fixture(autouse=True)
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact answers for few rows only, so that indexes as small as these are used at all."""
    monkeypatch.setattr(main_index, "EXACT_ROWS", FEW)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, clustered: Callable, blocks_of: Callable) -> Built:
    vectors, cluster = clustered(COUNT, 1)
    vectors[TWINS], cluster[TWINS] = vectors[0], cluster[0]
    queries, _ = clustered(100, 2)
    ids = np.random.default_rng(3).permutation(COUNT * 2)[:COUNT]
    folder = SnapshotFolder(tmp_path_factory.mktemp("ivf"), "a" * 64, 384)
    with folder.lock(wait=False):
        folder.write(blocks_of(ids, vectors), 1, 1, IVF_PLAN)
    return Built(folder, ids, vectors, cluster, queries)


def recall(found: Hits, truth: Hits) -> float:
    pairs = zip(found.ids.tolist(), truth.ids.tolist(), strict=True)
    return float(np.mean([len(set(one) & set(other)) / len(other) for one, other in pairs]))


def test_held_out_queries_find_their_neighbours(built: Built) -> None:
    store = built.open()
    assert store.manifest is not None
    assert store.manifest.kind == "ivf"
    assert recall(store.search(built.queries, 10), built.truth(10)) >= 0.95


def test_a_quick_search_probes_less_and_finds_what_counts_for_a_graph(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = built.open()
    assert store.manifest is not None
    monkeypatch.setattr(ivf, "QUICK_PROBES", 1)
    assert store.manifest.parameters["probes"] > 1
    quick, truth = store.search(built.queries, 10, quick=True), built.truth(10)
    assert recall(quick, truth) < recall(store.search(built.queries, 10), truth)
    nearest = quick.ids[:, 0] == truth.ids[:, 0]
    np.testing.assert_array_equal(quick.scores[nearest, 0], truth.scores[nearest, 0])
    copies = nearest_neighbours(store, 3)
    assert copies.ids.tolist() == sorted(built.ids.tolist())
    near = np.array([score > 0.9 for score in copies.cosines[:, 0]])
    assert near.mean() > 0.15  # one vector in five has a near duplicate


def test_scores_are_exact_cosines_in_any_batch(built: Built) -> None:
    store = built.open()
    together = store.search(built.queries, 10)
    rows = np.argsort(built.ids)[np.searchsorted(np.sort(built.ids), together.ids)]
    cosines = np.einsum("qkd,qd->qk", built.vectors[rows], built.queries, dtype=np.float64)
    np.testing.assert_allclose(together.scores, cosines, rtol=0, atol=1e-7)
    alone = store.search(built.queries[:1], 10)
    np.testing.assert_array_equal(alone.ids, together.ids[:1])
    np.testing.assert_array_equal(alone.scores, together.scores[:1])


def test_stored_vectors_find_themselves(built: Built) -> None:
    rows = np.setdiff1d(np.arange(1, COUNT, 50), np.arange(COUNT)[TWINS])
    found = built.open().search(built.vectors[rows], 1)
    np.testing.assert_array_equal(found.ids[:, 0], built.ids[rows])
    assert found.scores.min() >= 0.999999


@pytest.mark.parametrize("filtering", ["by cluster", "at random"])
@pytest.mark.parametrize("share", [0.8, 0.45])
def test_a_filter_that_leaves_many_rows_keeps_the_recall(
    built: Built, filtering: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = built.cluster < 50 * share if filtering == "by cluster" else np.random.default_rng(1).random(COUNT) < share
    assert chosen.sum() > FEW
    monkeypatch.setattr(main_index, "exact_search", None)  # no query comes so short that all must be looked at
    found = built.open().search(built.queries, 10, Allowed(built.ids[chosen]))
    assert np.isin(found.ids, built.ids[chosen]).all()
    assert recall(found, built.truth(10, chosen)) >= 0.95


@pytest.mark.parametrize("clusters", [1, 5, 15])
def test_a_filter_that_leaves_few_rows_is_answered_exactly(built: Built, clusters: int) -> None:
    chosen = built.cluster < clusters
    found = built.open().search(built.queries, 10, Allowed(built.ids[chosen]))
    truth = built.truth(10, chosen)
    np.testing.assert_array_equal(found.ids, truth.ids)
    np.testing.assert_array_equal(found.scores, truth.scores)


def test_no_query_comes_short_where_the_probed_lists_hold_too_few(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ivf.IvfIndex, "_filtered_probes", lambda *_: 1)
    monkeypatch.setattr(ivf.IvfIndex, "scans_faster_than_this", lambda *_: False)
    chosen = np.random.default_rng(1).random(COUNT) < 0.45
    assert chosen.sum() > FEW
    found = built.open().search(built.queries, 100, Allowed(built.ids[chosen]))  # a list holds about 20 of them
    np.testing.assert_array_equal(found.ids, built.truth(100, chosen).ids)


def test_deleted_rows_make_room_for_the_next_best(built: Built) -> None:
    store = built.open()
    gone = np.unique(store.search(built.queries, 10).ids)
    store.delete(gone, 2)
    found = store.search(built.queries, 10)
    assert not np.isin(found.ids, gone).any()
    assert (found.ids >= 0).all()
    assert recall(found, built.truth(10, ~np.isin(built.ids, gone))) >= 0.95


def test_ties_come_by_rising_id_however_many_there_are(built: Built) -> None:
    same = np.sort(np.append(built.ids[TWINS], built.ids[0]))
    for query in (built.vectors[:1], built.vectors[[0, 5, 0]]):
        np.testing.assert_array_equal(built.open().search(query, 10).ids[0], same[:10])


def test_the_same_content_is_built_into_the_same_snapshot(
    tmp_path_factory: pytest.TempPathFactory, clustered: Callable, blocks_of: Callable
) -> None:
    vectors, _ = clustered(1_200, 7)
    digests = set()
    for _ in range(2):
        folder = SnapshotFolder(tmp_path_factory.mktemp("same"), "a" * 64, 384)
        with folder.lock(wait=False):
            name = folder.write(blocks_of(np.arange(1_200), vectors), 9, 9, IVF_PLAN)
        digests.add(folder.manifest(name).snapshot)
    assert len(digests) == 1
