"""The table of images. `image` carries its current label, so that a page of them is one index scan; the queries of
labels and images keep that copy up to date in the same transaction.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id
from indexer.catalog.tables.types import JsonText
from indexer.vocabulary import (
    LabelSource,
    LabelValue,
    Technique,
)


class ImageRow(Base):
    """One sequence of bytes, with the label its statements add up to. `provenance_read_at` is null until the file was
    read for provenance, which distinguishes "nothing found" from "not read". `original_kept` is null where an older
    version did not record it. `pdq_method` is a PdqMethod; `pdq_changed` the number of the writing transaction that
    replaced the first hash, 0 for none. `content` (0 to 100, see `indexer.imaging.content`) is null until measured.
    """

    __tablename__ = "image"

    id: Mapped[int] = _id()
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    byte_size: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    mode: Mapped[str]
    frames: Mapped[int]
    notes: Mapped[list[str]] = mapped_column(JsonText)
    pdq: Mapped[bytes] = mapped_column(LargeBinary)
    pdq_quality: Mapped[int] = mapped_column(SmallInteger)
    pdq_method: Mapped[str]
    pdq_changed: Mapped[int] = mapped_column(BigInteger, server_default="0", index=True)
    added_at: Mapped[datetime]
    label: Mapped[LabelValue]
    technique: Mapped[Technique]
    generator: Mapped[str | None]
    disputed: Mapped[bool]
    label_source_kind: Mapped[LabelSource | None]
    label_source: Mapped[str | None]
    provenance_read_at: Mapped[datetime | None]
    content: Mapped[int | None] = mapped_column(SmallInteger)
    original_kept: Mapped[bool | None]

    __table_args__ = (
        Index(None, "label", "id"),
        Index(None, "technique", "id"),
        Index(None, "generator", "id"),
        Index(None, "label", "content", "pdq_quality", "id"),
        Index(None, "label", "technique", "id"),
        Index(None, "label", "generator", "id"),
        Index(None, "technique", "generator", "id"),
        Index(None, "label", "technique", "generator", "id"),
        Index(None, "label_source", "id"),
        Index(None, "disputed", "id"),
        AUTOINCREMENT,
    )
