"""How two detectors compare, on planted vectors and scores whose figures are known."""

from collections.abc import Iterator

import numpy as np
import pytest

from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images, labels, sources
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.sources import NewSource
from indexer.errors import NotFoundError
from indexer.reindex import agreement as module
from indexer.reindex.agreement import agreement
from indexer.vocabulary import LabelSource, LabelValue

OLD, NEW = "a" * 64, "b" * 64
F, A, U = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened


def plant(
    catalog: Catalog,
    fingerprint: str,
    vectors: np.ndarray,
    p_fake: list[float] | None,
    said: list[LabelValue] | None = None,
    by: LabelSource = LabelSource.HUMAN,
) -> None:
    """Image n gets vector n (normalised here) and score n from this detector; all detectors see the same images."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    with catalog.writing() as session:
        detector_id = detectors.register(session, fingerprint[:4], fingerprint, p_fake is not None, {})
        for number, vector in enumerate(unit.astype(np.float32)):
            image = NewImage(f"{number:064x}", 1, "PNG", 1, 1, "RGB", 1, (), bytes(32), 90, "planted")
            image_id = images.add(session, image)
            score = None if p_fake is None else p_fake[number]
            embeddings.add(session, detector_id, [(image_id, NewDetection(vector, (0.0,), score))])
            if said is not None and said[number] is not U:
                labels.state(session, image_id, [NewLabel(said[number], by, "desk")])


def clusters(*members: int, seed: int = 0) -> np.ndarray:
    """Vectors whose cluster numbers are `members`; within a cluster every cosine is near 1, between them near 0."""
    random = np.random.default_rng(seed)
    return np.eye(384)[list(members)] + random.standard_normal((len(members), 384)) * 0.005


def test_a_detector_agrees_wholly_with_its_twin(catalog: Catalog) -> None:
    vectors, scores = clusters(*[0] * 12, *[1] * 12), [number / 24 for number in range(24)]
    for fingerprint in (OLD, NEW):
        plant(catalog, fingerprint, vectors, scores)
    found = agreement(catalog, OLD, NEW)
    assert found.neighbours is not None
    assert (found.n, found.spearman, found.same_reading) == (24, pytest.approx(1), 1)
    assert (found.neighbours.jaccard, found.neighbours.same_nearest, found.neighbours.k) == (1, 1, 10)
    assert found.disagreements == ()


def test_readings_are_counted_by_label_and_the_largest_differences_named(catalog: Catalog) -> None:
    said = [F, F, F, A, A, U]
    plant(catalog, OLD, clusters(*range(6)), [0.9, 0.8, 0.1, 0.2, 0.7, 0.5], said)
    plant(catalog, NEW, clusters(*range(6)), [0.9, 0.3, 0.6, 0.1, 0.1, 0.5])
    found = agreement(catalog, OLD, NEW)
    rows = {
        row.label: (row.n, row.both_fake, row.both_authentic, row.only_old_fake, row.only_new_fake)
        for row in found.readings
    }
    assert rows == {F: (3, 1, 0, 1, 1), A: (2, 0, 1, 1, 0), U: (1, 1, 0, 0, 0)}
    assert found.same_reading == pytest.approx(3 / 6)
    assert [(one.sha256[-1], one.label) for one in found.disagreements] == [("4", A), ("1", F), ("2", F), ("3", A)]
    assert (found.disagreements[0].p_fake_old, found.disagreements[0].p_fake_new) == (0.7, 0.1)


def test_each_detector_is_measured_against_the_labels_of_people(catalog: Catalog) -> None:
    said = [F] * 6 + [A] * 6
    plant(catalog, OLD, clusters(*range(12)), [0.5] * 12, said)
    plant(catalog, NEW, clusters(*range(12)), [0.9] * 6 + [0.1] * 6)
    found = agreement(catalog, OLD, NEW)
    assert found.old.auc is not None
    assert found.new.auc is not None
    assert (found.labelled, found.old.auc.value, found.new.auc.value) == (12, 0.5, 1.0)
    assert found.spearman is None, "equal scores have no ranks to correlate"


def test_a_model_s_own_labels_measure_nobody(catalog: Catalog) -> None:
    plant(catalog, OLD, clusters(*range(4)), [0.9, 0.9, 0.1, 0.1], [F, F, A, A], by=LabelSource.MODEL)
    plant(catalog, NEW, clusters(*range(4)), [0.9, 0.9, 0.1, 0.1])
    found = agreement(catalog, OLD, NEW)
    assert (found.labelled, found.old.auc) == (0, None)
    assert [row.label for row in found.readings] == [U]


def test_neighbours_are_compared_and_held_against_labels(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old detector keeps fakes (0 to 3) and authentic (4 to 7) apart, the new one pairs each fake with one."""
    said = [F] * 4 + [A] * 4
    plant(catalog, OLD, clusters(0, 0, 1, 1, 2, 2, 3, 3), None, said)
    plant(catalog, NEW, clusters(0, 1, 2, 3, 0, 1, 2, 3, seed=1), None)
    monkeypatch.setattr(module, "NEIGHBOURS", 1)
    found = agreement(catalog, OLD, NEW)
    assert found.neighbours is not None
    assert (found.neighbours.k, found.neighbours.jaccard, found.neighbours.same_nearest) == (1, 0, 0)
    assert (found.old.same_label, found.new.same_label) == (1, 0)


def test_neighbours_are_those_of_brute_force_over_many_pages(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 7)
    monkeypatch.setattr(module, "QUERIES", 20)
    random = np.random.default_rng(3)
    old, new = random.standard_normal((40, 384)), random.standard_normal((40, 384))
    new[:20] = old[:20]
    plant(catalog, OLD, old, None)
    plant(catalog, NEW, new, None)
    found = agreement(catalog, OLD, NEW, seed=5)
    drawn = np.sort(np.random.default_rng(5).choice(np.arange(1, 41), 20, replace=False)) - 1
    shares = []
    for number in drawn:
        tens = [set(nearest(vectors, number, 10)) for vectors in (old, new)]
        shares.append(len(tens[0] & tens[1]) / len(tens[0] | tens[1]))
    assert found.neighbours is not None
    assert found.neighbours.jaccard == pytest.approx(np.mean(shares))
    assert agreement(catalog, OLD, NEW, seed=5) == found


def nearest(vectors: np.ndarray, number: int, k: int) -> list[int]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[number]
    cosines[number] = -2
    return [int(one) for one in np.argsort(-cosines)[:k]]


def test_an_untrained_detector_s_scores_are_not_compared(catalog: Catalog) -> None:
    plant(catalog, OLD, clusters(0, 0, 1, 1), None, [F, F, A, A])
    plant(catalog, NEW, clusters(0, 0, 1, 1), [0.9, 0.8, 0.2, 0.1])
    found = agreement(catalog, OLD, NEW)
    assert (found.spearman, found.same_reading, found.readings, found.disagreements) == (None, None, (), ())
    assert found.old.auc is None
    assert found.new.auc is not None


@pytest.mark.parametrize("count", [0, 1])
def test_with_next_to_no_pictures_there_are_no_figures_and_no_failure(catalog: Catalog, count: int) -> None:
    for fingerprint in (OLD, NEW):
        plant(catalog, fingerprint, clusters(*range(max(count, 1)))[:count], [0.5] * count)
    found = agreement(catalog, OLD, NEW)
    assert (found.n, found.neighbours, found.spearman, found.old.same_label) == (count, None, None, None)


def test_a_detector_without_embeddings_is_refused(catalog: Catalog) -> None:
    plant(catalog, OLD, clusters(0), [0.5])
    with pytest.raises(NotFoundError, match="no embeddings"):
        agreement(catalog, OLD, NEW)


def test_intervals_know_that_pictures_of_one_group_are_not_independent(catalog: Catalog) -> None:
    random = np.random.default_rng(2)
    by_group = random.random(12)
    scores = [float(one) for one in np.repeat(by_group, 8)]
    said = [F if number // 8 % 2 else A for number in range(96)]
    plant(catalog, OLD, random.standard_normal((96, 384)), scores, said)
    plant(catalog, NEW, random.standard_normal((96, 384)), scores)
    alone = agreement(catalog, OLD, NEW).old.auc
    with catalog.writing() as session:
        for image_id in range(1, 97):
            fields = {"Group": f"shoot {(image_id - 1) // 8}"}
            sources.add(session, image_id, NewSource("list.csv", f"row {image_id}", fields))
    grouped = agreement(catalog, OLD, NEW).old.auc
    assert alone is not None
    assert grouped is not None
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
