"""What analysts have said about a campaign: whether it is confirmed or closed, and their notes."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from indexer.campaigns.report.records import Note, Standing
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.records.campaigns import Campaign, Decision
from indexer.vocabulary import CampaignState, DecisionKind

_AT_ONCE = 200


def standing_of(session: Session, campaign: Campaign) -> Standing:
    """The standing of a campaign, from the decisions in force."""
    confirmation = campaign_decisions.confirmation(session, campaign.id) if campaign.confirmed else None
    if confirmation is not None:
        state = f"confirmed by {confirmation.by} on {confirmation.at:%Y-%m-%d}"
    else:
        state = "found by clustering, not confirmed by anyone"
    if campaign.state is CampaignState.CLOSED:
        state += ", closed"
    notes = (
        Note(decision.note, decision.by, decision.at)
        for decision in _annotations(session, campaign.id)
        if decision.note is not None
    )
    return Standing(confirmed=confirmation is not None, state=state, notes=tuple(notes))


def _annotations(session: Session, campaign_id: str) -> Iterator[Decision]:
    """Newest first."""
    cursor: str | None = None
    while True:
        page = campaign_decisions.page(session, _AT_ONCE, cursor, campaign=campaign_id)
        yield from (
            decision for decision in page.items if decision.kind is DecisionKind.ANNOTATE and decision.undone_by is None
        )
        cursor = page.next_cursor
        if cursor is None:
            return
