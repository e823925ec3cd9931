"""Tables of named sets of images. A collection carries its size, kept up to date in the same transaction, so that a
page of them is one index scan.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of


class CollectionRow(Base):
    """A named set of images and how many it holds."""

    __tablename__ = "collection"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]
    images: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class CollectionImageRow(Base):
    """An image's membership in a collection."""

    __tablename__ = "collection_image"

    collection_id: Mapped[int] = _of("collection", primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)

    __table_args__ = ({"sqlite_with_rowid": False},)
