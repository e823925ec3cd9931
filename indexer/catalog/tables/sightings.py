"""Tables of where images were seen."""

from datetime import datetime

from sqlalchemy import (
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of


class SightingRow(Base):
    """An image seen somewhere. `digest` covers all its fields, so the same sighting is stored once; `posted_month`
    (types.py) splits a date range into streams that are each in index order (newest.py).
    """

    __tablename__ = "sighting"

    id: Mapped[int] = _id()
    image_id: Mapped[int] = _of("image")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    url: Mapped[str | None]
    archive_url: Mapped[str | None]
    platform: Mapped[str | None]
    account: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    posted_month: Mapped[int | None]
    caption: Mapped[str | None]
    language: Mapped[str | None]
    claim: Mapped[str | None]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("image_id", "digest"),
        Index(None, "platform", "image_id", "posted_at"),
        Index(None, "account", "image_id", "posted_at"),
        Index(None, "posted_month", "image_id", "posted_at"),
        Index(None, "platform", "posted_month", "image_id", "posted_at"),
        AUTOINCREMENT,
    )


class SeenAddressRow(Base):
    """An address of a sighting (page or archived copy) by its digest (types.py), for lookups."""

    __tablename__ = "seen_address"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)
