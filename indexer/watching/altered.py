"""Which new images are altered copies of a watched picture, by local features that lie alike and by pixels.

A watch keeps no picture: pixels are compared where the watched picture is in the catalogue; else features decide alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog.copies import local_features
from indexer.catalog.records.watches import Arrival, WatchedPicture
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, QueryFeatures, readable
from indexer.copies.verification.overlap import NEAR_BITS, Overlap
from indexer.copies.verification.thumbnails import KnownPairs, KnownPicture
from indexer.imaging.content import has_few_tones
from indexer.imaging.degenerate import says_nothing
from indexer.index.features import FeatureFolder, FeatureStore
from indexer.watching.matching import nearby

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

    def overlaps(
        self, picture: WatchedPicture, features: LocalFeatures, pairs: KnownPairs, min_quality: int, reported: set[str]
    ) -> list[tuple[Arrival, Overlap]]:
        """The new images that show the same as a picture, with where, by rising id; the picture is the query.

        Args:
            picture: the watched one.
            features: its local features.
            pairs: compares the pixels of images of the catalogue.
            min_quality: PDQ quality below which a near hash proves nothing.
            reported: SHA-256 of images that need no comparison.
        """
        if not self.details:
            return []
        from indexer.copies.verification.verifying import verify_all  # loads OpenCV

        query = QueryFeatures.of(features)
        shared = {image_id for image_id, _ in self.store.search(query, _VERIFIED)}
        telling = picture.pdq_quality >= min_quality
        comparable = [arrival for arrival in self.arrivals.values() if _tells(arrival, min_quality)] if telling else []
        near_by_hash = {arrival.id for arrival in nearby(picture, comparable, NEAR_BITS)[:_VERIFIED]}
        near = [self.arrivals[image_id] for image_id in sorted(shared | near_by_hash)]
        near = [arrival for arrival in near if arrival.sha256 not in reported]
        hashes = tuple(asked.bits for asked in picture.hashes) if telling else ()
        own = KnownPicture(picture.sha256, features.size, hashes)
        decided = []
        overlaps = verify_all(query, [self.details[arrival.id] for arrival in near])
        for arrival, overlap in zip(near, overlaps, strict=True):
            pdq = (arrival.pdq,) if _tells(arrival, min_quality) else ()
            known = KnownPicture(arrival.sha256, self.details[arrival.id].size, pdq)
            settled = pairs.decided(own, known, overlap)
            if settled is not None:
                decided.append((arrival, settled))
        return decided


def _tells(arrival: Arrival, min_quality: int) -> bool:
    """Whether a hash that is near that of an image proves anything."""
    return arrival.pdq_quality >= min_quality and not has_few_tones(arrival.content) and not says_nothing(arrival.pdq)
