"""The tables of the review queue: what people decided about what waited, and who is to look at it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, _id
from indexer.catalog.tables.types import word
from indexer.vocabulary import ReviewChoice, ReviewKind


class ReviewDecisionRow(Base):
    """What somebody decided about an item; at most one decision of an item is in force. `subject` is the campaign or
    the watch that the item is about, empty without one. `campaign_decision` and `labelled` say what was done: a
    decision about the campaign, and whether a label was stated. Neither images nor campaigns are foreign keys:
    decisions outlive them."""

    __tablename__ = "review_decision"

    id: Mapped[int] = _id()
    kind: Mapped[ReviewKind] = mapped_column(word(ReviewKind))
    sha256: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    choice: Mapped[ReviewChoice] = mapped_column(word(ReviewChoice))
    reason: Mapped[str | None]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    campaign_decision: Mapped[int | None] = mapped_column(BigInteger)
    labelled: Mapped[bool]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_review_decision_in_force",
            "sha256",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        AUTOINCREMENT,
    )


class ReviewAssignmentRow(Base):
    """Who is to look at an item; its columns are those of `ReviewDecisionRow`."""

    __tablename__ = "review_assignment"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[ReviewKind] = mapped_column(word(ReviewKind), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime]
