"""Small made-up rows for the catalogue's tests."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog.images import images
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.vocabulary import LabelSource, LabelValue, Technique

FAKE, AUTHENTIC, UNKNOWN = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN
HUMAN, FEED, MODEL = LabelSource.HUMAN, LabelSource.TRUSTED_FEED, LabelSource.MODEL


def digest(number: int) -> str:
    """The SHA-256 of made-up image `number`."""
    return sha256(str(number).encode()).hexdigest()


def new_image(number: int) -> NewImage:
    return NewImage(
        sha256=digest(number),
        byte_size=1_000 + number,
        format="JPEG",
        width=64,
        height=48,
        mode="RGB",
        frames=1,
        notes=("turned upright by EXIF orientation 6",),
        pdq=sha256(f"pdq {number}".encode()).digest(),
        pdq_quality=number % 101,
        pdq_method="reference",
    )


def add_image(session: Session, number: int) -> int:
    return images.add(session, new_image(number))


def said(
    value: LabelValue,
    source: str = "alice",
    kind: LabelSource = HUMAN,
    technique: Technique = Technique.UNKNOWN,
    generator: str | None = None,
    reason: str | None = None,
    edition: str | None = None,
) -> NewLabel:
    return NewLabel(value, kind, source, technique, generator, reason, edition)


def unit_vector(number: int) -> npt.NDArray[np.float32]:
    values = np.random.default_rng(number).standard_normal(384).astype(np.float32)
    return values / np.linalg.norm(values)


def detection(number: int, p_fake: float | None = 0.25) -> NewDetection:
    return NewDetection(unit_vector(number), (float(np.float32(0.1) + number),), p_fake)


def day(number: int, month: int = 1, year: int = 2024) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)
