"""Changing who is in which campaign, one campaign at a time; clustering runs replace all of them (campaigns.py)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog import campaign_sightings
from indexer.catalog.campaign_records import StoredMember
from indexer.catalog.portable import one_of
from indexer.catalog.records import CampaignMember
from indexer.catalog.tables import CampaignMemberRow, CampaignRow, ImageRow
from indexer.catalog.types import utc_now
from indexer.vocabulary import LabelValue, MemberState

_MEMBER = CampaignMemberRow
_QUIETLY = {"synchronize_session": False}


def find(session: Session, sha256s: Sequence[str]) -> dict[str, StoredMember]:
    """Where these images are, by SHA-256; those that are not in the catalogue are left out."""
    rows = session.execute(
        select(ImageRow.id, ImageRow.sha256, ImageRow.label, _MEMBER.campaign_id)
        .outerjoin(CampaignMemberRow, _MEMBER.image_id == ImageRow.id)
        .where(one_of(ImageRow.sha256, sha256s))
        .order_by(_MEMBER.campaign_id)
    )
    return {sha256: StoredMember(id_, sha256, label is LabelValue.FAKE, name) for id_, sha256, label, name in rows}


def of_campaigns(session: Session, campaign_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """The members of each of these campaigns that exist, as internal image ids by SHA-256."""
    rows = session.execute(
        select(_MEMBER.campaign_id, ImageRow.sha256, ImageRow.id)
        .join(ImageRow, ImageRow.id == _MEMBER.image_id)
        .where(one_of(_MEMBER.campaign_id, sorted(set(campaign_ids))))
        .order_by(ImageRow.sha256)
    )
    found: dict[str, dict[str, int]] = {}
    for campaign_id, sha256, image_id in rows:
        found.setdefault(campaign_id, {})[sha256] = image_id
    return found


def put(session: Session, campaign_id: str, members: Mapping[int, CampaignMember]) -> None:
    """Put images, by internal id, into a campaign: those that are in another are moved with their strength and
    reasons, the others come as given. `tidy` the campaigns afterwards."""
    moved = session.execute(
        update(CampaignMemberRow)
        .where(one_of(_MEMBER.image_id, sorted(members)))
        .values(campaign_id=campaign_id)
        .returning(_MEMBER.image_id),
        execution_options=_QUIETLY,
    ).scalars()
    new = sorted(set(members) - set(moved))
    rows = [
        {
            "campaign_id": campaign_id,
            "image_id": image_id,
            "rank": 0,
            "strength": float(f"{members[image_id].strength:.9g}"),
            "exemplar": members[image_id].exemplar,
            "reasons": list(members[image_id].reasons),
            "state": members[image_id].state,
            "pinned": members[image_id].pinned,
        }
        for image_id in new
    ]
    if rows:
        session.execute(insert(CampaignMemberRow), rows)


def take_out(session: Session, image_ids: Iterable[int]) -> None:
    """Take images out of whatever campaign they are in. `tidy` the campaigns afterwards."""
    gone = delete(CampaignMemberRow).where(one_of(_MEMBER.image_id, sorted(image_ids)))
    session.execute(gone, execution_options=_QUIETLY)


def mark(session: Session, campaign_id: str, *, confirmed: Sequence[str], pinned: Sequence[str]) -> None:
    """Make these and no other members, by SHA-256, confirmed and pinned."""
    here = _MEMBER.campaign_id == campaign_id
    nothing = {"state": MemberState.SUGGESTED, "pinned": False}
    session.execute(update(CampaignMemberRow).where(here).values(**nothing), execution_options=_QUIETLY)
    wanted: tuple[tuple[Sequence[str], dict[str, Any]], ...] = (
        (confirmed, {"state": MemberState.CONFIRMED}),
        (pinned, {"pinned": True}),
    )
    for sha256s, values in wanted:
        ids = select(ImageRow.id).where(one_of(ImageRow.sha256, sha256s))
        marked = update(CampaignMemberRow).where(here, _MEMBER.image_id.in_(ids)).values(**values)
        session.execute(marked, execution_options=_QUIETLY)


def tidy(session: Session, campaign_id: str) -> int:
    """Bring a campaign up to date with its members: order, exemplars, size, dates and platforms. Without members it is
    removed.

    Returns:
        How many members it has.
    """
    members = session.execute(
        select(_MEMBER.image_id, _MEMBER.exemplar, _MEMBER.strength, _MEMBER.rank)
        .join(ImageRow, ImageRow.id == _MEMBER.image_id)
        .where(_MEMBER.campaign_id == campaign_id)
        .order_by(_MEMBER.exemplar.desc(), _MEMBER.strength.desc(), ImageRow.sha256)
    ).all()
    if not members:
        session.execute(delete(CampaignRow).where(CampaignRow.id == campaign_id), execution_options=_QUIETLY)
        return 0
    connection = session.connection()
    table = CampaignMemberRow.__table__
    for rank, member in enumerate(members):
        stands = member.exemplar or (rank == 0)
        if (member.rank, member.exemplar) != (rank, stands):
            place = (table.c.campaign_id == campaign_id) & (table.c.image_id == member.image_id)
            connection.execute(update(CampaignMemberRow).where(place).values(rank=rank, exemplar=stands))
    session.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(size=len(members), updated_at=utc_now()),
        execution_options=_QUIETLY,
    )
    campaign_sightings.bring_up_to_date(session, campaign_id)
    return len(members)
