"""The table that counts writing transactions."""

from sqlalchemy import (
    BigInteger,
    SmallInteger,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import Base


class ChangeRow(Base):
    """One row that counts the writing transactions. `filters` is the number of the last one that may have changed what
    a filter selects.
    """

    __tablename__ = "change"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)
    filters: Mapped[int] = mapped_column(BigInteger, server_default="0")
