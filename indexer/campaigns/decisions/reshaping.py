"""Decisions that merge two campaigns or split one."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.campaigns.decisions.checks import (
    Author,
    check_membership,
    check_not_by_name,
    contradiction,
    images_named,
    standing_bindings,
)
from indexer.campaigns.decisions.effects import Effects
from indexer.campaigns.identity.matching import new_id
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import Decision, NewDecision, Placement
from indexer.errors import UsageError
from indexer.vocabulary import DecisionKind


def merge(session: Session, campaign: str, other: str, author: Author) -> Decision:
    """Makes `other` part of `campaign`: its images move there, and its id still resolves and names the successor.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more).
        UsageError: it is the same campaign.
        ConflictError: an image of one was rejected from the other, or one was split off the other.
    """
    into, from_ = campaigns.existing(session, campaign), campaigns.existing(session, other)
    if into.id == from_.id:
        raise UsageError(f"campaign {into.id} cannot be merged into itself: name two")
    decided = standing_bindings(session)
    members = campaign_members.of_campaigns(session, [into.id, from_.id])
    for inside, outside in ((into.id, from_.id), (from_.id, into.id)):
        for sha256 in members[inside]:
            rejection = decided.barred.get(sha256, {}).get(outside)
            if rejection is not None:
                raise contradiction(f"image {sha256} of campaign {inside} was rejected from {outside}", rejection)
    for earlier in (standing.decision for standing in campaign_decisions.standing(session)):
        if earlier.kind is DecisionKind.SPLIT and {earlier.campaign, earlier.other} == {into.id, from_.id}:
            raise contradiction(f"campaign {earlier.other} was split off {earlier.campaign}", earlier)
    placements = [Placement(sha256, name, into.id) for name in members for sha256 in members[name]]
    return Effects(session).carry_out(
        NewDecision(
            DecisionKind.MERGE,
            into.id,
            author.by,
            author.note,
            other=from_.id,
            images=tuple(sorted(placements, key=lambda placement: placement.sha256)),
        )
    )


def split(
    session: Session, campaign: str, sha256s: Sequence[str], author: Author, *, name: str | None = None
) -> Decision:
    """Moves these images of the campaign into a new one, whose id is the decision's `other`.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more), or an image is not in it.
        UsageError: nothing would be left of it, or the name is too long.
        ConflictError: an image was confirmed or pinned there.
    """
    current, decided = campaigns.existing(session, campaign), standing_bindings(session)
    stored = images_named(session, sha256s)
    check_membership(current, stored)
    for sha256 in stored:
        check_not_by_name(sha256, current.id, decided)
    members = campaign_members.of_campaigns(session, [current.id])[current.id]
    if len(stored) == len(members):
        raise UsageError(f"splitting all {len(members)} images off campaign {current.id} leaves nothing of it")
    used = {*campaigns.names(session), *decided.merged, current.id}
    part = new_id(stored, used)
    campaigns.create(session, part, name, current.cohesion)
    return Effects(session).carry_out(
        NewDecision(
            DecisionKind.SPLIT,
            current.id,
            author.by,
            author.note,
            other=part,
            name=None if name is None else campaigns.existing(session, part).name,
            images=tuple(Placement(sha256, current.id, part if sha256 in stored else current.id) for sha256 in members),
        )
    )
