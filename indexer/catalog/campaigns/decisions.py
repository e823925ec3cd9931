"""Analysts' decisions about campaigns: who, when, why. Decisions are never changed; an undo is a decision too."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.catalog.campaigns.history import newest_first
from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.campaigns import Decision, NewDecision, Placement, RejectedMember, StandingDecision
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignDecisionImageRow, CampaignDecisionRow
from indexer.catalog.tables.types import bounded, clean_text, utc_now
from indexer.errors import NotFoundError, UsageError
from indexer.vocabulary import DecisionKind

_ROW = CampaignDecisionRow
_IMAGE = CampaignDecisionImageRow
_ABOUT_IMAGE = 200
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
    _ROW.named_before,
    _ROW.decided_by,
    _ROW.note,
    _ROW.decided_at,
    _ROW.undoes,
    _ROW.undone_by,
    _COUNT,
)


def record(session: Session, new: NewDecision) -> Decision:
    """Store a decision; an undo also marks the decision it undoes.

    Raises:
        UsageError: no author is named, or a name is too long.
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
        "named_before": new.named_before,
        "decided_by": by,
        "note": None if new.note is None else clean_text(new.note).strip() or None,
        "decided_at": utc_now(),
        "undoes": new.undoes,
    }
    decision_id = session.execute(insert(_ROW).values(**values).returning(_ROW.id)).scalar_one()
    if new.images:
        rows = [
            {
                "decision_id": decision_id,
                "sha256": placement.sha256,
                "was_in": placement.was_in,
                "put_in": placement.put_in,
            }
            for placement in new.images
        ]
        session.execute(insert(_IMAGE), rows)
    if new.undoes is not None:
        session.execute(update(_ROW).where(_ROW.id == new.undoes).values(undone_by=decision_id))
    return get(session, decision_id)


def get(session: Session, decision_id: int) -> Decision:
    """A decision.

    Raises:
        NotFoundError: there is no decision with this number.
    """
    row = None
    if 0 < decision_id < 2**63:
        row = session.execute(select(*_COLUMNS).where(_ROW.id == decision_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no decision {decision_id}: `dejafake decide list` shows them")
    return _record(row)


def images_of(session: Session, decision_id: int) -> tuple[Placement, ...]:
    """The images a decision is about, by SHA-256."""
    return tuple(placement for _, placement in _placements(session, _IMAGE.decision_id == decision_id))


def images_page(session: Session, decision_id: int, limit: int, cursor: str | None = None) -> Page[Placement]:
    """A page of the images a decision is about, by SHA-256; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("images of a decision", limit, cursor, sha256=str)
    statement = select(_IMAGE.sha256, _IMAGE.was_in, _IMAGE.put_in).where(_IMAGE.decision_id == decision_id)
    if request.after:
        statement = statement.where(_IMAGE.sha256 > request.after[0])
    return request.rows(session, statement.order_by(_IMAGE.sha256)).map(lambda row: Placement(*row))


def page(session: Session, limit: int, cursor: str | None = None, *, campaign: str | None = None) -> Page[Decision]:
    """Decisions, newest first: all, or those about a campaign; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("decisions", limit, cursor, id=int)
    return newest_first(session, _ROW, select(*_COLUMNS), request, campaign).map(_record)


def standing(session: Session) -> tuple[StandingDecision, ...]:
    """All decisions in force (not undone, and not undos themselves), oldest first; two statements."""
    in_force = (_ROW.undone_by.is_(None), _ROW.kind != DecisionKind.UNDO)
    rows = session.execute(select(*_COLUMNS).where(*in_force).order_by(_ROW.id)).all()
    images: dict[int, list[Placement]] = {}
    if rows:
        for decision_id, placement in _placements(session, _IMAGE.decision_id.in_(select(_ROW.id).where(*in_force))):
            images.setdefault(decision_id, []).append(placement)
    return tuple(StandingDecision(_record(row), tuple(images.get(row.id, ()))) for row in rows)


def confirmation(session: Session, campaign_id: str) -> Decision | None:
    """The decision in force that confirms a campaign."""
    matching = (_ROW.campaign_id == campaign_id, _ROW.kind == DecisionKind.CONFIRM, _ROW.undone_by.is_(None))
    row = session.execute(select(*_COLUMNS).where(*matching).order_by(_ROW.id.desc()).limit(1)).one_or_none()
    return None if row is None else _record(row)


def rejected(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[RejectedMember]:
    """The images that analysts rejected from a campaign, newest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("rejected members", limit, cursor, id=int, sha256=str)
    statement = (
        select(_IMAGE.sha256, _ROW.id, _ROW.decided_by, _ROW.note, _ROW.decided_at)
        .join(CampaignDecisionRow, _ROW.id == _IMAGE.decision_id)
        .where(_ROW.campaign_id == campaign_id, _ROW.kind == DecisionKind.REJECT_MEMBER, _ROW.undone_by.is_(None))
        .order_by(_ROW.id.desc(), _IMAGE.sha256)
    )
    if request.after:
        decision, sha256 = request.after
        statement = statement.where(or_(_ROW.id < decision, (_ROW.id == decision) & (_IMAGE.sha256 > sha256)))
    return request.rows(session, statement).map(lambda row: RejectedMember(*row))


def about_image(session: Session, sha256: str) -> tuple[Decision, ...]:
    """The newest 200 decisions that name an image, undone ones too, newest first; one statement."""
    naming = select(_IMAGE.decision_id).where(_IMAGE.sha256 == sha256)
    rows = session.execute(select(*_COLUMNS).where(_ROW.id.in_(naming)).order_by(_ROW.id.desc()).limit(_ABOUT_IMAGE))
    return tuple(_record(row) for row in rows)


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
        named_before=row.named_before,
    )
