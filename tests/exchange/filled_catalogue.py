"""Catalogues with made-up images for the tests of formats: no picture is decoded and no detector is run."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels, sightings, sources
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.sources import NewSource
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, LabelValue, Technique

FINGERPRINT = "f" * 64


def digest(number: int) -> str:
    """The SHA-256 of made-up image `number`."""
    return sha256(str(number).encode()).hexdigest()


def pdq(number: int) -> bytes:
    """Its PDQ hash."""
    return sha256(f"pdq {number}".encode()).digest()


def vector(number: int) -> npt.NDArray[np.float32]:
    """Its embedding."""
    values = np.random.default_rng(number).standard_normal(384).astype(np.float32)
    return values / np.linalg.norm(values)


def seen_at(number: int, **said: object) -> NewSighting:
    """A sighting of image `number` on a platform."""
    facts = {
        "url": f"https://social.example/{number}",
        "archive_url": f"https://archive.example/{number}",
        "platform": "example-social",
        "account": f"account {number}",
        "posted_at": datetime(2026, 3, 1 + number % 28, 12, 30, tzinfo=UTC),
        "caption": f"caption {number}",
        "language": "en",
        "claim": f"claim {number}",
    }
    return NewSighting(**(facts | said))  # type: ignore[arg-type]


def add_image(
    session: Session,
    number: int,
    *,
    said: LabelValue | None = LabelValue.FAKE,
    by: str = "desk one",
    kind: LabelSource = LabelSource.HUMAN,
    seen: tuple[NewSighting, ...] | None = None,
    collection: str | None = None,
    embedded: bool = False,
) -> int:
    """Image `number` with a label, a sighting and a source; its internal id."""
    new = NewImage(
        digest(number), 1_000 + number, "JPEG", 640, 480, "RGB", 1, ("a note",), pdq(number), 90, "reference"
    )
    image_id = images.add(session, new)
    if said is not None:
        labels.state(
            session, image_id, [NewLabel(said, kind, by, Technique.FACE_SWAP, "generator one", f"reason {number}")]
        )
    sightings.add(session, image_id, (seen_at(number),) if seen is None else seen)
    sources.add(session, image_id, NewSource("cases.csv", f"row {number}", {"case": f"C-{number}"}))
    if collection is not None:
        collections.ensure(session, collection)
        collections.add_images(session, collection, [image_id])
    if embedded:
        detector_id = detectors.register(session, "small", FINGERPRINT, True, {"name": "small"})
        embeddings.add(session, detector_id, [(image_id, NewDetection(vector(number), (0.5,), 0.125))])
    return image_id
