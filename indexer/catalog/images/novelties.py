"""Images that fit nowhere: known fakes in no campaign, and unlabelled images that a detector scored high."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.images.details import IMAGE_COLUMNS, image_of
from indexer.catalog.images.filters import has_content
from indexer.catalog.records.images import Image
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignMemberRow
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.imaging.content import TOO_LITTLE
from indexer.vocabulary import LabelValue


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unlabelled image and a detector's result: `vector` [384], `logits`, `p_fake` in [0, 1]."""

    embedding_id: int
    image_id: int
    vector: npt.NDArray[np.float32]
    logits: tuple[float, ...]
    p_fake: float


def outside_campaigns(session: Session, limit: int, cursor: str | None = None) -> Page[Image]:
    """Known fakes that are in no campaign, newest first, without blank ones, which can be in none; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("known fakes outside campaigns", limit, cursor, start=(2**63 - 1,), id=int)
    (before,) = request.after
    placed = exists().where(CampaignMemberRow.image_id == ImageRow.id)
    statement = (
        select(*IMAGE_COLUMNS)
        .where(ImageRow.label == LabelValue.FAKE, ImageRow.id < before, ~placed, has_content(TOO_LITTLE))
        .order_by(ImageRow.id.desc())
    )
    return request.rows(session, statement).map(image_of)


def unlabelled_scored(
    session: Session, fingerprint: str, before: int, rows: int, least: float
) -> tuple[list[Candidate], int | None]:
    """Images without a settled label among the `rows` embeddings of a detector before the embedding id `before`, newest
    first, that score at least `least`; and where the next rows begin, None at the end. Reads exactly that many rows at
    most.
    """
    detector = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
    ids = list(
        session.scalars(
            select(EmbeddingRow.id)
            .where(EmbeddingRow.detector_id == detector, EmbeddingRow.id < before)
            .order_by(EmbeddingRow.id.desc())
            .limit(rows)
        )
    )
    if not ids:
        return [], None
    statement = (
        select(EmbeddingRow.id, EmbeddingRow.image_id, EmbeddingRow.vector, EmbeddingRow.logits, EmbeddingRow.p_fake)
        .join(ImageRow, ImageRow.id == EmbeddingRow.image_id)
        .where(
            EmbeddingRow.detector_id == detector,
            EmbeddingRow.id.between(ids[-1], ids[0]),
            EmbeddingRow.p_fake >= least,
            ImageRow.label == LabelValue.UNKNOWN,
        )
        .order_by(EmbeddingRow.id.desc())
    )
    candidates = [Candidate(row[0], row[1], row[2], tuple(row[3]), row[4] or 0.0) for row in session.execute(statement)]
    return candidates, ids[-1] if len(ids) == rows else None


def images_of(session: Session, image_ids: Sequence[int]) -> dict[int, Image]:
    """These images by internal id; one statement."""
    rows = session.execute(select(*IMAGE_COLUMNS).where(one_of(ImageRow.id, image_ids))).all()
    return {row.id: image_of(row) for row in rows}
