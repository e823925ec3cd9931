"""From the groups of a run to the campaigns of the catalogue: analysts' decisions, ids, names, and events. Runs inside
the run's writing transaction, so that a decision made during the computation counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from sqlalchemy.orm import Session

from indexer.campaigns.grouping.evidence import Fake, KnownFakes
from indexer.campaigns.identity.bindings import Bindings, bindings
from indexer.campaigns.identity.changes import changes
from indexer.campaigns.identity.constraints import DecidedGroup, constrain
from indexer.campaigns.reasons import decided_reason
from indexer.catalog.campaigns import awaiting as awaiting_campaign
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.records.campaigns import CampaignMember, CampaignName, ClusteringRun, NewCampaign
from indexer.vocabulary import MemberState

Measure = Callable[[Sequence[Fake], Sequence[Fake]], float]
"""The cohesion of members around exemplars."""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group found by clustering: a campaign that has no id or name yet."""

    members: tuple[CampaignMember, ...]
    cohesion: float


def settle(
    session: Session, run: ClusteringRun, groups_found: Sequence[FoundGroup], fakes: KnownFakes, measure: Measure
) -> ClusteringRun:
    """Replaces the stored campaigns with the groups of a run, after applying decisions, and records the events.

    Args:
        run: the run's own record; its counts are from before decisions.
        fakes: every known fake the run looked at.
        measure: computes the cohesion of groups that decisions changed.

    Returns:
        The run as it was recorded.
    """
    places = {digest: position for position, digest in enumerate(fakes.digests())}
    decided = bindings(campaign_decisions.standing(session))
    before = _before(session, fakes)
    groups = [[member.sha256 for member in group.members] for group in groups_found]
    names = campaigns.names(session)
    settling = _Settling(groups_found, fakes, places, decided, names, measure)
    settled = [settling.campaign(group) for group in constrain(groups, before, decided, places.keys())]
    recorded = replace(
        run, campaigns=len(settled), noise=run.images - sum(len(campaign.members) for campaign in settled)
    )
    number = campaigns.save(session, recorded, settled)
    if len(fakes):
        awaiting_campaign.done_up_to(session, int(fakes.columns.ids.max()))
    after = {campaign.id: {member.sha256 for _, member in campaign.members} for campaign in settled}
    names |= campaigns.names(session)
    campaign_events.add(session, changes(before, after, names), run=number)
    return recorded


def _before(session: Session, fakes: KnownFakes) -> dict[str, frozenset[str]]:
    """The current members of each stored campaign; members that are no longer known fakes are given by number."""
    members = campaigns.current_members(session)
    everyone = np.concatenate([*members.values(), np.empty(0, np.int64)])
    digests = [
        fakes.digest(number) if number >= 0 else f"no longer a known fake: {image_id}"
        for image_id, number in zip(everyone.tolist(), fakes.numbers(everyone).tolist(), strict=True)
    ]
    each = iter(digests)
    return {name: frozenset(islice(each, len(image_ids))) for name, image_ids in members.items()}


class _Settling:
    """Builds campaigns from groups after decisions."""

    def __init__(
        self,
        groups: Sequence[FoundGroup],
        fakes: KnownFakes,
        places: Mapping[str, int],
        decided: Bindings,
        names: Mapping[str, CampaignName],
        measure: Measure,
    ) -> None:
        self._fakes = fakes
        self._places = places
        self._decided = decided
        self._names = names
        self._measure = measure
        self._as_found = {member.sha256: member for group in groups for member in group.members}
        self._cohesion = {frozenset(member.sha256 for member in group.members): group.cohesion for group in groups}

    def campaign(self, group: DecidedGroup) -> NewCampaign:
        """The campaign for a group after decisions."""
        members = self._members(group)
        places = [self._places[member.sha256] for member in members]
        cohesion = self._cohesion.get(frozenset(group.members))
        if cohesion is None:
            images = [self._fakes[number] for number in places]
            standing = [image for image, member in zip(images, members, strict=True) if member.exemplar]
            cohesion = self._measure(images, standing)
        return NewCampaign(
            id=group.id,
            name=self._given_name(group.id),
            cohesion=cohesion,
            members=list(zip(self._fakes.columns.ids[places].tolist(), members, strict=True)),
            state=self._decided.state(group.id),
            confirmed=group.id in self._decided.confirmed_campaigns,
        )

    def _given_name(self, campaign_id: str) -> str | None:
        """The name a person gave it, possibly before rename decisions were recorded."""
        return self._decided.names.get(campaign_id) or self._names.get(campaign_id, CampaignName()).given

    def _members(self, group: DecidedGroup) -> list[CampaignMember]:
        members = [self._member(sha256) for sha256 in group.members]
        if any(member.exemplar for member in members):
            return members
        strongest = max(range(len(members)), key=lambda position: (members[position].strength, -position))
        return [replace(member, exemplar=position == strongest) for position, member in enumerate(members)]

    def _member(self, sha256: str) -> CampaignMember:
        member = self._as_found.get(sha256) or CampaignMember(sha256, 0.0, False, ())
        binding = self._decided.bound.get(sha256)
        if binding is None:
            return member
        return replace(
            member,
            reasons=(*member.reasons, decided_reason(binding.decision)),
            state=MemberState.CONFIRMED if sha256 in self._decided.confirmed else MemberState.SUGGESTED,
            pinned=sha256 in self._decided.pinned,
        )
