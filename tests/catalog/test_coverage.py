"""Which images a detector has not spoken of yet."""

import numpy as np

from indexer.catalog.database import Catalog
from indexer.catalog.detections import coverage, detectors, embeddings
from indexer.catalog.images import images
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage

ONE, OTHER = "a" * 64, "b" * 64


def test_images_without_an_embedding_come_by_rising_id_and_are_counted_for_each_detector(database_url: str) -> None:
    vector = np.eye(384, dtype=np.float32)[0]
    with Catalog.open(database_url) as catalog:
        with catalog.writing() as session:
            ids = []
            for number in range(7):
                image = NewImage(f"{number:064x}", 1, "PNG", 1, 1, "RGB", 1, (), bytes(32), 90, "planted")
                ids.append(images.add(session, image))
            one, other = (detectors.register(session, "planted", mark, False, {}) for mark in (ONE, OTHER))
            for image_id in (ids[1], ids[4]):
                embeddings.add(session, one, [(image_id, NewDetection(vector, (0.0,), None))])
            embeddings.add(session, other, [(ids[4], NewDetection(vector, (0.0,), None))])
        with catalog.reading() as session:
            first = coverage.lacking(session, ONE, after=0, limit=3)
            rest = coverage.lacking(session, ONE, after=first[-1][0], limit=3)
            assert [image_id for image_id, _ in first + rest] == [ids[number] for number in (0, 2, 3, 5, 6)]
            assert first[0][1] == f"{0:064x}"
            assert coverage.lacking(session, ONE, after=ids[6], limit=3) == []
            counted = [coverage.count_lacking(session, mark) for mark in (ONE, OTHER, "c" * 64)]
            assert counted == [5, 6, 7]
            assert coverage.ids_of_both(session, ONE, OTHER).tolist() == [ids[4]]
