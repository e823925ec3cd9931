"""Taking decisions back. An undo is a decision of its own, recorded beside the one it takes back."""

from collections.abc import Set
from dataclasses import replace

from sqlalchemy.orm import Session

from indexer.campaigns.bindings import bindings
from indexer.campaigns.decisions.checks import Author
from indexer.campaigns.decisions.effects import Effects
from indexer.catalog import campaign_decisions, campaign_events, campaign_members, campaigns
from indexer.catalog.campaign_records import Decision, NewDecision, NewEvent, Placement
from indexer.errors import ConflictError
from indexer.vocabulary import CampaignEventKind, DecisionKind

_REBUILDING = {DecisionKind.MERGE, DecisionKind.SPLIT}
_NOTHING_TO_COMPARE = 1.0
"""The cohesion of a campaign whose images are alone, until the next run measures it."""


def undo(session: Session, decision_id: int, author: Author) -> Decision:
    """Takes a decision back. Images go to where the decision found them, unless they were moved since or another
    decision holds them where they are; a campaign that ended by it is there again, one that was split off is not.
    What other effects it had on later runs ends.

    Raises:
        NotFoundError: there is no such decision.
        ConflictError: it was undone already, is an undo itself, or later decisions build on it.
    """
    old = campaign_decisions.get(session, decision_id)
    _refuse_what_cannot_be_undone(session, old)
    new = NewDecision(
        DecisionKind.UNDO,
        old.campaign,
        author.by,
        author.note,
        other=old.other,
        name=old.name_before if old.kind is DecisionKind.RENAME else None,
        name_before=old.name,
        undoes=old.id,
    )
    made = campaign_decisions.record(session, new)
    if old.kind is DecisionKind.RENAME:
        _rename_back(session, old, made)
    elif old.kind is not DecisionKind.ANNOTATE:
        Effects(session).apply(made, _back(session, old))
    return made


def _refuse_what_cannot_be_undone(session: Session, old: Decision) -> None:
    if old.kind is DecisionKind.UNDO:
        raise ConflictError(f"decision {old.id} is itself an undo, of decision {old.undoes}: make that decision anew")
    if old.undone_by is not None:
        raise ConflictError(f"decision {old.id} was undone already, by decision {old.undone_by}")
    if old.kind not in _REBUILDING:
        return
    names = {old.campaign, old.other} if old.kind is DecisionKind.MERGE else {old.other}
    for one in campaign_decisions.standing(session):
        later = one.decision
        builds = later.kind in _REBUILDING or old.kind is DecisionKind.SPLIT
        if later.id > old.id and builds and names & {later.campaign, later.other}:
            raise ConflictError(
                f"decision {later.id} ({later.kind.value}) of {later.by} builds on decision {old.id}: undo it first "
                f"with `dejafake decide undo {later.id}`"
            )


def _back(session: Session, old: Decision) -> tuple[Placement, ...]:
    """Where the images a decision is about go when it is undone; campaigns that ended by it are made anew for them."""
    decided = bindings(campaign_decisions.standing(session))
    places = _places(session, old)
    stored = campaign_members.find(session, [place.sha256 for place in places])
    back = []
    for place in places:
        member = stored.get(place.sha256)
        if member is None or member.campaign != place.put_in:
            continue
        binding = decided.bound.get(place.sha256)
        target = place.was_in if binding is None else binding.campaign
        may_come = member.is_fake and (target is None or decided.allows(place.sha256, target))
        if target != member.campaign and not may_come:
            target = None
        back.append(replace(place, was_in=member.campaign, put_in=target))
    _revive(session, old, {place.put_in for place in back if place.put_in is not None})
    alive = campaigns.names(session)
    return tuple(place if place.put_in in alive else replace(place, put_in=_stays(place)) for place in back)


def _places(session: Session, old: Decision) -> list[Placement]:
    """The images a decision is about, and of a split those that joined the part since."""
    places = list(campaign_decisions.images_of(session, old.id))
    if old.kind is DecisionKind.SPLIT and old.other is not None:
        named = {place.sha256 for place in places}
        joined = campaign_members.of_campaigns(session, [old.other]).get(old.other, {})
        places += [Placement(sha256, old.campaign, old.other) for sha256 in joined if sha256 not in named]
    return places


def _stays(place: Placement) -> str | None:
    """Where an image goes whose campaign of before is no more: it stays, if it was to go to one at all."""
    return None if place.put_in is None else place.was_in


def _revive(session: Session, old: Decision, wanted: Set[str]) -> None:
    """Makes those of these campaigns anew that a decision left without images."""
    into = campaigns.get(session, old.campaign)
    for name in sorted(wanted - campaigns.names(session).keys()):
        end = campaign_events.end_of(session, name)
        if end is not None and end.decision == old.id:
            campaigns.create(session, name, end.name, _NOTHING_TO_COMPARE if into is None else into.cohesion)


def _rename_back(session: Session, old: Decision, made: Decision) -> None:
    """Gives a campaign the name of before, unless it was renamed again since or is no more."""
    found = campaigns.get(session, old.campaign)
    if found is None or found.name != old.name or old.name_before is None:
        return
    campaigns.rename(session, found.id, old.name_before)
    event = NewEvent(found.id, CampaignEventKind.RENAMED, old.name_before, found.size, name_before=old.name)
    campaign_events.add(session, [event], decision=made.id)
