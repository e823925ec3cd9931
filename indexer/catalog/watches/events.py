"""Matches of watches and their delivery: events in order, and the delivery that is due. A webhook consumes a watch's
events in order, like a polling client; its position is stored with the watch. So a receiver that was given up loses
nothing: when the watch is resumed, it gets what it missed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.pages import Page
from indexer.catalog.records.watches import DueDelivery, NewWatchEvent, WatchEvent
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.types import clean_text
from indexer.catalog.tables.watches import WatchEventRow, WatchRow
from indexer.catalog.watches import watches

DELIVERED_AT_ONCE = 100
"""Most events in one delivery."""
_COLUMNS = (
    WatchEventRow.watch_id,
    WatchEventRow.sha256,
    WatchEventRow.relation,
    WatchEventRow.statement,
    WatchEventRow.evidence,
    WatchEventRow.found_at,
    ImageRow.id.is_not(None).label("in_catalogue"),
    WatchEventRow.id,
)


def record(session: Session, watch_id: str, matches: Sequence[NewWatchEvent], now: datetime) -> int:
    """Store a watch's matches, each image once, and schedule their delivery.

    Returns:
        How many were new.
    """
    rows = [
        {
            "watch_id": watch_id,
            "sha256": match.sha256,
            "relation": match.relation,
            "statement": clean_text(match.statement),
            "evidence": dict(match.evidence),
            "found_at": now,
        }
        for match in matches
    ]
    new = len(insert_new(session, WatchEventRow, rows, WatchEventRow.id))
    if new:
        idle = (WatchRow.id == watch_id, WatchRow.url.is_not(None), WatchRow.stopped_at.is_(None))
        session.execute(update(WatchRow).where(*idle, WatchRow.tell_at.is_(None)).values(tell_at=now))
    return new


def page(session: Session, watch_id: str | None, limit: int, cursor: str | None = None) -> Page[WatchEvent]:
    """Events of a watch (None: of all), in the order they were found. There is always a cursor, since more may come.

    Raises:
        NotFoundError: there is no such watch.
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read(f"events of {watch_id or 'all watches'}", limit, cursor, start=(0,), id=int)
    listed = _events().where(WatchEventRow.id > request.after[0])
    if watch_id is not None:
        watches.get(session, watch_id)
        listed = listed.where(WatchEventRow.watch_id == watch_id)
    return request.rows(session, listed, growing=True).map(_record)


def any_due(session: Session, now: datetime) -> bool:
    """Whether a delivery is due; check before opening a writing transaction."""
    return session.execute(_due(now)).first() is not None


def take_due(session: Session, now: datetime, lease: timedelta) -> DueDelivery | None:
    """Takes the delivery that has been due longest. It becomes due again after `lease`, in case its sender dies. The
    content of a delivery is fixed when it is first taken, and is the same in every attempt.
    """
    watch_id = session.execute(_due(now)).scalar_one_or_none()
    if watch_id is None:
        return None
    row = session.execute(select(WatchRow).where(WatchRow.id == watch_id)).scalar_one()
    waiting = _events().where(WatchEventRow.watch_id == watch_id, WatchEventRow.id > row.told_to)
    if row.telling_to is not None:
        waiting = waiting.where(WatchEventRow.id <= row.telling_to)
    events = session.execute(waiting.limit(DELIVERED_AT_ONCE)).all()
    if not events or row.url is None:
        row.tell_at = None
        session.flush()
        return None
    attempts, row.telling_to = row.attempts, events[-1].id
    row.attempts += 1
    row.tell_at = now + lease
    session.flush()
    watch, due_events = watches.get(session, watch_id), tuple(_record(event) for event in events)
    return DueDelivery(watch, events[-1].id, due_events, row.url, row.secret, attempts)


def put_off(session: Session, now: datetime, until: datetime) -> str | None:
    """Put off the delivery that has waited longest, which cannot be made, so that it holds up no other.

    Returns:
        The watch's id, if there was one.
    """
    watch_id = session.execute(_due(now)).scalar_one_or_none()
    if watch_id is not None:
        session.execute(update(WatchRow).where(WatchRow.id == watch_id).values(tell_at=until))
    return watch_id


def delivered(session: Session, watch_id: str, through: int, now: datetime) -> None:
    """Record that a delivery arrived; events found in the meantime are due at once."""
    row = _delivering(session, watch_id, through)
    if row is None:
        return
    row.told_to, row.telling_to, row.attempts, row.last_error = through, None, 0, None
    later = select(WatchEventRow.id).where(WatchEventRow.watch_id == watch_id, WatchEventRow.id > through)
    row.tell_at = None if session.execute(later.limit(1)).first() is None else now
    session.flush()


def failed(
    session: Session, watch_id: str, through: int, why: str, *, again_at: datetime | None, now: datetime
) -> None:
    """Record that an attempt failed: it is retried at `again_at`, or (None) the receiver is given up."""
    row = _delivering(session, watch_id, through)
    if row is None:
        return
    row.last_error, row.tell_at = why, again_at
    if again_at is None:
        row.stopped_at = now
    session.flush()


def _delivering(session: Session, watch_id: str, through: int) -> WatchRow | None:
    """The watch, if that delivery is still the current one."""
    same = (WatchRow.id == watch_id, WatchRow.telling_to == through, WatchRow.stopped_at.is_(None))
    return session.execute(select(WatchRow).where(*same)).scalar_one_or_none()


def _due(now: datetime) -> Select[str]:
    due = select(WatchRow.id).where(WatchRow.tell_at <= now, WatchRow.paused_at.is_(None))
    return due.order_by(WatchRow.tell_at, WatchRow.id).limit(1)


def _events() -> Select[*tuple[Any, ...]]:
    known = select(*_COLUMNS).outerjoin(ImageRow, ImageRow.sha256 == WatchEventRow.sha256)
    return known.order_by(WatchEventRow.id)


def _record(row: Row[*tuple[Any, ...]]) -> WatchEvent:
    return WatchEvent(
        watch=row.watch_id,
        sha256=row.sha256,
        relation=row.relation,
        statement=row.statement,
        evidence=row.evidence,
        found_at=row.found_at,
        in_catalogue=bool(row.in_catalogue),
    )
