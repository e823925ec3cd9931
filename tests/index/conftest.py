"""A real catalogue with planted embeddings and hashes, and indexes over it that are closed at the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images, labels
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.vocabulary import LabelSource, LabelValue

FINGERPRINT = "f" * 64


@dataclass
class Archive:
    """An installation: `vectors` and `hashes` by internal image id are what was planted and not deleted."""

    settings: Settings
    catalog: Catalog
    vectors: dict[int, np.ndarray]
    hashes: dict[int, bytes]
    planted: int = 0

    @classmethod
    def at(cls, home: Path, **settings: object) -> "Archive":
        made = Settings.load(home=home, threads=1, **settings)
        return cls(made, Catalog.open(made.catalog_url), {}, {})

    def plant(self, count: int, label: LabelValue | None = None, quality: int = 90) -> list[int]:
        """Add images with random embeddings and hashes in one transaction; returns their ids."""
        random = np.random.default_rng(self.planted)
        vectors = random.standard_normal((count, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ids = []
        with self.catalog.writing() as session:
            detector_id = detectors.register(session, "planted", FINGERPRINT, False, {})
            for vector in vectors:
                bits = random.bytes(32)
                self.planted += 1
                sha256 = f"{self.planted:064x}"
                image_id = images.add(session, NewImage(sha256, 1, "PNG", 1, 1, "RGB", 1, (), bits, quality, "planted"))
                embeddings.add(session, detector_id, [(image_id, NewDetection(vector, (0.0,), None))])
                if label is not None:
                    labels.state(session, image_id, [NewLabel(label, LabelSource.HUMAN, "desk")])
                self.vectors[image_id], self.hashes[image_id] = vector, bits
                ids.append(image_id)
        return ids

    def delete(self, image_ids: Sequence[int]) -> None:
        with self.catalog.writing() as session:
            for record in images.details(session, image_ids).values():
                images.delete(session, record.image.sha256, "asked to")
        for image_id in image_ids:
            del self.vectors[image_id], self.hashes[image_id]

    def check(self, index: SearchIndex, k: int = 5) -> None:
        """Every stored embedding finds what brute force finds, and every hash itself."""
        ids = np.array(sorted(self.vectors), np.int64)
        stored = np.array([self.vectors[int(one)] for one in ids])
        scores = np.clip(stored.astype(np.float64) @ stored.T.astype(np.float64), -1, 1)
        truth = ids[np.argsort(-scores, axis=1, kind="stable")[:, :k]]
        np.testing.assert_array_equal(index.nearest(stored, k).ids[:, : len(ids)], truth)
        assert index.size == len(ids)
        found = index.same_picture([self.hashes[int(one)] for one in ids], 0)
        assert {(hit.image_id, hit.query_index) for hit in found} == {(int(one), at) for at, one in enumerate(ids)}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty installation whose index merges at 50 new embeddings."""
    made = Archive.at(tmp_path / "home", tail_merge_at=50)
    yield made
    made.catalog.close()


@pytest.fixture
def open_index(archive: Archive) -> Iterator[Callable[..., SearchIndex]]:
    """Opens indexes over `archive`, as one process each would."""
    opened: list[SearchIndex] = []

    def make(kind: type[SearchIndex] = SearchIndex, settings: Settings | None = None) -> SearchIndex:
        opened.append(kind(archive.catalog, settings or archive.settings, FINGERPRINT))
        return opened[-1]

    yield make
    for index in opened:
        index.close()
