"""Decisions about a campaign as a whole: confirm, pin, rename, annotate, close."""

from sqlalchemy.orm import Session

from indexer.campaigns.decisions.checks import (
    Author,
    check_new,
    standing_bindings,
)
from indexer.campaigns.decisions.effects import Effects
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import Campaign, CampaignName, Decision, NewDecision, NewEvent, Placement
from indexer.errors import UsageError
from indexer.vocabulary import CampaignEventKind, DecisionKind


def confirm(session: Session, campaign: str, author: Author) -> Decision:
    """Confirms that this really is one campaign; its current members stay in it.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: it is confirmed already.
    """
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    check_new(decided.confirmed_campaigns.get(current.id), f"campaign {current.id} is confirmed already")
    return _over_campaign(session, DecisionKind.CONFIRM, current, author)


def pin(session: Session, campaign: str, author: Author) -> Decision:
    """Keeps a campaign with its current members, whatever later runs find. This does not say that they are right.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: all of it is pinned already.
    """
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    members = campaign_members.of_campaigns(session, [current.id])[current.id]
    pinned = [decided.pinned[sha256] for sha256 in members if sha256 in decided.pinned]
    check_new(pinned[0] if len(pinned) == len(members) else None, f"all of campaign {current.id} is pinned already")
    return _over_campaign(session, DecisionKind.PIN, current, author)


def rename(session: Session, campaign: str, name: str, author: Author) -> Decision:
    """Names a campaign; later runs keep the name.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        UsageError: the name is empty, too long, or already the campaign's name.
    """
    current = campaigns.existing(session, campaign)
    campaigns.rename(session, current.id, name)
    now = campaigns.existing(session, current.id).name
    if current.named and now == current.name:
        raise UsageError(f"campaign {current.id} is called {now} already")
    new = NewDecision(
        DecisionKind.RENAME,
        current.id,
        author.by,
        author.note,
        name=now,
        name_before=current.name,
        named_before=current.named,
    )
    decision = campaign_decisions.record(session, new)
    before = current.name if current.named else None
    called = CampaignName(now, current.first_seen)
    event = NewEvent(current.id, CampaignEventKind.RENAMED, called, current.size, name_before=before)
    campaign_events.add(session, [event], decision=decision.id)
    return decision


def annotate(session: Session, campaign: str, author: Author) -> Decision:
    """Attaches the author's note to a campaign.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        UsageError: there is no note.
    """
    if not (author.note or "").strip():
        raise UsageError("a note needs words: say them with --note")
    current = campaigns.existing(session, campaign)
    return campaign_decisions.record(session, NewDecision(DecisionKind.ANNOTATE, current.id, author.by, author.note))


def close(session: Session, campaign: str, author: Author) -> Decision:
    """Marks a campaign as no longer worked on. New images can still join it.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        ConflictError: it is closed already.
    """
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    check_new(decided.closed.get(current.id), f"campaign {current.id} is closed already")
    return Effects(session).carry_out(NewDecision(DecisionKind.CLOSE, current.id, author.by, author.note))


def _over_campaign(session: Session, kind: DecisionKind, current: Campaign, author: Author) -> Decision:
    members = campaign_members.of_campaigns(session, [current.id])[current.id]
    places = tuple(Placement(sha256, current.id, current.id) for sha256 in members)
    return Effects(session).carry_out(NewDecision(kind, current.id, author.by, author.note, images=places))
