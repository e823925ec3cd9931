"""The tables of watches: saved queries, the campaign members they know, and their matches."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.records.watches import WatchKind
from indexer.catalog.tables.base import AUTOINCREMENT, Base, RowId
from indexer.catalog.tables.types import JsonText, Vector, word
from indexer.vocabulary import Relation


class WatchRow(Base):
    """A saved query. `features` are the packed local features of the watched picture, by the method
    `features_fingerprint`; null where there are none. Images and embeddings up to `image_after` and `embedding_after`
    were checked; images up to `began_after` existed before the watch. Its webhook gets events in order: those up to
    `told_to` were delivered, those up to `telling_to` are being delivered (null: not begun). `tell_at` is the next
    attempt, null when there is nothing to deliver or the receiver was given up (`stopped_at`).
    """

    __tablename__ = "watch"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    kind: Mapped[WatchKind] = mapped_column(word(WatchKind))
    sha256: Mapped[str | None] = mapped_column(String(64))
    hashes: Mapped[list[list[Any]] | None] = mapped_column(JsonText)
    pdq_quality: Mapped[int | None] = mapped_column(SmallInteger)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    vector: Mapped[npt.NDArray[np.float32] | None] = mapped_column(Vector)
    features: Mapped[bytes | None] = mapped_column(LargeBinary)
    features_fingerprint: Mapped[str | None] = mapped_column(String(64))
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
    """A member that the watch of a campaign already knows."""

    __tablename__ = "watched_member"

    watch_id: Mapped[str] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = mapped_column(RowId, ForeignKey("image.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "image_id"),)


class WatchEventRow(Base):
    """A match of a watch, once per image, by its digest: it stays when the image is deleted."""

    __tablename__ = "watch_event"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    watch_id: Mapped[str] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    relation: Mapped[Relation | None] = mapped_column(word(Relation))
    statement: Mapped[str]
    evidence: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    found_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("watch_id", "sha256"), Index(None, "watch_id", "id"), AUTOINCREMENT)
