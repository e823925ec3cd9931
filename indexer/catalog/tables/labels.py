"""The table of what is said about images."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.vocabulary import (
    LabelSource,
    LabelValue,
    Technique,
)


class LabelRow(Base):
    """A statement about an image. What one source says in one `edition` is simultaneous (labels.py)."""

    __tablename__ = "label"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image", index=True)
    edition: Mapped[str]
    value: Mapped[LabelValue]
    technique: Mapped[Technique]
    generator: Mapped[str | None]
    source_kind: Mapped[LabelSource]
    source: Mapped[str]
    reason: Mapped[str | None]
    stated_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)
