"""What people have said of a campaign: whether they confirmed it, whether it is closed, and their notes."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from indexer.campaigns.report_records import Note, Standing
from indexer.catalog import campaign_decisions
from indexer.catalog.campaign_records import Decision
from indexer.catalog.records import Campaign
from indexer.vocabulary import CampaignState, DecisionKind

_AT_ONCE = 200


def standing_of(session: Session, campaign: Campaign) -> Standing:
    """The standing of a campaign, from the decisions that were not undone."""
    confirmation = campaign_decisions.confirmation(session, campaign.id) if campaign.confirmed else None
    if confirmation is not None:
        state = f"confirmed by {confirmation.by} on {confirmation.at:%Y-%m-%d}"
    else:
        state = "found by clustering, not confirmed by anyone"
    if campaign.state is CampaignState.CLOSED:
        state += ", closed"
    notes = (Note(one.note, one.by, one.at) for one in _annotations(session, campaign.id) if one.note is not None)
    return Standing(confirmed=confirmation is not None, state=state, notes=tuple(notes))


def _annotations(session: Session, campaign_id: str) -> Iterator[Decision]:
    """Newest first."""
    cursor: str | None = None
    while True:
        page = campaign_decisions.page(session, _AT_ONCE, cursor, campaign=campaign_id)
        yield from (one for one in page.items if one.kind is DecisionKind.ANNOTATE and one.undone_by is None)
        cursor = page.next_cursor
        if cursor is None:
            return
