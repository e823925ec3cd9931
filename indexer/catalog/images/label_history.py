"""When each statement about an image was made, and its edition under a name that is the same in every catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.tables.labels import LabelRow
from indexer.catalog.tables.portable import one_of
from indexer.vocabulary import LabelSource

_OF_A_TRANSACTION = "transaction "
"""How editions begin that labels.py made: transactions are counted by each catalogue for itself."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Who made a statement, in which edition, and when that edition was stated."""

    source_kind: LabelSource
    source: str
    edition: str
    since: datetime


def statements(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[Statement, ...]]:
    """The statements about these images, by internal image id, in the order of `ImageDetails.labels`; one query."""
    rows = session.execute(
        select(LabelRow.image_id, LabelRow.source_kind, LabelRow.source, LabelRow.edition, LabelRow.stated_at)
        .where(one_of(LabelRow.image_id, image_ids))
        .order_by(LabelRow.id)
    )
    began: dict[tuple[int, LabelSource, str, str], datetime] = {}
    by_image: dict[int, list[Statement]] = {}
    for image_id, kind, source, edition, stated_at in rows:
        since = began.setdefault((image_id, kind, source, edition), stated_at)
        named = f"stated {since.isoformat()}" if edition.startswith(_OF_A_TRANSACTION) else edition
        by_image.setdefault(image_id, []).append(Statement(kind, source, named, since))
    return {image_id: tuple(of_image) for image_id, of_image in by_image.items()}
