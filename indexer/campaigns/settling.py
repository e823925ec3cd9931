"""From the groups of a run to the campaigns of the catalogue: analysts' decisions, ids, names, and what happened.

Everything here happens inside the writing transaction of the run, so that a decision made while it computed counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from sqlalchemy.orm import Session

from indexer.campaigns.bindings import Bindings, bindings
from indexer.campaigns.changes import changes
from indexer.campaigns.constraints import DecidedGroup, constrain
from indexer.campaigns.evidence import Fake, KnownFakes
from indexer.campaigns.wording import automatic_name, is_automatic, kept_reason
from indexer.catalog import campaign_decisions, campaign_events, campaigns
from indexer.catalog.records import CampaignMember, ClusteringRun, NewCampaign
from indexer.vocabulary import MemberState

Measure = Callable[[Sequence[Fake], Sequence[Fake]], float]
"""The cohesion of members around exemplars."""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group as the evidence gives it: a campaign without id and name."""

    members: tuple[CampaignMember, ...]
    cohesion: float


def settle(
    session: Session, run: ClusteringRun, found: Sequence[FoundGroup], fakes: KnownFakes, measure: Measure
) -> ClusteringRun:
    """Puts the groups of a run, after decisions, in the place of the campaigns in the catalogue, and records what
    happened to each.

    Args:
        run: what the run knows of itself; its counts are those before decisions.
        fakes: every known fake the run looked at.
        measure: gives the cohesion of groups that decisions changed.

    Returns:
        The run as it was recorded.
    """
    places = {digest: place for place, digest in enumerate(fakes.digests())}
    decided = bindings(campaign_decisions.standing(session))
    before = _before(session, fakes)
    groups = [[member.sha256 for member in group.members] for group in found]
    names = campaigns.names(session)
    settling = _Settling(found, fakes, places, decided, names, measure)
    made = [settling.campaign(group) for group in constrain(groups, before, decided, places.keys())]
    recorded = replace(run, campaigns=len(made), noise=run.images - sum(len(one.members) for one in made))
    number = campaigns.save(session, recorded, made)
    after = {one.id: {member.sha256 for _, member in one.members} for one in made}
    names |= {one.id: one.name for one in made}
    campaign_events.add(session, changes(before, after, names), run=number)
    return recorded


def _before(session: Session, fakes: KnownFakes) -> dict[str, frozenset[str]]:
    """The members of each campaign now in the catalogue; those that are no known fakes any more are there by number."""
    members = campaigns.current_members(session)
    everyone = np.concatenate([*members.values(), np.empty(0, np.int64)])
    digests = [
        fakes.digest(place) if place >= 0 else f"no longer a known fake: {image_id}"
        for image_id, place in zip(everyone.tolist(), fakes.numbers(everyone).tolist(), strict=True)
    ]
    each = iter(digests)
    return {name: frozenset(islice(each, len(image_ids))) for name, image_ids in members.items()}


class _Settling:
    """What is needed to make campaigns of decided groups."""

    def __init__(
        self,
        found: Sequence[FoundGroup],
        fakes: KnownFakes,
        places: Mapping[str, int],
        decided: Bindings,
        names: Mapping[str, str],
        measure: Measure,
    ) -> None:
        self._fakes = fakes
        self._places = places
        self._decided = decided
        self._names = names
        self._measure = measure
        self._as_found = {member.sha256: member for group in found for member in group.members}
        self._cohesion = {frozenset(member.sha256 for member in group.members): group.cohesion for group in found}

    def campaign(self, group: DecidedGroup) -> NewCampaign:
        """The campaign that a decided group is."""
        members = self._members(group)
        places = [self._places[member.sha256] for member in members]
        cohesion = self._cohesion.get(frozenset(group.members))
        if cohesion is None:
            images = [self._fakes[place] for place in places]
            standing = [image for image, member in zip(images, members, strict=True) if member.exemplar]
            cohesion = self._measure(images, standing)
        return NewCampaign(
            id=group.id,
            name=self._name(group.id, places),
            cohesion=cohesion,
            members=list(zip(self._fakes.columns.ids[places].tolist(), members, strict=True)),
            state=self._decided.state(group.id),
            confirmed=group.id in self._decided.confirmed_campaigns,
        )

    def _name(self, campaign_id: str, places: Sequence[int]) -> str:
        """The name people gave it, perhaps before such decisions were kept, or an automatic one."""
        given = self._decided.names.get(campaign_id)
        if given is not None:
            return given
        earlier = self._names.get(campaign_id)
        if earlier is not None and not is_automatic(earlier):
            return earlier
        dated = [self._fakes.first_seen[place] for place in places if place in self._fakes.first_seen]
        return automatic_name(len(places), min(dated, default=None))

    def _members(self, group: DecidedGroup) -> list[CampaignMember]:
        made = [self._member(sha256) for sha256 in group.members]
        if any(member.exemplar for member in made):
            return made
        strongest = max(range(len(made)), key=lambda place: (made[place].strength, -place))
        return [replace(member, exemplar=place == strongest) for place, member in enumerate(made)]

    def _member(self, sha256: str) -> CampaignMember:
        found = self._as_found.get(sha256) or CampaignMember(sha256, 0.0, False, ())
        binding = self._decided.bound.get(sha256)
        if binding is None:
            return found
        return replace(
            found,
            reasons=(*found.reasons, kept_reason(binding.decision)),
            state=MemberState.CONFIRMED if sha256 in self._decided.confirmed else MemberState.SUGGESTED,
            pinned=sha256 in self._decided.pinned,
        )
