"""What analysts decided about campaigns: who, when, why. Decisions are never changed; an undo is a decision too."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog import cursors
from indexer.catalog.campaign_records import (
    Decision,
    NewDecision,
    Placement,
    RejectedMember,
    StandingDecision,
)
from indexer.catalog.campaign_tables import CampaignDecisionImageRow, CampaignDecisionRow
from indexer.catalog.records import Page
from indexer.catalog.types import bounded, clean_text, utc_now
from indexer.errors import NotFoundError, UsageError
from indexer.vocabulary import DecisionKind

_ROW = CampaignDecisionRow
_IMAGE = CampaignDecisionImageRow
_COUNT = (
    select(func.count()).where(_IMAGE.decision_id == _ROW.id).correlate(CampaignDecisionRow).scalar_subquery()
).label("images")
_COLUMNS = (
    _ROW.id,
    _ROW.kind,
    _ROW.campaign_id,
    _ROW.other_id,
    _ROW.name,
    _ROW.name_before,
    _ROW.decided_by,
    _ROW.note,
    _ROW.decided_at,
    _ROW.undoes,
    _ROW.undone_by,
    _COUNT,
)


def record(session: Session, new: NewDecision) -> Decision:
    """Keep a decision; one that undoes another marks it.

    Raises:
        UsageError: nobody is named who decided it, or a name is too long.
    """
    by = bounded("who decided", new.by)
    if by is None:
        raise UsageError("a decision needs somebody who decided it")
    values = {
        "kind": new.kind,
        "campaign_id": new.campaign,
        "other_id": new.other,
        "name": new.name,
        "name_before": new.name_before,
        "decided_by": by,
        "note": None if new.note is None else clean_text(new.note).strip() or None,
        "decided_at": utc_now(),
        "undoes": new.undoes,
    }
    made = session.execute(insert(_ROW).values(**values).returning(_ROW.id)).scalar_one()
    if new.images:
        rows = [
            {"decision_id": made, "sha256": place.sha256, "was_in": place.was_in, "put_in": place.put_in}
            for place in new.images
        ]
        session.execute(insert(_IMAGE), rows)
    if new.undoes is not None:
        session.execute(update(_ROW).where(_ROW.id == new.undoes).values(undone_by=made))
    return get(session, made)


def get(session: Session, decision_id: int) -> Decision:
    """A decision.

    Raises:
        NotFoundError: there is none of this number.
    """
    found = None
    if 0 < decision_id < 2**63:
        found = session.execute(select(*_COLUMNS).where(_ROW.id == decision_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no decision {decision_id}: `dejafake decide list` shows them")
    return _record(found)


def images_of(session: Session, decision_id: int) -> tuple[Placement, ...]:
    """The images a decision is about, by SHA-256."""
    return tuple(place for _, place in _placements(session, _IMAGE.decision_id == decision_id))


def images_page(session: Session, decision_id: int, limit: int, cursor: str | None = None) -> Page[Placement]:
    """The images a decision is about, by SHA-256, a page of them; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    (after,) = cursors.decode("images of a decision", cursor, str) or ("",)
    wanted = (_IMAGE.decision_id == decision_id, _IMAGE.sha256 > after)
    rows = session.execute(
        select(_IMAGE.sha256, _IMAGE.was_in, _IMAGE.put_in).where(*wanted).order_by(_IMAGE.sha256).limit(limit + 1)
    ).all()
    more = cursors.encode("images of a decision", rows[limit - 1].sha256) if len(rows) > limit else None
    return Page(tuple(Placement(*row) for row in rows[:limit]), more)


def page(session: Session, limit: int, cursor: str | None = None, *, campaign: str | None = None) -> Page[Decision]:
    """Decisions, newest first: all, or those about a campaign; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    statement = select(*_COLUMNS).order_by(_ROW.id.desc()).limit(limit + 1)
    if campaign is not None:
        statement = statement.where(or_(_ROW.campaign_id == campaign, _ROW.other_id == campaign))
    if before := cursors.decode("decisions", cursor, int):
        statement = statement.where(_ROW.id < before[0])
    rows = session.execute(statement).all()
    more = cursors.encode("decisions", rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(_record(row) for row in rows[:limit]), more)


def standing(session: Session) -> tuple[StandingDecision, ...]:
    """All decisions that were not undone, oldest first, but for the undos themselves; two statements."""
    wanted = (_ROW.undone_by.is_(None), _ROW.kind != DecisionKind.UNDO)
    rows = session.execute(select(*_COLUMNS).where(*wanted).order_by(_ROW.id)).all()
    images: dict[int, list[Placement]] = {}
    if rows:
        for decision_id, place in _placements(session, _IMAGE.decision_id.in_(select(_ROW.id).where(*wanted))):
            images.setdefault(decision_id, []).append(place)
    return tuple(StandingDecision(_record(row), tuple(images.get(row.id, ()))) for row in rows)


def confirmation(session: Session, campaign_id: str) -> Decision | None:
    """The standing decision that a campaign is one."""
    wanted = (_ROW.campaign_id == campaign_id, _ROW.kind == DecisionKind.CONFIRM, _ROW.undone_by.is_(None))
    row = session.execute(select(*_COLUMNS).where(*wanted).order_by(_ROW.id.desc()).limit(1)).one_or_none()
    return None if row is None else _record(row)


def rejected(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[RejectedMember]:
    """The images that analysts took out of a campaign for good, newest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    statement = (
        select(_IMAGE.sha256, _ROW.id, _ROW.decided_by, _ROW.note, _ROW.decided_at)
        .join(CampaignDecisionRow, _ROW.id == _IMAGE.decision_id)
        .where(_ROW.campaign_id == campaign_id, _ROW.kind == DecisionKind.REJECT_MEMBER, _ROW.undone_by.is_(None))
        .order_by(_ROW.id.desc(), _IMAGE.sha256)
        .limit(limit + 1)
    )
    if after := cursors.decode("rejected members", cursor, int, str):
        later = or_(_ROW.id < after[0], (_ROW.id == after[0]) & (_IMAGE.sha256 > after[1]))
        statement = statement.where(later)
    rows = session.execute(statement).all()
    more = None
    if len(rows) > limit:
        more = cursors.encode("rejected members", rows[limit - 1].id, rows[limit - 1].sha256)
    return Page(tuple(RejectedMember(*row) for row in rows[:limit]), more)


def _placements(session: Session, condition: Any) -> Sequence[tuple[int, Placement]]:
    rows = session.execute(
        select(_IMAGE.decision_id, _IMAGE.sha256, _IMAGE.was_in, _IMAGE.put_in)
        .where(condition)
        .order_by(_IMAGE.decision_id, _IMAGE.sha256)
    )
    return [(row.decision_id, Placement(row.sha256, row.was_in, row.put_in)) for row in rows]


def _record(row: Row[Any]) -> Decision:
    return Decision(
        id=row.id,
        kind=row.kind,
        campaign=row.campaign_id,
        other=row.other_id,
        name=row.name,
        name_before=row.name_before,
        by=row.decided_by,
        note=row.note,
        at=row.decided_at,
        undoes=row.undoes,
        undone_by=row.undone_by,
        images=row.images,
    )
