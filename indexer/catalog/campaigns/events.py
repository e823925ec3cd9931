"""Events of campaigns, newest first, and what became of campaigns that ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from indexer.catalog.campaigns.history import newest_first
from indexer.catalog.campaigns.names import shown_name
from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.campaigns import CampaignEvent, NewEvent
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignEventRow
from indexer.catalog.tables.types import utc_now
from indexer.vocabulary import CampaignEventKind

_ENDS = (CampaignEventKind.DIED, CampaignEventKind.MERGED)
_BEGINNINGS = (CampaignEventKind.BORN, CampaignEventKind.SPLIT)
_ROW = CampaignEventRow
_COLUMNS = (
    _ROW.id,
    _ROW.campaign_id,
    _ROW.kind,
    _ROW.other_id,
    _ROW.given_name,
    _ROW.given_name_before,
    _ROW.first_seen,
    _ROW.size,
    _ROW.added,
    _ROW.removed,
    _ROW.run_id,
    _ROW.decision_id,
    _ROW.happened_at,
)


def add(session: Session, events: Sequence[NewEvent], *, run: int | None = None, decision: int | None = None) -> None:
    """Record events that happen now, caused by a run, by a decision, or by images being added or removed."""
    now = utc_now()
    rows = [
        {
            "campaign_id": event.campaign,
            "kind": event.kind,
            "other_id": event.other,
            "given_name": event.name.given,
            "given_name_before": event.name_before,
            "first_seen": event.name.first_seen,
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
    """Events, newest first: all, or those that involve a campaign; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("campaign events", limit, cursor, id=int)
    return newest_first(session, _ROW, select(*_COLUMNS), request, campaign).map(_record)


def end_of(session: Session, campaign_id: str) -> CampaignEvent | None:
    """How a campaign ended: the last of its events that begin or end it, if that one ended it."""
    statement = select(*_COLUMNS).where(_ROW.campaign_id == campaign_id, _ROW.kind.in_((*_ENDS, *_BEGINNINGS)))
    row = session.execute(statement.order_by(_ROW.id.desc()).limit(1)).one_or_none()
    return None if row is None or row.kind not in _ENDS else _record(row)


def successor_of(session: Session, end: CampaignEvent) -> str | None:
    """The campaign that now holds the images of one that ended, following all merges; None when it died."""
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
    before = None
    if row.kind is CampaignEventKind.RENAMED:
        before = shown_name(row.given_name_before, row.size, row.first_seen)
    return CampaignEvent(
        id=row.id,
        campaign=row.campaign_id,
        kind=row.kind,
        other=row.other_id,
        name=shown_name(row.given_name, row.size, row.first_seen),
        name_before=before,
        size=row.size,
        added=row.added,
        removed=row.removed,
        run=row.run_id,
        decision=row.decision_id,
        at=row.happened_at,
        named=row.given_name is not None,
    )
