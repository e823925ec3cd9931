"""Watches: creating, listing, pausing and deleting saved queries. Their matches are in events.py."""

from datetime import datetime
from secrets import token_hex
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete as sql_delete
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.pages import Page
from indexer.catalog.records.watches import NewWebhook, Watch, WatchedPicture, WatchKind, Webhook, WebhookState
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.detections import EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.types import bounded, utc_now
from indexer.catalog.tables.watches import WatchedMemberRow, WatchEventRow, WatchRow
from indexer.errors import ConflictError, NotFoundError, UsageError

FILTERS = TypeAdapter(ImageFilter)
_EVENTS = (
    select(func.count())
    .select_from(WatchEventRow)
    .where(WatchEventRow.watch_id == WatchRow.id)
    .correlate(WatchRow)
    .scalar_subquery()
)


def add_picture(
    session: Session, name: str, picture: WatchedPicture, *, most: int, webhook: NewWebhook | None = None
) -> Watch:
    """Watch for a picture among images added from now on; at most `most` watches are allowed.

    Raises:
        ConflictError: there are too many watches.
        UsageError: no name, or one that is too long.
    """
    subject = {
        "sha256": picture.sha256,
        "hashes": [[query.orientation, query.bits.hex(), query.resized_to] for query in picture.hashes],
        "pdq_quality": picture.pdq_quality,
        "fingerprint": picture.fingerprint,
        "vector": picture.vector,
        "features": picture.features,
        "features_fingerprint": picture.features_fingerprint,
    }
    return _add(session, WatchKind.IMAGE, name, subject, most, webhook)


def add_campaign(
    session: Session, name: str, campaign_id: str, *, most: int, webhook: NewWebhook | None = None
) -> Watch:
    """Watch for images that join a campaign from now on.

    Raises:
        NotFoundError: there is no such campaign.
        ConflictError: there are too many watches.
        UsageError: no name, or one that is too long.
    """
    if session.execute(select(CampaignRow.id).where(CampaignRow.id == campaign_id)).first() is None:
        raise NotFoundError(f"there is no campaign {campaign_id!r}")
    watch_id = _add(session, WatchKind.CAMPAIGN, name, {"campaign_id": campaign_id}, most, webhook)
    known = select(CampaignMemberRow.image_id).where(CampaignMemberRow.campaign_id == campaign_id)
    rows = [{"watch_id": watch_id.id, "image_id": image_id} for image_id in session.scalars(known)]
    if rows:
        session.execute(insert(WatchedMemberRow), rows)
    return watch_id


def add_filter(
    session: Session, name: str, image_filter: ImageFilter, *, most: int, webhook: NewWebhook | None = None
) -> Watch:
    """Watch for images added from now on that meet a filter.

    Raises:
        ConflictError: there are too many watches.
        UsageError: the filter has no condition; no name, or one that is too long.
    """
    if image_filter == ImageFilter():
        raise UsageError("a watch of a filter needs at least one condition")
    return _add(
        session, WatchKind.FILTER, name, {"filter": FILTERS.dump_python(image_filter, mode="json")}, most, webhook
    )


def get(session: Session, watch_id: str) -> Watch:
    """A watch.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = session.execute(select(WatchRow, _EVENTS).where(WatchRow.id == watch_id)).one_or_none()
    if row is None:
        raise _missing(watch_id)
    return _record(*row)


def page(session: Session, limit: int, cursor: str | None = None) -> Page[Watch]:
    """Watches by id; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("watches", limit, cursor, id=str)
    statement = select(WatchRow, _EVENTS, WatchRow.id).order_by(WatchRow.id)
    if request.after:
        statement = statement.where(WatchRow.id > request.after[0])
    return request.rows(session, statement).map(lambda row: _record(row[0], row[1]))


def pause(session: Session, watch_id: str, now: datetime) -> None:
    """Stop checking and delivering for a watch until it is resumed; nothing added in the meantime is lost.

    Raises:
        NotFoundError: there is none of this id.
    """
    _change(session, watch_id, {"paused_at": func.coalesce(WatchRow.paused_at, now)})


def resume(session: Session, watch_id: str, now: datetime) -> None:
    """Continue a watch that was paused, or whose webhook was stopped, from where it was.

    Raises:
        NotFoundError: there is none of this id.
    """
    untold = select(WatchEventRow.id).where(WatchEventRow.watch_id == WatchRow.id, WatchEventRow.id > WatchRow.told_to)
    rested = {"paused_at": None, "stopped_at": None, "attempts": 0, "last_error": None, "tell_at": None}
    _change(session, watch_id, rested)
    has_news = (WatchRow.id == watch_id, WatchRow.url.is_not(None), untold.correlate(WatchRow).exists())
    session.execute(update(WatchRow).where(*has_news).values(tell_at=now))


def delete(session: Session, watch_id: str) -> None:
    """Delete a watch with its events.

    Raises:
        NotFoundError: there is none of this id.
    """
    if session.execute(sql_delete(WatchRow).where(WatchRow.id == watch_id).returning(WatchRow.id)).first() is None:
        raise _missing(watch_id)


def _add(
    session: Session, kind: WatchKind, name: str, subject: dict[str, Any], most: int, webhook: NewWebhook | None
) -> Watch:
    kept = bounded("the name of a watch", name)
    if kept is None:
        raise UsageError("a watch needs a name")
    if session.execute(select(func.count()).select_from(WatchRow)).scalar_one() >= most:
        raise ConflictError(f"there are {most} watches already: remove one, or raise DEJAFAKE_WATCHES_MAX")
    newest = session.execute(select(func.max(ImageRow.id))).scalar_one() or 0
    watch_id = f"wch_{token_hex(12)}"
    session.execute(
        insert(WatchRow).values(
            id=watch_id,
            name=kept,
            kind=kind,
            created_at=utc_now(),
            began_after=newest,
            image_after=newest,
            embedding_after=session.execute(select(func.max(EmbeddingRow.id))).scalar_one() or 0,
            url=None if webhook is None else webhook.url,
            secret=None if webhook is None else webhook.secret,
            told_to=0,
            attempts=0,
            **subject,
        )
    )
    return get(session, watch_id)


def _change(session: Session, watch_id: str, values: dict[str, Any]) -> None:
    changed = update(WatchRow).where(WatchRow.id == watch_id).values(**values).returning(WatchRow.id)
    if session.execute(changed, execution_options={"synchronize_session": False}).first() is None:
        raise _missing(watch_id)


def _missing(watch_id: str) -> NotFoundError:
    return NotFoundError(
        f"there is no watch {watch_id}: `dejafake watch list` and GET /v1/watches show those there are"
    )


def _record(row: WatchRow, events: int) -> Watch:
    return Watch(
        id=row.id,
        name=row.name,
        kind=row.kind,
        image=row.sha256,
        fingerprint=row.fingerprint,
        campaign=row.campaign_id,
        filter=None if row.filter is None else FILTERS.validate_python(row.filter),
        created_at=row.created_at,
        paused_at=row.paused_at,
        events=events,
        webhook=None if row.url is None else _webhook(row, row.url),
    )


def _webhook(row: WatchRow, url: str) -> Webhook:
    state = WebhookState.IDLE if row.tell_at is None else WebhookState.PENDING
    return Webhook(
        url=url,
        own_secret=row.secret is not None,
        state=state if row.stopped_at is None else WebhookState.STOPPED,
        attempts=row.attempts,
        next_attempt_at=row.tell_at,
        last_error=row.last_error,
    )
