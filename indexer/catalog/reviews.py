"""The review queue in SQL: what waits by itself in a table, what was decided, and who is to look at what."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.images.details import IMAGE_COLUMNS, image_of
from indexer.catalog.records.images import Image
from indexer.catalog.records.pages import Page
from indexer.catalog.records.reviews import NewReviewDecision, ReviewDecision, ReviewKey, SuggestedMember
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import insert_new, one_of
from indexer.catalog.tables.reviews import ReviewAssignmentRow, ReviewDecisionRow
from indexer.catalog.tables.types import bounded, clean_text, utc_now
from indexer.catalog.tables.watches import WatchEventRow
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.vocabulary import CampaignState, LabelValue, MemberState, ReviewKind

_ROW = ReviewDecisionRow
_ASSIGNED = ReviewAssignmentRow
_MEMBER = CampaignMemberRow
_COLUMNS = (
    _ROW.id,
    _ROW.kind,
    _ROW.sha256,
    _ROW.subject,
    _ROW.choice,
    _ROW.reason,
    _ROW.decided_by,
    _ROW.decided_at,
    _ROW.campaign_decision,
    _ROW.labelled,
    _ROW.undone_by,
    _ROW.undone_at,
)


def suggested_members(session: Session, limit: int, cursor: str | None = None) -> Page[SuggestedMember]:
    """The images that nobody confirmed in open campaigns, campaign by campaign, the strongest first; without those that
    somebody decided about in the queue. One statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("suggested members", limit, cursor, campaign_id=str, rank=int, image_id=int)
    statement = (
        select(_MEMBER.campaign_id, _MEMBER.rank, _MEMBER.image_id, ImageRow.sha256, _MEMBER.strength)
        .where(*_suggested())
        .join(ImageRow, ImageRow.id == _MEMBER.image_id)
        .join(CampaignRow, CampaignRow.id == _MEMBER.campaign_id)
        .order_by(_MEMBER.campaign_id, _MEMBER.rank, _MEMBER.image_id)
    )
    if request.after:
        statement = statement.where(tuple_(_MEMBER.campaign_id, _MEMBER.rank, _MEMBER.image_id) > request.after)
    return request.rows(session, statement).map(
        lambda row: SuggestedMember(row.campaign_id, row.image_id, row.sha256, row.strength)
    )


def disputed(session: Session, limit: int, cursor: str | None = None) -> Page[Image]:
    """The images about which those who spoke disagree, newest first, without decided ones. One statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("disputed labels", limit, cursor, start=(2**63 - 1,), id=int)
    statement = select(*IMAGE_COLUMNS).where(ImageRow.id < request.after[0], *_disputed()).order_by(ImageRow.id.desc())
    return request.rows(session, statement).map(image_of)


def counts(session: Session) -> dict[ReviewKind, int]:
    """How many wait, of the kinds that a table holds; three statements."""
    joined = (
        select(func.count())
        .select_from(CampaignMemberRow)
        .join(ImageRow, ImageRow.id == _MEMBER.image_id)
        .join(CampaignRow, CampaignRow.id == _MEMBER.campaign_id)
        .where(*_suggested())
    )
    events = (
        select(func.count())
        .select_from(WatchEventRow)
        .join(ImageRow, ImageRow.sha256 == WatchEventRow.sha256)
        .where(~_decided(ReviewKind.WATCH_EVENT, WatchEventRow.sha256, WatchEventRow.watch_id))
    )
    return {
        ReviewKind.CAMPAIGN_MEMBER: session.execute(joined).scalar_one(),
        ReviewKind.WATCH_EVENT: session.execute(events).scalar_one(),
        ReviewKind.DISPUTED_LABEL: session.execute(
            select(func.count()).select_from(ImageRow).where(*_disputed())
        ).scalar_one(),
    }


def in_force(session: Session, keys: Sequence[ReviewKey]) -> dict[ReviewKey, ReviewDecision]:
    """The decisions about these items that nobody took back; one statement."""
    asked = {*keys}
    statement = select(*_COLUMNS).where(one_of(_ROW.sha256, sorted({key.sha256 for key in asked})))
    decisions = [_record(row) for row in session.execute(statement.where(_ROW.undone_at.is_(None)))]
    by_key = {ReviewKey(decision.kind, decision.sha256, decision.subject): decision for decision in decisions}
    return {key: by_key[key] for key in keys if key in by_key}


def page(session: Session, limit: int, cursor: str | None = None) -> Page[ReviewDecision]:
    """All decisions, those taken back too, newest first; one statement.

    Raises:
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("review decisions", limit, cursor, start=(2**63 - 1,), id=int)
    statement = select(*_COLUMNS).where(_ROW.id < request.after[0]).order_by(_ROW.id.desc())
    return request.rows(session, statement).map(_record)


def get(session: Session, number: int) -> ReviewDecision:
    """A decision.

    Raises:
        NotFoundError: there is none with this number.
    """
    row = session.execute(select(*_COLUMNS).where(_ROW.id == number)).one_or_none() if 0 < number < 2**63 else None
    if row is None:
        raise NotFoundError(f"there is no review decision {number}")
    return _record(row)


def record(session: Session, new: NewReviewDecision) -> ReviewDecision:
    """Stores a decision.

    Raises:
        UsageError: nobody is named.
        ConflictError: somebody decided about the item before.
    """
    by = bounded("who decided", new.by)
    if by is None:
        raise UsageError("a decision needs somebody who decided it")
    values = {
        "kind": new.key.kind,
        "sha256": new.key.sha256,
        "subject": new.key.subject,
        "choice": new.choice,
        "reason": None if new.reason is None else clean_text(new.reason).strip() or None,
        "decided_by": by,
        "decided_at": utc_now(),
        "campaign_decision": new.campaign_decision,
        "labelled": new.labelled,
    }
    inserted = insert_new(session, ReviewDecisionRow, [values], ReviewDecisionRow.id)
    if not inserted:
        check_open(session, new.key)
        raise ConflictError("somebody decided about this at the same moment: reload")
    return get(session, int(inserted[0]))


def check_open(session: Session, key: ReviewKey) -> None:
    """
    Raises:
        ConflictError: somebody decided about the item already; it says who, when and how.
    """
    before = in_force(session, [key]).get(key)
    if before is not None:
        words = before.choice.value.replace("_", " ")
        raise ConflictError(
            f"{before.by} decided about this already, on {before.at:%Y-%m-%d at %H:%M} UTC: {words}. To decide "
            f"otherwise, take decision {before.number} back first"
        )


def take_back(session: Session, number: int, by: str) -> ReviewDecision:
    """Marks a decision as taken back.

    Raises:
        NotFoundError: there is none with this number.
        ConflictError: it was taken back already.
    """
    before = get(session, number)
    who = bounded("who decided", by)
    if who is None:
        raise UsageError("to take a decision back needs somebody who does it")
    if before.undone_at is not None:
        raise ConflictError(f"{before.undone_by} took decision {number} back already")
    session.execute(update(ReviewDecisionRow).where(_ROW.id == number).values(undone_by=who, undone_at=utc_now()))
    return get(session, number)


def assign(session: Session, key: ReviewKey, person: str | None, by: str) -> None:
    """Names who is to look at an item; None: nobody in particular."""
    mine = (_ASSIGNED.sha256 == key.sha256, _ASSIGNED.kind == key.kind, _ASSIGNED.subject == key.subject)
    session.execute(delete(ReviewAssignmentRow).where(*mine))
    name = None if person is None else bounded("a person", person)
    if name is not None:
        values = {"person": name, "assigned_by": bounded("who assigns", by) or "", "assigned_at": utc_now()}
        session.execute(
            insert(ReviewAssignmentRow).values(kind=key.kind, sha256=key.sha256, subject=key.subject, **values)
        )


def assigned(session: Session, keys: Sequence[ReviewKey]) -> dict[ReviewKey, str]:
    """Who is to look at these items, of those that somebody is named for; one statement."""
    statement = select(_ASSIGNED.kind, _ASSIGNED.sha256, _ASSIGNED.subject, _ASSIGNED.person).where(
        one_of(_ASSIGNED.sha256, sorted({key.sha256 for key in keys}))
    )
    people = {ReviewKey(kind, sha256, subject): person for kind, sha256, subject, person in session.execute(statement)}
    return {key: people[key] for key in keys if key in people}


def _suggested() -> tuple[Any, ...]:
    return (
        _MEMBER.state == MemberState.SUGGESTED,
        CampaignRow.state == CampaignState.OPEN,
        ~_decided(ReviewKind.CAMPAIGN_MEMBER, ImageRow.sha256, _MEMBER.campaign_id),
    )


def _disputed() -> tuple[Any, ...]:
    undecided = ~_decided(ReviewKind.DISPUTED_LABEL, ImageRow.sha256, "")
    return ImageRow.label == LabelValue.UNKNOWN, ImageRow.disputed, undecided


def _decided(kind: ReviewKind, sha256: Any, subject: Any) -> Any:
    return exists().where(_ROW.kind == kind, _ROW.sha256 == sha256, _ROW.subject == subject, _ROW.undone_at.is_(None))


def _record(row: Any) -> ReviewDecision:
    number, kind, sha256, subject, *others = row
    return ReviewDecision(number, ReviewKey(kind, sha256, subject).id, kind, sha256, subject, *others)
