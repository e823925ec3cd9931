"""Embeddings, detectors, and how others follow the catalogue."""

import numpy as np
import pytest
from sqlalchemy import text

from indexer.catalog import Catalog, changes
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels
from indexer.catalog.records.detections import NewDetection, Watermarks
from indexer.errors import UsageError
from tests.catalog.catalogue_rows import FAKE, add_image, detection, digest, new_image, said, unit_vector

A, B = "a" * 64, "b" * 64


def test_vectors_come_back_bit_by_bit(catalog: Catalog) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        ids = [add_image(session, number) for number in range(3)]
        assert embeddings.add(session, detector_id, [(ids[n], detection(n)) for n in (2, 0)]) == 2
    with catalog.reading() as session:
        batch = embeddings.since(session, A, 0, 10)
        assert batch.image_ids.tolist() == [ids[2], ids[0]]
        assert batch.vectors.dtype == np.float32
        np.testing.assert_array_equal(batch.vectors, [unit_vector(2), unit_vector(0)])
        found = embeddings.vectors(session, A, ids)
        assert sorted(found) == sorted([ids[0], ids[2]])
        np.testing.assert_array_equal(found[ids[0]], unit_vector(0))
        assert embeddings.having(session, A, ids) == {ids[0], ids[2]}
        assert embeddings.count(session, A) == 2
        stored = session.execute(text("SELECT vector FROM embedding ORDER BY id")).scalars().first()
        assert bytes(stored) == unit_vector(2).astype("<f4").tobytes()


def test_embeddings_are_read_in_batches_in_the_order_they_came(catalog: Catalog) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        ids = [add_image(session, number) for number in range(5)]
        embeddings.add(session, detector_id, [(image_id, detection(image_id)) for image_id in reversed(ids)])
    seen: list[int] = []
    with catalog.reading() as session:
        after = 0
        while len(batch := embeddings.since(session, A, after, 2).image_ids):
            seen += batch.tolist()
            after = int(embeddings.since(session, A, after, 2).embedding_ids[-1])
        empty = embeddings.since(session, A, after, 2)
    assert seen == list(reversed(ids))
    assert (empty.vectors.shape, empty.embedding_ids.shape) == ((0, 384), (0,))


def test_detectors_are_told_apart_by_fingerprint(catalog: Catalog) -> None:
    with catalog.writing() as session:
        first = detectors.register(session, "small", A, True, {"licence": "MIT"})
        second = detectors.register(session, "small", B, False, {})
        assert detectors.register(session, "renamed", A, True, {"licence": "MIT"}) == first != second
        image_id = add_image(session, 1)
        embeddings.add(session, first, [(image_id, detection(1))])
        embeddings.add(session, second, [(image_id, detection(2, p_fake=None))])
    with catalog.reading() as session:
        assert embeddings.since(session, B, 0, 10).image_ids.tolist() == [image_id]
        np.testing.assert_array_equal(embeddings.vectors(session, B, [image_id])[image_id], unit_vector(2))
        assert embeddings.count(session, "nobody") == 0
        one, two = detectors.list(session)
    assert (one.name, one.fingerprint, one.trained, one.spec, one.embeddings) == (
        "small",
        A,
        True,
        {"licence": "MIT"},
        1,
    )
    assert (two.fingerprint, two.trained, two.embeddings) == (B, False, 1)


def test_a_detector_speaks_of_an_image_once(catalog: Catalog) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        image_id = add_image(session, 1)
        assert embeddings.add(session, detector_id, [(image_id, detection(1))]) == 1
        assert embeddings.add(session, detector_id, [(image_id, detection(2))]) == 0
        np.testing.assert_array_equal(embeddings.vectors(session, A, [image_id])[image_id], unit_vector(1))


NO_EMBEDDINGS = {
    "too short": NewDetection(unit_vector(1)[:383], (0.0,), 0.5),
    "zero": NewDetection(np.zeros(384, np.float32), (0.0,), 0.5),
    "not a number": NewDetection(np.full(384, np.nan, np.float32), (0.0,), 0.5),
    "not normalised": NewDetection(unit_vector(1) * 2, (0.0,), 0.5),
    "improbable": NewDetection(unit_vector(1), (0.0,), 1.5),
    "no probability": NewDetection(unit_vector(1), (0.0,), float("nan")),
    "endless logit": NewDetection(unit_vector(1), (float("inf"),), 0.5),
}


def test_what_is_no_embedding_is_refused(catalog: Catalog) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        image_id = add_image(session, 1)
        for name, bad in NO_EMBEDDINGS.items():
            with pytest.raises(UsageError):
                embeddings.add(session, detector_id, [(image_id, bad)])
            assert embeddings.count(session, A) == 0, name


def test_scores_come_back_as_they_were_kept(catalog: Catalog) -> None:
    """Logits exactly, probabilities to nine digits, on both databases alike."""
    scores = np.random.default_rng(3).normal(0, 10, (200, 2)).astype(np.float32)
    probabilities = 1 / (1 + np.exp(-scores[:, 0].astype(np.float64)))
    vector = unit_vector(1)
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        ids = [add_image(session, number) for number in range(200)]
        said_of = [
            (image_id, NewDetection(vector, tuple(map(float, logits)), float(p_fake)))
            for image_id, logits, p_fake in zip(ids, scores, probabilities, strict=True)
        ]
        embeddings.add(session, detector_id, said_of)
    with catalog.reading() as session:
        found = images.details(session, ids)
    for image_id, detected in said_of:
        (kept,) = found[image_id].detections
        assert kept.logits == detected.logits
        assert kept.p_fake == float(f"{detected.p_fake:.9g}")


def test_watermarks_of_an_empty_catalogue_are_zero(catalog: Catalog) -> None:
    with catalog.reading() as session:
        assert changes.watermarks(session) == Watermarks(0, 0, 0)
        assert embeddings.TABLE.newest_id(session, A) == 0


def test_watermarks_rise_with_what_is_written(catalog: Catalog) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", A, True, {})
        image_id = add_image(session, 1)
        embeddings.add(session, detector_id, [(image_id, detection(1))])
    with catalog.reading() as session:
        assert changes.watermarks(session) == Watermarks(image_id=1, tombstone_id=0, change_id=1)
        assert [embeddings.TABLE.newest_id(session, of) for of in (A, B)] == [1, 0]
    for change, write in enumerate(
        (
            lambda session: labels.state(session, image_id, [said(FAKE)]),
            lambda session: collections.create(session, "desk"),
            lambda session: collections.add_images(session, "desk", [image_id]),
            lambda session: images.delete(session, digest(1), "test"),
        ),
        start=2,
    ):
        with catalog.writing() as session:
            write(session)
        with catalog.reading() as session:
            assert changes.watermarks(session).change_id == change
    with catalog.reading() as session:
        assert changes.watermarks(session) == Watermarks(image_id=0, tombstone_id=1, change_id=5)
        assert embeddings.TABLE.newest_id(session, A) == 0


def test_hashes_are_followed_in_the_order_images_came(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in (60, 30, 90)]
    with catalog.reading() as session:
        first = changes.hashes_since(session, 0, 2)
        rest = changes.hashes_since(session, int(first.image_ids[-1]), 2)
        nothing = changes.hashes_since(session, ids[-1], 2)
    assert [*first.image_ids.tolist(), *rest.image_ids.tolist()] == ids
    assert first.hashes[0].tobytes() == new_image(60).pdq
    assert (first.qualities.tolist(), first.hashes.dtype) == ([60, 30], np.uint8)
    assert nothing.hashes.shape == (0, 32)
