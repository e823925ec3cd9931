"""The table of where the bytes of images came from."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import (
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.catalog.tables.types import JsonText


class SourceRow(Base):
    """Where an image's bytes came from. `digest` is over source and location."""

    __tablename__ = "source_record"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str]
    location: Mapped[str]
    fields: Mapped[Mapping[str, str]] = mapped_column(JsonText)
    recorded_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("image_id", "digest"), AUTOINCREMENT)
