"""A build promises parameters chosen by measuring, what was measured in the manifest, training kept while it holds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from indexer.index.vectors import (
    Allowed,
    Manifest,
    SnapshotFolder,
    SnapshotPlan,
    VectorStore,
    ivf_building,
    main_index,
    snapshots,
)
from indexer.index.vectors.exact import exact_search
from indexer.index.vectors.selection import Selection
from indexer.index.vectors.tuning import held_out

COUNT = 4_000
PLAN = SnapshotPlan(exact_max=500, threads=1, tuning_queries=48)


@pytest.fixture(scope="module")
def vectors(clustered: Callable) -> np.ndarray:
    made, _ = clustered(2 * COUNT + 200, 1)
    return made


@pytest.fixture
def write(folder: SnapshotFolder, vectors: np.ndarray, blocks_of: Callable) -> Callable[..., Manifest]:
    """(count, plan) -> the manifest of a new current snapshot of the first `count` vectors."""

    def make(count: int, plan: SnapshotPlan = PLAN) -> Manifest:
        with folder.lock(wait=False):
            name = folder.write(blocks_of(np.arange(count), vectors[:count]), count, 0, plan)
        return folder.manifest(name)

    return make


def test_a_higher_recall_is_measured_higher_and_costs_more(write: Callable[..., Manifest]) -> None:
    lower, higher = (write(COUNT, replace(PLAN, recall_target=target)) for target in (0.6, 0.99))
    assert lower.recall is not None
    assert higher.recall is not None
    assert lower.recall < higher.recall
    assert higher.recall >= 0.97
    assert work(lower) < work(higher)
    assert higher.milliseconds is not None
    assert higher.milliseconds > 0


def work(manifest: Manifest) -> int:
    return manifest.parameters["probes"] * manifest.parameters["refined"]


def test_the_recall_of_the_manifest_is_what_other_queries_get(
    write: Callable[..., Manifest], folder: SnapshotFolder, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_index, "EXACT_ROWS", 100)
    manifest = write(COUNT, replace(PLAN, recall_target=0.9))
    queries = held_out(vectors[COUNT : COUNT + 200], 200)
    truth = exact_search(np.arange(COUNT), vectors[:COUNT], queries, 10, None, 1)
    found = VectorStore.open(folder, threads=1).search(queries, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.ids.tolist(), truth.ids.tolist(), strict=True)])
    assert manifest.recall is not None
    assert abs(recall - manifest.recall) < 0.1


def test_an_exact_snapshot_has_nothing_to_measure(write: Callable[..., Manifest]) -> None:
    manifest = write(300)
    assert (manifest.kind, manifest.recall, manifest.milliseconds) == ("exact", None, None)


def test_tuning_queries_are_unit_vectors_that_the_index_does_not_hold(vectors: np.ndarray) -> None:
    queries = held_out(vectors, 50)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-5)
    assert (queries @ vectors.T).max() < 0.99999


def test_a_merge_keeps_the_training_and_a_build_anew_does_not(write: Callable[..., Manifest]) -> None:
    assert write(COUNT).parameters["trained_on"] == COUNT
    merged = write(COUNT + 100)
    assert (merged.count, merged.parameters["trained_on"]) == (COUNT + 100, COUNT)
    assert write(COUNT + 200, replace(PLAN, retrain=True)).parameters["trained_on"] == COUNT + 200


def test_training_is_repeated_when_the_catalogue_has_doubled(write: Callable[..., Manifest]) -> None:
    write(COUNT)
    assert write(2 * COUNT + 1).parameters["trained_on"] == 2 * COUNT + 1


def test_training_is_repeated_when_the_recall_no_longer_holds(
    write: Callable[..., Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(COUNT)
    monkeypatch.setattr(snapshots, "MORE_PROBES", 0)
    assert write(COUNT + 100).parameters["trained_on"] == COUNT + 100


def test_training_is_not_taken_from_a_damaged_index(write: Callable[..., Manifest], folder: SnapshotFolder) -> None:
    write(COUNT)
    name = folder.current()
    assert name is not None
    path = folder.path / name / "ivf.faiss"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert write(COUNT + 100).parameters["trained_on"] == COUNT + 100


@pytest.fixture
def coded(monkeypatch: pytest.MonkeyPatch) -> None:
    """List centres found by codes, as in large indexes; filters answered by lists, however few rows they leave."""
    monkeypatch.setattr(ivf_building, "CODED_CENTRES", 1)
    monkeypatch.setattr(main_index, "EXACT_ROWS", 100)


@pytest.mark.usefixtures("coded")
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_lists_found_by_codes_of_their_centres_cost_no_recall(
    write: Callable[..., Manifest], folder: SnapshotFolder, vectors: np.ndarray, share: float
) -> None:
    write(2 * COUNT)
    mask = np.random.default_rng(1).random(2 * COUNT) < share
    queries = held_out(vectors, 60)
    truth = exact_search(np.arange(2 * COUNT), vectors[: 2 * COUNT], queries, 10, Selection(mask), 1)
    found = VectorStore.open(folder, threads=1).search(queries, 10, Allowed(np.flatnonzero(mask)))
    assert (found.scores >= truth.scores[:, -1:] - 1e-6).mean() >= 0.96
