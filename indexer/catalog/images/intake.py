"""Storing images with all that hangs on them, in the caller's transaction: the one way in for ingest and import.

What is looked up is looked up once for all images of the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.catalog.campaigns import awaiting as awaiting_campaign
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.copies import local_features
from indexer.catalog.detections import embeddings
from indexer.catalog.images import collections, images, labels, provenance, reference_hashes, sightings, sources
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.records.sources import NewSource
from indexer.sightings import NewSighting


@dataclass(frozen=True, slots=True)
class StatedLabels:
    """Statements of one source that belong together. `stated_at`: None is now."""

    labels: tuple[NewLabel, ...]
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingImage:
    """One image as it comes in. `image` is needed unless the catalogue holds it; `rehashed` has the reference hash,
    which takes the place of one taken otherwise. `provenance`: what its file says of itself, None where it was not
    read. `detection`: None where no detector saw it; `copy_embedding` [D]: None where no copy descriptor did;
    `features`: its packed local features, empty where there is too little in it, None where they were not taken."""

    sha256: str
    image: NewImage | None = None
    rehashed: NewImage | None = None
    provenance: tuple[ProvenanceFinding, ...] | None = None
    detection: NewDetection | None = None
    copy_embedding: Vector | None = None
    features: bytes | None = None
    sources: tuple[NewSource, ...] = ()
    collections: tuple[str, ...] = ()
    sightings: tuple[NewSighting, ...] = ()
    labels: tuple[StatedLabels, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What became of it: whether the image itself and its provenance are new, and how many sightings and statements
    are."""

    image_id: int
    added: bool
    provenance_added: bool
    sightings_added: int
    labels_added: int


class Intake:
    """Stores images in one transaction.

    Args:
        session: of the transaction.
        sha256s: of all images that come in.
        read_here: their files were read here. A new image then waits for a campaign to join, and what a file says of
            itself takes the place of what others told; otherwise that is kept only where nothing is known of it.
        fingerprint: of the detector that saw them, None where none did.
        descriptor, features: fingerprints of the copy descriptor and of the method of local features; None where
            nothing of theirs comes in.
    """

    def __init__(
        self,
        session: Session,
        sha256s: Sequence[str],
        *,
        read_here: bool,
        fingerprint: str | None = None,
        descriptor: str | None = None,
        features: str | None = None,
    ) -> None:
        self._session = session
        self._read_here = read_here
        self._ids = images.find_ids(session, sha256s)
        known = list(self._ids.values())
        self._untold = (provenance.unread if read_here else provenance.untold)(session, known)
        self._otherwise_hashed = reference_hashes.lacking_among(session, known) if read_here else set()
        self._embedded = embeddings.having(session, fingerprint, known) if fingerprint is not None else set()
        self._detections: dict[int, NewDetection] = {}
        self._described = set() if descriptor is None else copy_embeddings.having(session, descriptor, known)
        self._descriptions: dict[int, Vector] = {}
        self._method = features
        self._featured = set() if features is None else local_features.having(session, features, known)
        self._features: dict[int, bytes] = {}

    @property
    def ids(self) -> Mapping[str, int]:
        """The images that the catalogue holds, by SHA-256."""
        return self._ids

    def store(self, incoming: IncomingImage) -> StoredImage:
        """Stores one image and what comes with it; its detection is stored by `store_detections`, its copy embedding
        by `store_copy_embeddings`, its features by `store_features`.

        Raises:
            UsageError: a name, a time or a source that the catalogue does not take.
        """
        session, added = self._session, incoming.sha256 not in self._ids
        if added:
            self._add(incoming)
        image_id = self._ids[incoming.sha256]
        if image_id in self._otherwise_hashed and incoming.rehashed is not None:
            reference_hashes.take(session, incoming.rehashed)
            self._otherwise_hashed.discard(image_id)
        told = self._tell(image_id, incoming.provenance)
        if incoming.detection is not None and image_id not in self._embedded:
            self._detections[image_id] = incoming.detection
            self._embedded.add(image_id)
        if incoming.copy_embedding is not None and image_id not in self._described:
            self._descriptions[image_id] = incoming.copy_embedding
            self._described.add(image_id)
        if incoming.features is not None and image_id not in self._featured:
            self._features[image_id] = incoming.features
            self._featured.add(image_id)
        for source in incoming.sources:
            sources.add(session, image_id, source)
        for name in incoming.collections:
            collections.ensure(session, name)
            collections.add_images(session, name, [image_id])
        seen = sightings.add(session, image_id, incoming.sightings)
        stated = sum(
            labels.state(session, image_id, group.labels, stated_at=group.stated_at) for group in incoming.labels
        )
        return StoredImage(image_id, added, told, seen, stated)

    def store_detections(self, detector_id: int) -> int:
        """Stores what the detector said of the images, in the order they came; returns how many embeddings are new."""
        added = embeddings.add(self._session, detector_id, list(self._detections.items()))
        self._detections.clear()
        return added

    def store_copy_embeddings(self, descriptor_id: int) -> int:
        """Stores the embeddings of the copy descriptor, in the order they came; returns how many are new."""
        added = copy_embeddings.add(self._session, descriptor_id, list(self._descriptions.items()))
        self._descriptions.clear()
        return added

    def store_features(self) -> int:
        """Stores the local features, in the order they came; returns of how many images they are new."""
        if self._method is None or not self._features:
            return 0
        added = local_features.add(self._session, self._method, list(self._features.items()))
        self._features.clear()
        return added

    def _add(self, incoming: IncomingImage) -> None:
        if incoming.image is None:
            raise AssertionError("an image that is not in the catalogue comes with what is to be kept of it")
        image_id = images.add(self._session, incoming.image)
        self._ids[incoming.sha256] = image_id
        self._untold.add(image_id)
        if self._read_here:
            awaiting_campaign.add(self._session, [image_id])

    def _tell(self, image_id: int, findings: tuple[ProvenanceFinding, ...] | None) -> bool:
        if findings is None or image_id not in self._untold:
            return False
        (provenance.record if self._read_here else provenance.take_over)(self._session, image_id, findings)
        self._untold.discard(image_id)
        return True
