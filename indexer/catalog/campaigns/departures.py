"""Images that leave their campaigns because they were deleted or are no longer known fakes. The campaign's own fields
are updated in the same transaction. A campaign left with a single image is removed, unless an analyst's decision keeps
it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import CampaignName, NewEvent
from indexer.catalog.tables.campaigns import (
    CampaignDecisionImageRow,
    CampaignDecisionRow,
    CampaignMemberRow,
    CampaignRow,
)
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.vocabulary import CampaignEventKind, DecisionKind, MemberState

_MEMBER = CampaignMemberRow
_Before = tuple[str, CampaignName, int]


@contextmanager
def departing(session: Session, image_ids: Sequence[int]) -> Iterator[None]:
    """A context in which these images, by internal id, leave their campaigns; on exit the campaigns are updated and the
    events recorded.
    """
    here = select(_MEMBER.campaign_id).where(one_of(_MEMBER.image_id, image_ids))
    columns = (CampaignRow.id, CampaignRow.given_name, CampaignRow.first_seen, CampaignRow.size)
    before = session.execute(select(*columns).where(CampaignRow.id.in_(here)).order_by(CampaignRow.id)).all()
    yield
    events = [_after(session, (row.id, CampaignName(row.given_name, row.first_seen), row.size)) for row in before]
    campaign_events.add(session, [event for event in events if event is not None])


def leave(session: Session, image_ids: Sequence[int]) -> None:
    """Remove images, by internal id, from any campaigns they are in."""
    if session.execute(select(_MEMBER.image_id).where(one_of(_MEMBER.image_id, image_ids)).limit(1)).first():
        with departing(session, image_ids):
            campaign_members.take_out(session, image_ids)


def _after(session: Session, before: _Before) -> NewEvent | None:
    campaign_id, name, size = before
    left = campaign_members.tidy(session, campaign_id)
    if left == 1 and size > 1 and not _is_held(session, campaign_id):
        session.execute(delete(CampaignRow).where(CampaignRow.id == campaign_id), execution_options=_QUIETLY)
        left = 0
    if left == 0:
        return NewEvent(campaign_id, CampaignEventKind.DIED, name, size, removed=size)
    if left == size:
        return None
    first_seen = session.execute(select(CampaignRow.first_seen).where(CampaignRow.id == campaign_id)).scalar_one()
    called = CampaignName(name.given, first_seen)
    return NewEvent(campaign_id, CampaignEventKind.SHRANK, called, left, removed=size - left)


def _is_held(session: Session, campaign_id: str) -> bool:
    """Whether analysts confirmed the campaign, or placed or pinned its remaining images."""
    member = _MEMBER.campaign_id == campaign_id
    kept = (_MEMBER.state == MemberState.CONFIRMED) | _MEMBER.pinned
    decision, image = CampaignDecisionRow, CampaignDecisionImageRow
    decided = (
        select(image.sha256)
        .join(decision, decision.id == image.decision_id)
        .join(ImageRow, ImageRow.sha256 == image.sha256)
        .join(CampaignMemberRow, (_MEMBER.image_id == ImageRow.id) & (_MEMBER.campaign_id == image.put_in))
        .where(image.put_in == campaign_id, decision.undone_by.is_(None), decision.kind != DecisionKind.UNDO)
    )
    held = (
        select(CampaignRow.id).where(CampaignRow.id == campaign_id, CampaignRow.confirmed).exists()
        | exists().where(member, kept)
        | decided.exists()
    )
    return bool(session.execute(select(held)).scalar_one())


_QUIETLY = {"synchronize_session": False}
