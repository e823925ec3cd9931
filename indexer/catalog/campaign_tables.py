"""The tables of what happened to campaigns and what analysts decided. Both are only ever added to.

Campaigns are named by id without a foreign key: events and decisions outlive them.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables import AUTOINCREMENT, Base, RowId
from indexer.catalog.types import word
from indexer.vocabulary import CampaignEventKind, DecisionKind

_CAMPAIGN = String(32)


class CampaignDecisionRow(Base):
    """What an analyst decided. `other_id` is the campaign merged into this one or split off it; `undoes` the decision
    that an undo takes back, whose `undone_by` is then that undo."""

    __tablename__ = "campaign_decision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    kind: Mapped[DecisionKind] = mapped_column(word(DecisionKind))
    campaign_id: Mapped[str] = mapped_column(_CAMPAIGN)
    other_id: Mapped[str | None] = mapped_column(_CAMPAIGN)
    name: Mapped[str | None]
    name_before: Mapped[str | None]
    decided_by: Mapped[str]
    note: Mapped[str | None]
    decided_at: Mapped[datetime]
    undoes: Mapped[int | None] = mapped_column(RowId)
    undone_by: Mapped[int | None] = mapped_column(RowId)

    __table_args__ = (Index(None, "campaign_id", "id"), Index(None, "other_id", "id"), AUTOINCREMENT)


class CampaignDecisionImageRow(Base):
    """An image a decision is about: the campaign it was in, and the one it was put in; null is none."""

    __tablename__ = "campaign_decision_image"

    decision_id: Mapped[int] = mapped_column(
        RowId, ForeignKey("campaign_decision.id", ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    was_in: Mapped[str | None] = mapped_column(_CAMPAIGN)
    put_in: Mapped[str | None] = mapped_column(_CAMPAIGN)


class CampaignEventRow(Base):
    """What happened to a campaign, by a clustering run, by a decision, or (with neither) as images came and went.

    `name` and `size` are as they were after it, or at the end. `other_id`: what it merged into or was split from.
    """

    __tablename__ = "campaign_event"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(_CAMPAIGN)
    kind: Mapped[CampaignEventKind] = mapped_column(word(CampaignEventKind))
    other_id: Mapped[str | None] = mapped_column(_CAMPAIGN)
    name: Mapped[str]
    name_before: Mapped[str | None]
    size: Mapped[int]
    added: Mapped[int]
    removed: Mapped[int]
    run_id: Mapped[int | None] = mapped_column(RowId)
    decision_id: Mapped[int | None] = mapped_column(RowId)
    happened_at: Mapped[datetime]

    __table_args__ = (Index(None, "campaign_id", "id"), Index(None, "other_id", "id"), AUTOINCREMENT)
