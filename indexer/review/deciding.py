"""What a decision about something that waited does: it confirms or rejects a campaign's member, states a label, or is
only kept, so that the item does not come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.catalog import reviews
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.reviews import NewReviewDecision, ReviewDecision, ReviewKey
from indexer.errors import ConflictError, NotFoundError
from indexer.vocabulary import LabelSource, LabelValue, ReviewChoice, ReviewKind

_LABELS: Final[Mapping[ReviewKind, Mapping[ReviewChoice, LabelValue]]] = {
    ReviewKind.DISPUTED_LABEL: {ReviewChoice.YES: LabelValue.FAKE, ReviewChoice.NO: LabelValue.AUTHENTIC},
    ReviewKind.KNOWN_COPY: {ReviewChoice.YES: LabelValue.FAKE},
    ReviewKind.LISTED_HASH: {ReviewChoice.YES: LabelValue.FAKE},
    ReviewKind.NOVELTY: {ReviewChoice.YES: LabelValue.FAKE, ReviewChoice.NO: LabelValue.AUTHENTIC},
}
"""What each answer says of the image; an answer that is not here states no label."""


@dataclass(frozen=True, slots=True)
class _Done:
    campaign_decision: int | None = None
    labelled: bool = False


def decide(session: Session, key: ReviewKey, choice: ReviewChoice, author: Author) -> ReviewDecision:
    """Decides about an item, in the caller's transaction.

    Args:
        session: of a writing transaction.
        key: what the item's id names.
        choice: yes, no or cannot tell.
        author: who decides, and why.

    Raises:
        NotFoundError, CampaignGoneError: the image or the campaign is not there (any more).
        ConflictError: somebody decided about it already, here or on the campaign's page; the words say who.
    """
    reviews.check_open(session, key)
    image_id = images.find_ids(session, [key.sha256]).get(key.sha256)
    if image_id is None:
        raise NotFoundError(f"no image {key.sha256} in this catalogue: it was deleted meanwhile")
    if key.kind is ReviewKind.CAMPAIGN_MEMBER:
        done = _about_member(session, key, choice, author)
    else:
        done = _Done(labelled=_label(session, image_id, _LABELS.get(key.kind, {}).get(choice), author))
    return reviews.record(
        session,
        NewReviewDecision(key, choice, author.by, author.note, done.campaign_decision, done.labelled),
    )


def take_back(session: Session, number: int, author: Author) -> ReviewDecision:
    """Takes a decision back, with what it did: the item waits again.

    Raises:
        NotFoundError: there is no such decision.
        ConflictError: it was taken back already, or what it did to a campaign cannot be undone any more.
    """
    before = reviews.take_back(session, number, author.by)
    if before.campaign_decision is not None:
        decisions.undo(session, before.campaign_decision, author)
    if before.labelled:
        image_id = images.find_ids(session, [before.sha256]).get(before.sha256)
        if image_id is not None:  # the person says nothing of it any more
            _label(session, image_id, LabelValue.UNKNOWN, Author(before.by, f"taken back by {author.by}"))
    return before


def _about_member(session: Session, key: ReviewKey, choice: ReviewChoice, author: Author) -> _Done:
    stored = campaign_members.find(session, [key.sha256])[key.sha256]
    if stored.campaign != key.subject:
        raise ConflictError(f"image {key.sha256} is not in campaign {key.subject} any more: reload")
    if choice is ReviewChoice.CANNOT_TELL:
        return _Done()
    carry_out = decisions.confirm_members if choice is ReviewChoice.YES else decisions.reject_members
    return _Done(campaign_decision=carry_out(session, key.subject, [key.sha256], author).id)


def _label(session: Session, image_id: int, value: LabelValue | None, author: Author) -> bool:
    if value is None:
        return False
    statement = NewLabel(value=value, source_kind=LabelSource.HUMAN, source=author.by, reason=author.note)
    labels.state(session, image_id, [statement])
    return True
