"""Campaigns as the last clustering run found them and decisions changed them since, and the runs themselves.

What happened to them is in campaign_events.py, what analysts decided in campaign_decisions.py.
"""

from collections.abc import Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from indexer.catalog import campaign_events, campaign_sightings, cursors
from indexer.catalog.portable import one_of
from indexer.catalog.records import Campaign, CampaignMember, ClusteringRun, NewCampaign, Page
from indexer.catalog.tables import CampaignMemberRow, CampaignRow, ClusteringRunRow, ImageRow
from indexer.catalog.types import bounded, utc_now
from indexer.errors import CampaignGoneError, NotFoundError, UsageError
from indexer.vocabulary import CampaignEventKind, CampaignState

_COLUMNS = tuple(CampaignRow.__table__.columns)
_RUN_COLUMNS = tuple(ClusteringRunRow.__table__.columns)[1:]


def save(session: Session, run: ClusteringRun, campaigns: Sequence[NewCampaign]) -> int:
    """Record a run and put its campaigns in the place of those before; ids that stay keep the time they were made.

    Members that were deleted from the catalogue meanwhile are left out, and so are campaigns without members.

    Returns:
        The number of the run.
    """
    made = {row.id: row.created_at for row in session.execute(select(CampaignRow.id, CampaignRow.created_at))}
    session.execute(delete(CampaignRow))
    wanted = [int(image_id) for campaign in campaigns for image_id, _ in campaign.members]
    present = set(session.execute(select(ImageRow.id).where(one_of(ImageRow.id, wanted))).scalars())
    now = utc_now()
    rows, members = [], []
    for campaign in campaigns:
        found = _members(campaign, present)
        if found:
            times = {"created_at": made.get(campaign.id, now), "updated_at": now}
            rows.append({**_campaign(campaign), "size": len(found), **times})
            members += found
    for table, values in ((CampaignRow, rows), (CampaignMemberRow, members)):
        if values:
            session.connection().execute(insert(table), values)
    campaign_sightings.bring_up_to_date(session)
    recorded = {column.name: getattr(run, column.name) for column in _RUN_COLUMNS} | {
        "parameters": dict(run.parameters)
    }
    return int(session.execute(insert(ClusteringRunRow).values(**recorded).returning(ClusteringRunRow.id)).scalar_one())


def _campaign(campaign: NewCampaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": _name(campaign.name),
        "cohesion": float(campaign.cohesion),
        "platforms": [],
        "state": campaign.state,
        "confirmed": campaign.confirmed,
    }


def _members(campaign: NewCampaign, present: Set[int]) -> list[dict[str, Any]]:
    """The rows of a campaign's members that are in the catalogue, in the order they are shown in."""
    ranked = sorted(campaign.members, key=lambda pair: (not pair[1].exemplar, -pair[1].strength, pair[1].sha256))
    return [
        {
            "campaign_id": campaign.id,
            "image_id": int(image_id),
            "rank": rank,
            "strength": float(f"{member.strength:.9g}"),
            "exemplar": member.exemplar,
            "reasons": list(member.reasons),
            "state": member.state,
            "pinned": member.pinned,
        }
        for rank, (image_id, member) in enumerate(ranked)
        if image_id in present
    ]


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


def existing(session: Session, campaign_id: str) -> Campaign:
    """The campaign with this id.

    Raises:
        CampaignGoneError: it is no more; the message says what became of it.
        NotFoundError: there never was one.
    """
    found = get(session, campaign_id)
    if found is not None:
        return found
    end = campaign_events.end_of(session, campaign_id)
    if end is None:
        raise NotFoundError(f"there is no campaign {campaign_id!r}: `dejafake campaigns` lists them")
    cause = "" if end.decision is None else f" by decision {end.decision}"
    successor = campaign_events.successor_of(session, end)
    day = f"{end.at:%Y-%m-%d}"
    if end.kind is CampaignEventKind.DIED:
        words = f"ended on {day}{cause}: nothing holds its {end.size} images together any more"
    else:
        words = f"was merged into {end.other} on {day}{cause}"
        words += "" if successor in (end.other, None) else f", which is now {successor}"
        words += "" if successor is not None else ", which ended since"
    raise CampaignGoneError(f"campaign {campaign_id} ({end.name}) {words}", successor)


def check_known(session: Session, campaign_id: str) -> None:
    """
    Raises:
        NotFoundError: there is no campaign of this id, and never was one.
    """
    try:
        existing(session, campaign_id)
    except CampaignGoneError:
        return


def create(session: Session, campaign_id: str, name: str, cohesion: float) -> None:
    """Make a campaign without members: put some into it in the same transaction, and `campaign_members.tidy` it."""
    now = utc_now()
    values: dict[str, Any] = {"platforms": [], "created_at": now, "updated_at": now}
    made = insert(CampaignRow).values(id=campaign_id, name=_name(name), size=0, cohesion=cohesion, **values)
    session.execute(made)


def set_standing(session: Session, campaign_id: str, *, state: CampaignState, confirmed: bool) -> None:
    """Say whether a campaign is closed, and whether an analyst confirmed it."""
    session.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(state=state, confirmed=confirmed),
        execution_options={"synchronize_session": False},
    )


def members(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[CampaignMember]:
    """Members of a campaign: exemplars first, then by falling strength; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    member = CampaignMemberRow
    statement = (
        select(
            ImageRow.sha256,
            member.strength,
            member.exemplar,
            member.reasons,
            member.state,
            member.pinned,
            member.rank,
        )
        .join(ImageRow, ImageRow.id == member.image_id)
        .where(member.campaign_id == campaign_id)
        .order_by(member.rank)
        .limit(limit + 1)
    )
    if after := cursors.decode("campaign members", cursor, int):
        statement = statement.where(member.rank > after[0])
    rows = session.execute(statement).all()
    more = cursors.encode("campaign members", rows[limit - 1].rank) if len(rows) > limit else None
    return Page(tuple(CampaignMember(*row[:3], tuple(row[3]), *row[4:6]) for row in rows[:limit]), more)


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


def names(session: Session) -> dict[str, str]:
    """What every campaign is called, by its id."""
    return {row.id: row.name for row in session.execute(select(CampaignRow.id, CampaignRow.name))}


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
        state=row.state,
        confirmed=row.confirmed,
    )
