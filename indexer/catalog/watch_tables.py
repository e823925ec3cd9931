"""The tables of watches: saved queries, which members of a campaign they know, and what they found."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables import AUTOINCREMENT, Base, RowId
from indexer.catalog.types import JsonText, Vector, word
from indexer.catalog.watch_records import WatchKind
from indexer.vocabulary import Relation


class WatchRow(Base):
    """A saved query. Images and embeddings up to `image_after` and `embedding_after` were looked at; images up to
    `began_after` were there before it.

    Its webhook reads its events in their order: those up to `told_to` were delivered, those up to `telling_to` are what
    is delivered now (null: not begun). `tell_at` is when, null when there is nothing to tell or nobody to tell any more
    (`stopped_at`).
    """

    __tablename__ = "watch"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    kind: Mapped[WatchKind] = mapped_column(word(WatchKind))
    sha256: Mapped[str | None] = mapped_column(String(64))
    hashes: Mapped[list[list[str]] | None] = mapped_column(JsonText)
    pdq_quality: Mapped[int | None] = mapped_column(SmallInteger)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    vector: Mapped[npt.NDArray[np.float32] | None] = mapped_column(Vector)
    campaign_id: Mapped[str | None] = mapped_column(String(32))
    filter: Mapped[Mapping[str, Any] | None] = mapped_column(JsonText)
    created_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    began_after: Mapped[int] = mapped_column(BigInteger)
    image_after: Mapped[int] = mapped_column(BigInteger)
    embedding_after: Mapped[int] = mapped_column(BigInteger)
    url: Mapped[str | None]
    secret: Mapped[str | None]
    told_to: Mapped[int] = mapped_column(BigInteger)
    telling_to: Mapped[int | None] = mapped_column(BigInteger)
    tell_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int]
    last_error: Mapped[str | None]
    stopped_at: Mapped[datetime | None]


class WatchedMemberRow(Base):
    """An image that a watch of a campaign knows as its member."""

    __tablename__ = "watched_member"

    watch_id: Mapped[str] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = mapped_column(RowId, ForeignKey("image.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "image_id"),)


class WatchEventRow(Base):
    """What a watch found, once for each image, by its digest: it stays when the image is deleted."""

    __tablename__ = "watch_event"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    watch_id: Mapped[str] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    relation: Mapped[Relation | None] = mapped_column(word(Relation))
    statement: Mapped[str]
    evidence: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    found_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("watch_id", "sha256"), Index(None, "watch_id", "id"), AUTOINCREMENT)
