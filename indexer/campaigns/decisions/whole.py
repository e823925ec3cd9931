"""Decisions about a campaign as a whole: confirm, pin, rename, annotate, close."""

from sqlalchemy.orm import Session

from indexer.campaigns.decisions.checks import (
    Author,
    check_new,
    standing_bindings,
)
from indexer.campaigns.decisions.effects import Effects
from indexer.catalog import campaign_decisions, campaign_events, campaign_members, campaigns
from indexer.catalog.campaign_records import Decision, NewDecision, NewEvent, Placement
from indexer.catalog.records import Campaign
from indexer.errors import UsageError
from indexer.vocabulary import CampaignEventKind, DecisionKind


def confirm(session: Session, campaign: str, author: Author) -> Decision:
    """An analyst concludes that a campaign is one; its members of now stay in it.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: it is confirmed already.
    """
    found, decided = campaigns.existing(session, campaign), standing_bindings(session)
    check_new(decided.confirmed_campaigns.get(found.id), f"campaign {found.id} is confirmed already")
    return _over_campaign(session, DecisionKind.CONFIRM, found, author)


def pin(session: Session, campaign: str, author: Author) -> Decision:
    """Keeps a campaign with its members of now, whatever later runs find. It does not say that they are right.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: all of it is pinned already.
    """
    found, decided = campaigns.existing(session, campaign), standing_bindings(session)
    members = campaign_members.of_campaigns(session, [found.id])[found.id]
    pinned = [decided.pinned[sha256] for sha256 in members if sha256 in decided.pinned]
    check_new(pinned[0] if len(pinned) == len(members) else None, f"all of campaign {found.id} is pinned already")
    return _over_campaign(session, DecisionKind.PIN, found, author)


def rename(session: Session, campaign: str, name: str, author: Author) -> Decision:
    """Gives a campaign the name people use; runs keep it.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        UsageError: the name is empty or too long, or it is called so already.
    """
    found = campaigns.existing(session, campaign)
    campaigns.rename(session, found.id, name)
    now = campaigns.existing(session, found.id).name
    if now == found.name:
        raise UsageError(f"campaign {found.id} is called {now} already")
    new = NewDecision(DecisionKind.RENAME, found.id, author.by, author.note, name=now, name_before=found.name)
    made = campaign_decisions.record(session, new)
    event = NewEvent(found.id, CampaignEventKind.RENAMED, now, found.size, name_before=found.name)
    campaign_events.add(session, [event], decision=made.id)
    return made


def annotate(session: Session, campaign: str, author: Author) -> Decision:
    """Keeps a note of the author's on a campaign.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        UsageError: there is no note.
    """
    if not (author.note or "").strip():
        raise UsageError("a note needs words: say them with --note")
    found = campaigns.existing(session, campaign)
    return campaign_decisions.record(session, NewDecision(DecisionKind.ANNOTATE, found.id, author.by, author.note))


def close(session: Session, campaign: str, author: Author) -> Decision:
    """Says that nobody works on a campaign any more. New images still join it.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: it is closed already.
    """
    found, decided = campaigns.existing(session, campaign), standing_bindings(session)
    check_new(decided.closed.get(found.id), f"campaign {found.id} is closed already")
    return Effects(session).carry_out(NewDecision(DecisionKind.CLOSE, found.id, author.by, author.note))


def _over_campaign(session: Session, kind: DecisionKind, found: Campaign, author: Author) -> Decision:
    members = campaign_members.of_campaigns(session, [found.id])[found.id]
    places = tuple(Placement(sha256, found.id, found.id) for sha256 in members)
    return Effects(session).carry_out(NewDecision(kind, found.id, author.by, author.note, images=places))
