"""Which new images are altered copies of a watched picture, by local features that lie alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog.copies import local_features
from indexer.catalog.records.watches import Arrival
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, QueryFeatures, readable
from indexer.copies.verification.overlap import Overlap
from indexer.index.features import FeatureFolder, FeatureStore

_VERIFIED: Final = 20
"""Most new images of one batch that are compared with a watched picture: those that share most features with it."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrivedFeatures:
    """The local features of a batch of new images, searchable by what they share with a picture.

    Attributes:
        arrivals: the images by internal id, those that have features.
        details: their features.
        store: finds those that share features; it is in memory alone.
    """

    arrivals: Mapping[int, Arrival]
    details: Mapping[int, LocalFeatures]
    store: FeatureStore

    @classmethod
    def of(cls, session: Session, came: Sequence[Arrival]) -> "ArrivedFeatures":
        """Those of some new images, from the catalogue; two statements at most."""
        codes = local_features.of(session, FEATURES_FINGERPRINT, [arrival.id for arrival in came])
        read = ((image_id, readable(packed, f"image {image_id}")) for image_id, packed in codes.items())
        details = {image_id: features for image_id, features in read if features is not None}
        store = FeatureStore(FeatureFolder(Path(), FEATURES_FINGERPRINT), None)
        if details:
            store.add(np.fromiter(details, np.int64, len(details)), [codes[image_id] for image_id in details], 0)
        return cls({arrival.id: arrival for arrival in came if arrival.id in details}, details, store)

    def overlaps(self, picture: LocalFeatures, reported: set[str]) -> list[tuple[Arrival, Overlap]]:
        """The new images that show the same as a picture, with where, by rising id; the picture is the query.

        Args:
            picture: its local features.
            reported: SHA-256 of images that need no comparison.
        """
        if not self.details:
            return []
        from indexer.copies.verification.verifying import verify_all  # loads OpenCV

        query = QueryFeatures.of(picture)
        hits = sorted(image_id for image_id, _ in self.store.search(query, _VERIFIED))
        near = [self.arrivals[image_id] for image_id in hits if self.arrivals[image_id].sha256 not in reported]
        overlaps = verify_all(query, [self.details[arrival.id] for arrival in near])
        return [(arrival, overlap) for arrival, overlap in zip(near, overlaps, strict=True) if overlap is not None]
