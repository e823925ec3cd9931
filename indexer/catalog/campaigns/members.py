"""Changes to the members of single campaigns; clustering runs replace all of them at once (campaigns.py)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import reasons as campaign_reasons
from indexer.catalog.campaigns import sightings as campaign_sightings
from indexer.catalog.records.campaigns import CampaignMember, StoredMember
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.types import utc_now
from indexer.vocabulary import LabelValue, MemberState

_MEMBER = CampaignMemberRow
_QUIETLY = {"synchronize_session": False}


def find(session: Session, sha256s: Sequence[str]) -> dict[str, StoredMember]:
    """The current placement of these images, by SHA-256; those not in the catalogue are left out."""
    rows = session.execute(
        select(ImageRow.id, ImageRow.sha256, ImageRow.label, _MEMBER.campaign_id)
        .outerjoin(CampaignMemberRow, _MEMBER.image_id == ImageRow.id)
        .where(one_of(ImageRow.sha256, sha256s))
        .order_by(_MEMBER.campaign_id)
    )
    return {sha256: StoredMember(id_, sha256, label is LabelValue.FAKE, name) for id_, sha256, label, name in rows}


def of_campaigns(session: Session, campaign_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """The members of each of these campaigns that exists, as internal image ids by SHA-256."""
    rows = session.execute(
        select(_MEMBER.campaign_id, ImageRow.sha256, ImageRow.id)
        .join(ImageRow, ImageRow.id == _MEMBER.image_id)
        .where(one_of(_MEMBER.campaign_id, sorted(set(campaign_ids))))
        .order_by(ImageRow.sha256)
    )
    members: dict[str, dict[str, int]] = {}
    for campaign_id, sha256, image_id in rows:
        members.setdefault(campaign_id, {})[sha256] = image_id
    return members


def put(session: Session, campaign_id: str, members: Mapping[int, CampaignMember]) -> None:
    """Put images, by internal id, into a campaign: members of another campaign are moved with their strength and
    reasons, others are added as given. Call `tidy` on the campaigns afterwards.
    """
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
            "state": members[image_id].state,
            "pinned": members[image_id].pinned,
        }
        for image_id in new
    ]
    if rows:
        session.execute(insert(CampaignMemberRow), rows)
        campaign_reasons.put(session, campaign_id, {image_id: members[image_id].reasons for image_id in new})


def take_out(session: Session, image_ids: Iterable[int]) -> None:
    """Remove images from whatever campaign they are in. Call `tidy` on the campaigns afterwards."""
    gone = delete(CampaignMemberRow).where(one_of(_MEMBER.image_id, sorted(image_ids)))
    session.execute(gone, execution_options=_QUIETLY)


def mark(session: Session, campaign_id: str, *, confirmed: Sequence[str], pinned: Sequence[str]) -> None:
    """Set exactly these members, by SHA-256, as confirmed and as pinned."""
    here = _MEMBER.campaign_id == campaign_id
    nothing = {"state": MemberState.SUGGESTED, "pinned": False}
    session.execute(update(CampaignMemberRow).where(here).values(**nothing), execution_options=_QUIETLY)
    marks: tuple[tuple[Sequence[str], dict[str, Any]], ...] = (
        (confirmed, {"state": MemberState.CONFIRMED}),
        (pinned, {"pinned": True}),
    )
    for sha256s, values in marks:
        ids = select(ImageRow.id).where(one_of(ImageRow.sha256, sha256s))
        marked = update(CampaignMemberRow).where(here, _MEMBER.image_id.in_(ids)).values(**values)
        session.execute(marked, execution_options=_QUIETLY)


def tidy(session: Session, campaign_id: str) -> int:
    """Update a campaign from its members: order, exemplars, size, dates and platforms. An empty campaign is removed.

    Returns:
        The number of members left.
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
    in_order = all(earlier.rank < later.rank for earlier, later in pairwise(members))  # gaps are harmless then
    for position, member in enumerate(members):
        rank, stands = member.rank if in_order else position, member.exemplar or position == 0
        if (member.rank, member.exemplar) != (rank, stands):
            here = (table.c.campaign_id == campaign_id) & (table.c.image_id == member.image_id)
            connection.execute(update(CampaignMemberRow).where(here).values(rank=rank, exemplar=stands))
    session.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(size=len(members), updated_at=utc_now()),
        execution_options=_QUIETLY,
    )
    campaign_sightings.bring_up_to_date(session, campaign_id)
    return len(members)
