"""What happened to campaigns, newest first, and what became of those that are no more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, or_, select
from sqlalchemy.orm import Session

from indexer.catalog import cursors
from indexer.catalog.campaign_records import CampaignEvent, NewEvent
from indexer.catalog.campaign_tables import CampaignEventRow
from indexer.catalog.records import Page
from indexer.catalog.types import utc_now
from indexer.vocabulary import CampaignEventKind

_ENDS = (CampaignEventKind.DIED, CampaignEventKind.MERGED)
_BEGINNINGS = (CampaignEventKind.BORN, CampaignEventKind.SPLIT)
_ROW = CampaignEventRow
_COLUMNS = (
    _ROW.id,
    _ROW.campaign_id,
    _ROW.kind,
    _ROW.other_id,
    _ROW.name,
    _ROW.name_before,
    _ROW.size,
    _ROW.added,
    _ROW.removed,
    _ROW.run_id,
    _ROW.decision_id,
    _ROW.happened_at,
)


def add(session: Session, events: Sequence[NewEvent], *, run: int | None = None, decision: int | None = None) -> None:
    """Record what happened now, by a run, by a decision, or by images that came or went."""
    now = utc_now()
    rows = [
        {
            "campaign_id": event.campaign,
            "kind": event.kind,
            "other_id": event.other,
            "name": event.name,
            "name_before": event.name_before,
            "size": event.size,
            "added": event.added,
            "removed": event.removed,
            "run_id": run,
            "decision_id": decision,
            "happened_at": now,
        }
        for event in events
    ]
    if rows:
        session.execute(insert(CampaignEventRow), rows)


def page(
    session: Session, limit: int, cursor: str | None = None, *, campaign: str | None = None
) -> Page[CampaignEvent]:
    """Events, newest first: all, or those a campaign had a part in; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    statement = select(*_COLUMNS).order_by(_ROW.id.desc()).limit(limit + 1)
    if campaign is not None:
        statement = statement.where(or_(_ROW.campaign_id == campaign, _ROW.other_id == campaign))
    if before := cursors.decode("campaign events", cursor, int):
        statement = statement.where(_ROW.id < before[0])
    rows = session.execute(statement).all()
    more = cursors.encode("campaign events", rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(_record(row) for row in rows[:limit]), more)


def end_of(session: Session, campaign_id: str) -> CampaignEvent | None:
    """How a campaign ended: the last of its events that begin or end a campaign, if that is an end."""
    statement = select(*_COLUMNS).where(_ROW.campaign_id == campaign_id, _ROW.kind.in_((*_ENDS, *_BEGINNINGS)))
    row = session.execute(statement.order_by(_ROW.id.desc()).limit(1)).one_or_none()
    return None if row is None or row.kind not in _ENDS else _record(row)


def successor_of(session: Session, end: CampaignEvent) -> str | None:
    """The campaign that holds the images of one that ended, through as many merges as there were; None when it died."""
    seen: set[str] = set()
    last: CampaignEvent | None = end
    successor: str | None = None
    while last is not None and last.campaign not in seen:
        if last.kind is CampaignEventKind.DIED:
            return None
        seen.add(last.campaign)
        successor = last.other
        last = None if successor is None else end_of(session, successor)
    return successor


def _record(row: Row[*tuple[Any, ...]]) -> CampaignEvent:
    return CampaignEvent(
        id=row.id,
        campaign=row.campaign_id,
        kind=row.kind,
        other=row.other_id,
        name=row.name,
        name_before=row.name_before,
        size=row.size,
        added=row.added,
        removed=row.removed,
        run=row.run_id,
        decision=row.decision_id,
        at=row.happened_at,
    )
