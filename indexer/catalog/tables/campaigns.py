"""The tables of campaigns, their events and analysts' decisions. Events and decisions are append-only. They refer to
campaigns by id without a foreign key, because they outlive them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import AUTOINCREMENT, Base, RowId, _id, _of
from indexer.catalog.tables.types import JsonText, word
from indexer.vocabulary import (
    CampaignEventKind,
    CampaignState,
    DecisionKind,
    MemberState,
    ReasonKind,
)


class CampaignRow(Base):
    """A campaign. `given_name` is the one a person gave it; without one a name is made of its size and `first_seen`
    when it is shown. `first_seen`, `last_seen` and `platforms` are as of the last run, or the last change of its
    members since; `state` and `confirmed` follow from the decisions in force."""

    __tablename__ = "campaign"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    given_name: Mapped[str | None]
    size: Mapped[int]
    cohesion: Mapped[float]
    first_seen: Mapped[datetime | None]
    last_seen: Mapped[datetime | None]
    platforms: Mapped[list[str]] = mapped_column(JsonText)
    state: Mapped[CampaignState] = mapped_column(word(CampaignState), default=CampaignState.OPEN)
    confirmed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index(None, "size", "id"),)


class CampaignMemberRow(Base):
    """An image's membership in a campaign; `rank` is the display order. `state` and `pinned` follow from the decisions
    in force.
    """

    __tablename__ = "campaign_member"

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = _of("image", primary_key=True, index=True)
    rank: Mapped[int]
    strength: Mapped[float]
    exemplar: Mapped[bool]
    state: Mapped[MemberState] = mapped_column(word(MemberState), default=MemberState.SUGGESTED)
    pinned: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index(None, "campaign_id", "rank"), Index(None, "state", "image_id"))


class ClusteringRunRow(Base):
    """A clustering run."""

    __tablename__ = "clustering_run"

    id: Mapped[int] = _id()
    fingerprint: Mapped[str]
    parameters: Mapped[Mapping[str, Any]] = mapped_column(JsonText)
    snapshot: Mapped[str]
    images: Mapped[int]
    campaigns: Mapped[int]
    noise: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]

    __table_args__ = (AUTOINCREMENT,)


_CAMPAIGN = String(32)


class CampaignDecisionRow(Base):
    """An analyst's decision. `other_id` is the campaign merged into this one or split off it; `undoes` is the decision
    that an undo reverts, whose `undone_by` is then that undo. `named_before`: a person had given `name_before`.
    """

    __tablename__ = "campaign_decision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    kind: Mapped[DecisionKind] = mapped_column(word(DecisionKind))
    campaign_id: Mapped[str] = mapped_column(_CAMPAIGN)
    other_id: Mapped[str | None] = mapped_column(_CAMPAIGN)
    name: Mapped[str | None]
    name_before: Mapped[str | None]
    named_before: Mapped[bool]
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
    """An event of a campaign, caused by a clustering run, a decision, or (with neither) images being added or removed.
    `given_name`, `first_seen` and `size` are those after it, or at the end: without a given name, the display name is
    made from the other two. `other_id`: what it merged into or was split from.
    """

    __tablename__ = "campaign_event"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(_CAMPAIGN)
    kind: Mapped[CampaignEventKind] = mapped_column(word(CampaignEventKind))
    other_id: Mapped[str | None] = mapped_column(_CAMPAIGN)
    given_name: Mapped[str | None]
    given_name_before: Mapped[str | None]
    first_seen: Mapped[datetime | None]
    size: Mapped[int]
    added: Mapped[int]
    removed: Mapped[int]
    run_id: Mapped[int | None] = mapped_column(RowId)
    decision_id: Mapped[int | None] = mapped_column(RowId)
    happened_at: Mapped[datetime]

    __table_args__ = (Index(None, "campaign_id", "id"), Index(None, "other_id", "id"), AUTOINCREMENT)


class CampaignReasonRow(Base):
    """Why an image is in its campaign, in display order. It is deleted with the membership, or with the image
    `other_id` that it names; see `records.Reason` for the other columns.
    """

    __tablename__ = "campaign_reason"

    campaign_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    image_id: Mapped[int] = mapped_column(RowId, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    kind: Mapped[ReasonKind] = mapped_column(word(ReasonKind))
    other_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("image.id", ondelete="CASCADE"), index=True)
    value: Mapped[float | None]
    probability: Mapped[float | None]
    mirrored: Mapped[bool]
    rounded: Mapped[bool]
    decision_id: Mapped[int | None] = mapped_column(RowId)
    decision_kind: Mapped[DecisionKind | None] = mapped_column(word(DecisionKind))
    text: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "image_id"],
            ["campaign_member.campaign_id", "campaign_member.image_id"],
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        {"sqlite_with_rowid": False},
    )


class AwaitingCampaignRow(Base):
    """An added image that has not been checked yet for a campaign to join."""

    __tablename__ = "awaiting_campaign"

    image_id: Mapped[int] = _of("image", primary_key=True)
