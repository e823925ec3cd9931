"""What watches found, and telling it: events in their order, and the delivery that is due.

A webhook reads a watch's events in their order, as a person who polls does; its place is kept with the watch. So a
receiver that was given up loses nothing: when the watch is resumed, it is told what it missed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from indexer.catalog import cursors, watches
from indexer.catalog.portable import insert_new
from indexer.catalog.records import Page
from indexer.catalog.tables import ImageRow
from indexer.catalog.types import clean_text
from indexer.catalog.watch_records import DueDelivery, NewWatchEvent, WatchEvent
from indexer.catalog.watch_tables import WatchEventRow, WatchRow

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


def record(session: Session, watch_id: str, found: Sequence[NewWatchEvent], now: datetime) -> int:
    """Keep what a watch found, each image once, and have it told.

    Returns:
        How many were new.
    """
    rows = [
        {
            "watch_id": watch_id,
            "sha256": one.sha256,
            "relation": one.relation,
            "statement": clean_text(one.statement),
            "evidence": dict(one.evidence),
            "found_at": now,
        }
        for one in found
    ]
    new = len(insert_new(session, WatchEventRow, rows, WatchEventRow.id))
    if new:
        idle = (WatchRow.id == watch_id, WatchRow.url.is_not(None), WatchRow.stopped_at.is_(None))
        session.execute(update(WatchRow).where(*idle, WatchRow.tell_at.is_(None)).values(tell_at=now))
    return new


def page(session: Session, watch_id: str | None, limit: int, cursor: str | None = None) -> Page[WatchEvent]:
    """Events of a watch (None: of all), in the order they were found. There is always a cursor: more will come.

    Raises:
        NotFoundError: there is no such watch.
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    kind = f"events of {watch_id or 'all watches'}"
    (after,) = cursors.decode(kind, cursor, int) or (0,)
    listed = _events().where(WatchEventRow.id > after)
    if watch_id is not None:
        watches.get(session, watch_id)
        listed = listed.where(WatchEventRow.watch_id == watch_id)
    rows = session.execute(listed.limit(limit)).all()
    return Page(tuple(_record(row) for row in rows), cursors.encode(kind, rows[-1].id if rows else after))


def any_due(session: Session, now: datetime) -> bool:
    """Whether something is to be told now; asked before a writing transaction is begun for it."""
    return session.execute(_due(now)).first() is not None


def take_due(session: Session, now: datetime, lease: timedelta) -> DueDelivery | None:
    """The delivery that has waited longest, and takes it: it is due again after `lease`, lest who makes it dies. What a
    delivery holds is settled when it is first taken, and is the same in every attempt."""
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
    watch, told = watches.get(session, watch_id), tuple(_record(one) for one in events)
    return DueDelivery(watch, events[-1].id, told, row.url, row.secret, attempts)


def delivered(session: Session, watch_id: str, through: int, now: datetime) -> None:
    """Record that a delivery arrived; what was found meanwhile is due at once."""
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
    """Record that an attempt failed: to be made again, or (`again_at` is None) the receiver is given up."""
    row = _delivering(session, watch_id, through)
    if row is None:
        return
    row.last_error, row.tell_at = why, again_at
    if again_at is None:
        row.stopped_at = now
    session.flush()


def _delivering(session: Session, watch_id: str, through: int) -> WatchRow | None:
    """The watch, if that delivery is still the one that is being made."""
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
