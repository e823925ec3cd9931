"""Campaigns as of the last clustering run and the decisions made since, and the runs themselves. Their events are in
events.py, analysts' decisions in decisions.py.
"""

from collections.abc import Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import reasons as campaign_reasons
from indexer.catalog.campaigns import sightings as campaign_sightings
from indexer.catalog.campaigns.names import shown_name
from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.campaigns import Campaign, CampaignMember, CampaignName, ClusteringRun, NewCampaign
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow, ClusteringRunRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.types import bounded, utc_now
from indexer.errors import CampaignGoneError, NotFoundError, UsageError
from indexer.vocabulary import CampaignEventKind, CampaignState

_COLUMNS = tuple(CampaignRow.__table__.columns)
_RUN_COLUMNS = tuple(ClusteringRunRow.__table__.columns)[1:]


def save(session: Session, run: ClusteringRun, campaigns: Sequence[NewCampaign]) -> int:
    """Record a run and replace the stored campaigns with its own; ids that persist keep their creation time.

    Members deleted from the catalogue in the meantime are left out, as are campaigns without members.

    Returns:
        The number of the run.
    """
    created_at = {row.id: row.created_at for row in session.execute(select(CampaignRow.id, CampaignRow.created_at))}
    session.execute(delete(CampaignRow))
    member_ids = [int(image_id) for campaign in campaigns for image_id, _ in campaign.members]
    present = set(session.execute(select(ImageRow.id).where(one_of(ImageRow.id, member_ids))).scalars())
    now = utc_now()
    rows, members, reasons = [], [], []
    for campaign in campaigns:
        memberships = _members(campaign, present)
        if memberships:
            times = {"created_at": created_at.get(campaign.id, now), "updated_at": now}
            rows.append({**_campaign(campaign), "size": len(memberships), **times})
            members += memberships
            reasons += [
                (campaign.id, number, member.reasons) for number, member in campaign.members if number in present
            ]
    for table, values in ((CampaignRow, rows), (CampaignMemberRow, members)):
        if values:
            session.connection().execute(insert(table), values)
    campaign_reasons.put_all(session, reasons)
    campaign_sightings.bring_up_to_date(session)
    recorded = {column.name: getattr(run, column.name) for column in _RUN_COLUMNS} | {
        "parameters": dict(run.parameters)
    }
    return int(session.execute(insert(ClusteringRunRow).values(**recorded).returning(ClusteringRunRow.id)).scalar_one())


def _campaign(campaign: NewCampaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "given_name": None if campaign.name is None else _name(campaign.name),
        "cohesion": float(campaign.cohesion),
        "platforms": [],
        "state": campaign.state,
        "confirmed": campaign.confirmed,
    }


def _members(campaign: NewCampaign, present: Set[int]) -> list[dict[str, Any]]:
    """The rows of a campaign's members that are still in the catalogue, in display order."""
    ranked = sorted(campaign.members, key=lambda pair: (not pair[1].exemplar, -pair[1].strength, pair[1].sha256))
    return [
        {
            "campaign_id": campaign.id,
            "image_id": int(image_id),
            "rank": rank,
            "strength": float(f"{member.strength:.9g}"),
            "exemplar": member.exemplar,
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
    request = PageRequest.read("campaigns", limit, cursor, size=int, id=str)
    sort_key = (CampaignRow.size, CampaignRow.id)
    statement = select(*_COLUMNS).order_by(*(column.desc() for column in sort_key))
    if request.after:
        statement = statement.where(tuple_(*sort_key) < request.after)
    return request.rows(session, statement).map(_record)


def get(session: Session, campaign_id: str) -> Campaign | None:
    """The campaign with this id."""
    row = session.execute(select(*_COLUMNS).where(CampaignRow.id == campaign_id)).one_or_none()
    return None if row is None else _record(row)


def existing(session: Session, campaign_id: str) -> Campaign:
    """The campaign with this id.

    Raises:
        CampaignGoneError: it no longer exists; the message says what became of it.
        NotFoundError: there never was such a campaign.
    """
    campaign = get(session, campaign_id)
    if campaign is not None:
        return campaign
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


def create(session: Session, campaign_id: str, name: str | None, cohesion: float) -> None:
    """Create an empty campaign, optionally with a given name. Add members in the same transaction, then call
    `campaign_members.tidy`.
    """
    now = utc_now()
    values: dict[str, Any] = {"platforms": [], "created_at": now, "updated_at": now}
    given = None if name is None else _name(name)
    session.execute(insert(CampaignRow).values(id=campaign_id, given_name=given, size=0, cohesion=cohesion, **values))


def set_standing(session: Session, campaign_id: str, *, state: CampaignState, confirmed: bool) -> None:
    """Say whether a campaign is closed, and whether an analyst confirmed it."""
    session.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(state=state, confirmed=confirmed),
        execution_options={"synchronize_session": False},
    )


def members(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[CampaignMember]:
    """Members of a campaign: exemplars first, then by falling strength; two statements.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("campaign members", limit, cursor, rank=int)
    member = CampaignMemberRow
    statement = (
        select(
            member.image_id,
            ImageRow.sha256,
            member.strength,
            member.exemplar,
            member.state,
            member.pinned,
            member.rank,
        )
        .join(ImageRow, ImageRow.id == member.image_id)
        .where(member.campaign_id == campaign_id)
        .order_by(member.rank)
    )
    if request.after:
        statement = statement.where(member.rank > request.after[0])
    rows = request.rows(session, statement)
    why = campaign_reasons.of_images(session, [row.image_id for row in rows.items])
    return rows.map(lambda row: CampaignMember(*row[1:4], why.get(row[0], ()), *row[4:6]))


def rename(session: Session, campaign_id: str, name: str | None) -> None:
    """Set the name given to a campaign; None removes it.

    Raises:
        NotFoundError: there is no such campaign.
        UsageError: the name is empty or too long.
    """
    values = {"given_name": None if name is None else _name(name), "updated_at": utc_now()}
    renamed = update(CampaignRow).where(CampaignRow.id == campaign_id).values(**values)
    if session.execute(renamed.returning(CampaignRow.id)).one_or_none() is None:
        raise NotFoundError(f"there is no campaign {campaign_id!r}")


def current_members(session: Session) -> dict[str, npt.NDArray[np.int64]]:
    """The internal image ids [N], rising, of every campaign by its id."""
    rows = session.execute(select(CampaignMemberRow.campaign_id, CampaignMemberRow.image_id))
    gathered: dict[str, list[int]] = {}
    for campaign_id, image_id in rows:
        gathered.setdefault(campaign_id, []).append(image_id)
    return {key: np.array(sorted(gathered[key]), dtype=np.int64) for key in sorted(gathered)}


def names(session: Session) -> dict[str, CampaignName]:
    """The name of every campaign, by its id."""
    rows = session.execute(select(CampaignRow.id, CampaignRow.given_name, CampaignRow.first_seen))
    return {row.id: CampaignName(row.given_name, row.first_seen) for row in rows}


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
        name=shown_name(row.given_name, row.size, row.first_seen),
        size=row.size,
        cohesion=row.cohesion,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        platforms=tuple(row.platforms),
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=row.state,
        confirmed=row.confirmed,
        named=row.given_name is not None,
    )
