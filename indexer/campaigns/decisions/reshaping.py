"""Decisions that make one campaign of two, or two of one."""

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
from indexer.campaigns.identity import new_id
from indexer.campaigns.wording import automatic_name
from indexer.catalog import campaign_decisions, campaign_members, campaigns
from indexer.catalog.campaign_records import Decision, NewDecision, Placement
from indexer.errors import UsageError
from indexer.vocabulary import DecisionKind


def merge(session: Session, campaign: str, other: str, author: Author) -> Decision:
    """Makes `other` part of `campaign`: its images move there, its id stays readable and names the successor.

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
    for earlier in (one.decision for one in campaign_decisions.standing(session)):
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
            images=tuple(sorted(placements, key=lambda place: place.sha256)),
        )
    )


def split(
    session: Session, campaign: str, sha256s: Sequence[str], author: Author, *, name: str | None = None
) -> Decision:
    """Makes these images of the campaign a campaign of their own, whose id is the decision's `other`.

    Raises:
        CampaignGoneError, NotFoundError: there is no such campaign (any more), or an image is not in it.
        UsageError: nothing would be left of it, or the name is too long.
        ConflictError: an image was confirmed or pinned there.
    """
    found, decided = campaigns.existing(session, campaign), standing_bindings(session)
    stored = images_named(session, sha256s)
    check_membership(found, stored)
    for sha256 in stored:
        check_not_by_name(sha256, found.id, decided)
    members = campaign_members.of_campaigns(session, [found.id])[found.id]
    if len(stored) == len(members):
        raise UsageError(f"splitting all {len(members)} images off campaign {found.id} leaves nothing of it")
    used = {*campaigns.names(session), *decided.merged, found.id}
    part = new_id(stored, used)
    campaigns.create(session, part, automatic_name(len(stored), None) if name is None else name, found.cohesion)
    return Effects(session).carry_out(
        NewDecision(
            DecisionKind.SPLIT,
            found.id,
            author.by,
            author.note,
            other=part,
            name=None if name is None else campaigns.existing(session, part).name,
            images=tuple(Placement(sha256, found.id, part if sha256 in stored else found.id) for sha256 in members),
        )
    )
