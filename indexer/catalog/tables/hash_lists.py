"""Tables of hash lists that other parties keep."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id, _of
from indexer.vocabulary import (
    HashAlgorithm,
    LabelValue,
)


class HashListRow(Base):
    """A list of hashes kept by another party, their number, and their common label."""

    __tablename__ = "hash_list"

    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    label: Mapped[LabelValue]
    hashes: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


class ListedHashRow(Base):
    """A hash of a list: 32 bytes. Rows are append-only, and are deleted with their list (hash_lists.py)."""

    __tablename__ = "listed_hash"

    id: Mapped[int] = _id()
    list_id: Mapped[int] = _of("hash_list")
    algorithm: Mapped[HashAlgorithm]
    value: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("list_id", "algorithm", "value"),
        Index(None, "algorithm", "value"),
        Index(None, "algorithm", "id"),
        AUTOINCREMENT,
    )
