"""Campaigns as the last clustering run found them, and the runs themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from indexer.catalog import cursors
from indexer.catalog.portable import one_of
from indexer.catalog.records import Campaign, CampaignMember, ClusteringRun, NewCampaign, Page
from indexer.catalog.tables import CampaignMemberRow, CampaignRow, ClusteringRunRow, ImageRow, SightingRow
from indexer.catalog.types import bounded, utc_now
from indexer.errors import NotFoundError, UsageError

_COLUMNS = tuple(CampaignRow.__table__.columns)
_RUN_COLUMNS = tuple(ClusteringRunRow.__table__.columns)[1:]


def save(session: Session, run: ClusteringRun, campaigns: Sequence[NewCampaign]) -> None:
    """Record a run and put its campaigns in the place of those before; ids that stay keep the time they were made.

    Members that were deleted from the catalogue meanwhile are left out, and so are campaigns without members.
    """
    made = {row.id: row.created_at for row in session.execute(select(CampaignRow.id, CampaignRow.created_at))}
    session.execute(delete(CampaignRow))
    now = utc_now()
    for campaign in campaigns:
        _save_one(session, campaign, created_at=made.get(campaign.id, now), updated_at=now)
    values = {column.name: getattr(run, column.name) for column in _RUN_COLUMNS}
    values["parameters"] = dict(run.parameters)
    session.execute(insert(ClusteringRunRow).values(**values))


def _save_one(session: Session, campaign: NewCampaign, **times: Any) -> None:
    ids = [int(image_id) for image_id, _ in campaign.members]
    present = set(session.execute(select(ImageRow.id).where(one_of(ImageRow.id, ids))).scalars())
    if not present:
        return
    seen = one_of(SightingRow.image_id, sorted(present))
    first, last = session.execute(
        select(func.min(SightingRow.posted_at), func.max(SightingRow.posted_at)).where(seen)
    ).one()
    platforms = session.execute(
        select(SightingRow.platform).where(seen, SightingRow.platform.is_not(None)).distinct()
    ).scalars()
    session.execute(
        insert(CampaignRow).values(
            id=campaign.id,
            name=_name(campaign.name),
            size=len(present),
            cohesion=float(campaign.cohesion),
            first_seen=first,
            last_seen=last,
            platforms=sorted(str(platform) for platform in platforms),
            **times,
        )
    )
    ranked = sorted(campaign.members, key=lambda pair: (not pair[1].exemplar, -pair[1].strength, pair[1].sha256))
    rows = [
        {
            "campaign_id": campaign.id,
            "image_id": int(image_id),
            "rank": rank,
            "strength": float(f"{member.strength:.9g}"),
            "exemplar": member.exemplar,
            "reasons": list(member.reasons),
        }
        for rank, (image_id, member) in enumerate(ranked)
        if image_id in present
    ]
    session.execute(insert(CampaignMemberRow), rows)


def page(session: Session, limit: int, cursor: str | None = None) -> Page[Campaign]:
    """Campaigns, largest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    place = (CampaignRow.size, CampaignRow.id)
    statement = select(*_COLUMNS).order_by(*(column.desc() for column in place)).limit(limit + 1)
    if after := cursors.decode("campaigns", cursor, int, str):
        statement = statement.where(tuple_(*place) < after)
    rows = session.execute(statement).all()
    more = cursors.encode("campaigns", rows[limit - 1].size, rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(_record(row) for row in rows[:limit]), more)


def get(session: Session, campaign_id: str) -> Campaign | None:
    """The campaign with this id."""
    row = session.execute(select(*_COLUMNS).where(CampaignRow.id == campaign_id)).one_or_none()
    return None if row is None else _record(row)


def members(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[CampaignMember]:
    """Members of a campaign: exemplars first, then by falling strength; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    member = CampaignMemberRow
    statement = (
        select(ImageRow.sha256, member.strength, member.exemplar, member.reasons, member.rank)
        .join(ImageRow, ImageRow.id == member.image_id)
        .where(member.campaign_id == campaign_id)
        .order_by(member.rank)
        .limit(limit + 1)
    )
    if after := cursors.decode("campaign members", cursor, int):
        statement = statement.where(member.rank > after[0])
    rows = session.execute(statement).all()
    more = cursors.encode("campaign members", rows[limit - 1].rank) if len(rows) > limit else None
    return Page(tuple(CampaignMember(row[0], row[1], row[2], tuple(row[3])) for row in rows[:limit]), more)


def rename(session: Session, campaign_id: str, name: str) -> None:
    """Give a campaign the name people use.

    Raises:
        NotFoundError: there is no such campaign.
        UsageError: the name is empty or too long.
    """
    renamed = update(CampaignRow).where(CampaignRow.id == campaign_id).values(name=_name(name), updated_at=utc_now())
    if session.execute(renamed.returning(CampaignRow.id)).one_or_none() is None:
        raise NotFoundError(f"there is no campaign {campaign_id!r}")


def current_members(session: Session) -> dict[str, npt.NDArray[np.int64]]:
    """The internal image ids [N], rising, of every campaign by its id."""
    rows = session.execute(select(CampaignMemberRow.campaign_id, CampaignMemberRow.image_id))
    gathered: dict[str, list[int]] = {}
    for campaign_id, image_id in rows:
        gathered.setdefault(campaign_id, []).append(image_id)
    return {key: np.array(sorted(gathered[key]), dtype=np.int64) for key in sorted(gathered)}


def last_run(session: Session) -> ClusteringRun | None:
    """The newest clustering run."""
    newest = select(*_RUN_COLUMNS).order_by(ClusteringRunRow.id.desc()).limit(1)
    row = session.execute(newest).one_or_none()
    return None if row is None else ClusteringRun(*row)


def _name(name: str) -> str:
    kept = bounded("the name of a campaign", name)
    if kept is None:
        raise UsageError("a campaign needs a name")
    return kept


def _record(row: Row[Any]) -> Campaign:
    return Campaign(
        id=row.id,
        name=row.name,
        size=row.size,
        cohesion=row.cohesion,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        platforms=tuple(row.platforms),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
