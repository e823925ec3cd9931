"""Taking decisions back. An undo is a decision of its own, recorded beside the one it takes back."""

from collections.abc import Set
from dataclasses import replace

from sqlalchemy.orm import Session

from indexer.campaigns.decisions.checks import Author
from indexer.campaigns.decisions.effects import Effects
from indexer.campaigns.identity.bindings import bindings
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import CampaignName, Decision, NewDecision, NewEvent, Placement
from indexer.errors import ConflictError
from indexer.vocabulary import CampaignEventKind, DecisionKind

_REBUILDING = {DecisionKind.MERGE, DecisionKind.SPLIT}
_NOTHING_TO_COMPARE = 1.0
"""The cohesion of a campaign whose images are alone, until the next run measures it."""


def undo(session: Session, decision_id: int, author: Author) -> Decision:
    """Undoes a decision. Images return to where they were before it, unless they have moved since or another decision
    keeps them in place. A campaign that the decision ended is restored; one that it split off is removed. The decision
    no longer affects later runs.

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
        named_before=old.kind is DecisionKind.RENAME,
        undoes=old.id,
    )
    decision = campaign_decisions.record(session, new)
    if old.kind is DecisionKind.RENAME:
        _rename_back(session, old, decision)
    elif old.kind is not DecisionKind.ANNOTATE:
        Effects(session).apply(decision, _back(session, old))
    return decision


def _refuse_what_cannot_be_undone(session: Session, old: Decision) -> None:
    if old.kind is DecisionKind.UNDO:
        raise ConflictError(f"decision {old.id} is itself an undo, of decision {old.undoes}: make that decision again")
    if old.undone_by is not None:
        raise ConflictError(f"decision {old.id} was undone already, by decision {old.undone_by}")
    if old.kind not in _REBUILDING:
        return
    names = {old.campaign, old.other} if old.kind is DecisionKind.MERGE else {old.other}
    for other in campaign_decisions.standing(session):
        later = other.decision
        builds = later.kind in _REBUILDING or old.kind is DecisionKind.SPLIT
        if later.id > old.id and builds and names & {later.campaign, later.other}:
            raise ConflictError(
                f"decision {later.id} ({later.kind.value}) of {later.by} builds on decision {old.id}: undo it first "
                f"with `dejafake decide undo {later.id}`"
            )


def _back(session: Session, old: Decision) -> tuple[Placement, ...]:
    """Where the images of a decision go when it is undone; campaigns that it ended are recreated for them."""
    decided = bindings(campaign_decisions.standing(session))
    places = _places(session, old)
    stored = campaign_members.find(session, [placement.sha256 for placement in places])
    back = []
    for placement in places:
        member = stored.get(placement.sha256)
        if member is None or member.campaign != placement.put_in:
            continue
        binding = decided.bound.get(placement.sha256)
        target = placement.was_in if binding is None else binding.campaign
        may_come = member.is_fake and (target is None or decided.allows(placement.sha256, target))
        if target != member.campaign and not may_come:
            target = None
        back.append(replace(placement, was_in=member.campaign, put_in=target))
    _revive(session, old, {placement.put_in for placement in back if placement.put_in is not None})
    alive = campaigns.names(session)
    return tuple(
        placement if placement.put_in in alive else replace(placement, put_in=_stays(placement)) for placement in back
    )


def _places(session: Session, old: Decision) -> list[Placement]:
    """The images of a decision; for a split, also those that have joined the new campaign since."""
    places = list(campaign_decisions.images_of(session, old.id))
    if old.kind is DecisionKind.SPLIT and old.other is not None:
        named = {placement.sha256 for placement in places}
        joined = campaign_members.of_campaigns(session, [old.other]).get(old.other, {})
        places += [Placement(sha256, old.campaign, old.other) for sha256 in joined if sha256 not in named]
    return places


def _stays(placement: Placement) -> str | None:
    """The placement of an image whose previous campaign no longer exists: it stays where it is, unless it was in none
    before.
    """
    return None if placement.put_in is None else placement.was_in


def _revive(session: Session, old: Decision, campaign_ids: Set[str]) -> None:
    """Recreates those of these campaigns that the decision emptied."""
    into = campaigns.get(session, old.campaign)
    for name in sorted(campaign_ids - campaigns.names(session).keys()):
        end = campaign_events.end_of(session, name)
        if end is not None and end.decision == old.id:
            given = end.name if end.named else None
            campaigns.create(session, name, given, _NOTHING_TO_COMPARE if into is None else into.cohesion)


def _rename_back(session: Session, old: Decision, undo_decision: Decision) -> None:
    """Restores a campaign's previous name, unless it has been renamed since or no longer exists."""
    current = campaigns.get(session, old.campaign)
    if current is None or not current.named or current.name != old.name:
        return
    given = old.name_before if old.named_before else None
    campaigns.rename(session, current.id, given)
    now = CampaignName(given, current.first_seen)
    event = NewEvent(current.id, CampaignEventKind.RENAMED, now, current.size, name_before=old.name)
    campaign_events.add(session, [event], decision=undo_decision.id)
