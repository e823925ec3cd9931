"""Campaign members for display: their reasons as numbers and in words."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from indexer.campaigns.reasons import reasons_words
from indexer.catalog.campaigns import campaigns
from indexer.catalog.records.campaigns import CampaignMember, Reason
from indexer.catalog.records.pages import Page
from indexer.vocabulary import MemberState


@dataclass(frozen=True, slots=True)
class ShownMember:
    """A member of a campaign. `strength` in [0, 1] is that of the evidence, 0 for a member that an analyst added
    without any; `reasons` says `why` in sentences ("same picture, PDQ 12"). `state`: whether an analyst confirmed it;
    `pinned`: whether an analyst keeps it there regardless of later runs.
    """

    sha256: str
    strength: float
    exemplar: bool
    reasons: tuple[str, ...]
    why: tuple[Reason, ...]
    state: MemberState
    pinned: bool


def shown_members(session: Session, campaign_id: str, limit: int, cursor: str | None = None) -> Page[ShownMember]:
    """Members of a campaign: exemplars first, then by falling strength.

    Raises:
        UsageError: a bad limit or cursor.
    """
    page = campaigns.members(session, campaign_id, limit, cursor)
    return Page(tuple(_shown(member) for member in page.items), page.next_cursor)


def _shown(member: CampaignMember) -> ShownMember:
    return ShownMember(
        sha256=member.sha256,
        strength=member.strength,
        exemplar=member.exemplar,
        reasons=reasons_words(member.reasons),
        why=member.reasons,
        state=member.state,
        pinned=member.pinned,
    )
