"""Tables of deleted images and of their files that are still to be removed."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id


class TombstoneRow(Base):
    """A deleted image, so that vector indexes and other teams can follow."""

    __tablename__ = "tombstone"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str]
    deleted_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class FileRemovalRow(Base):
    """A deleted image whose files may still exist; the row is deleted once they are removed."""

    __tablename__ = "file_removal"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    recorded_at: Mapped[datetime]
