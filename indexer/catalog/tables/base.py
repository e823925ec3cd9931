"""Shared by all tables: the base class, ids, and foreign keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Integer,
    MetaData,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from indexer.catalog.tables.types import OutsideText, UtcDateTime, word
from indexer.vocabulary import (
    EvidenceKind,
    HashAlgorithm,
    LabelSource,
    LabelValue,
    ProvenanceKind,
    Technique,
)

RowId = BigInteger().with_variant(Integer, "sqlite")


AUTOINCREMENT = {"sqlite_autoincrement": True}
"""SQLite then never gives a deleted row's id to a new one: ids are watermarks."""


class Base(DeclarativeBase):
    """Base of all tables; names every constraint so that migrations can address it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy
        str: OutsideText,
        datetime: UtcDateTime,
        float: Double,
        LabelValue: word(LabelValue),
        LabelSource: word(LabelSource),
        EvidenceKind: word(EvidenceKind),
        ProvenanceKind: word(ProvenanceKind),
        Technique: word(Technique),
        HashAlgorithm: word(HashAlgorithm),
    }


def _id() -> Mapped[int]:
    return mapped_column(RowId, primary_key=True, autoincrement=True)


def _of(target: str, **options: Any) -> Mapped[int]:
    return mapped_column(RowId, ForeignKey(f"{target}.id", ondelete="CASCADE"), **options)
