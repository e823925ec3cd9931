"""What the standing decisions of analysts add up to, as a pure function of them.

Decisions over a whole campaign (confirm, pin, merge, split) hold for the images that were in it when they were made,
and the later one counts. Decisions that name an image are stronger: they hold until they are undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from indexer.catalog.campaign_records import Decision, StandingDecision
from indexer.vocabulary import CampaignState, DecisionKind

_OVER_CAMPAIGNS = {DecisionKind.CONFIRM, DecisionKind.PIN, DecisionKind.MERGE, DecisionKind.SPLIT}
_NAMING_IMAGES = {DecisionKind.CONFIRM_MEMBER, DecisionKind.PIN_MEMBER}
_PINS = {DecisionKind.PIN, DecisionKind.PIN_MEMBER}


@dataclass(frozen=True, slots=True)
class Binding:
    """Where an image must be, and the decision that says so. `by_name`: the decision names the image."""

    campaign: str
    decision: Decision
    by_name: bool


@dataclass(frozen=True, slots=True)
class Bindings:
    """What decisions demand.

    Attributes:
        bound: where an image must be, by SHA-256.
        barred: where an image must not be, by SHA-256 and campaign, and the decision that says so.
        confirmed, pinned: decisions that confirm or pin an image where it is bound, by SHA-256.
        closed, confirmed_campaigns: decisions by campaign.
        names: what people call campaigns, by campaign.
        merged: the campaign each merged one is part of now.
    """

    bound: Mapping[str, Binding] = field(default_factory=dict)
    barred: Mapping[str, Mapping[str, Decision]] = field(default_factory=dict)
    confirmed: Mapping[str, Decision] = field(default_factory=dict)
    pinned: Mapping[str, Decision] = field(default_factory=dict)
    closed: Mapping[str, Decision] = field(default_factory=dict)
    confirmed_campaigns: Mapping[str, Decision] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)

    def allows(self, sha256: str, campaign: str) -> bool:
        """Whether an image may be in a campaign."""
        return campaign not in self.barred.get(sha256, {})

    def state(self, campaign: str) -> CampaignState:
        """Whether a campaign is closed."""
        return CampaignState.CLOSED if campaign in self.closed else CampaignState.OPEN


NOTHING_DECIDED = Bindings()


def bindings(standing: Sequence[StandingDecision]) -> Bindings:
    """What these decisions, oldest first, add up to."""
    merged = _merged(standing)
    barred: dict[str, dict[str, Decision]] = {}
    for one in standing:
        if one.decision.kind is DecisionKind.REJECT_MEMBER:
            for place in one.images:
                barred.setdefault(place.sha256, {})[_now(one.decision.campaign, merged)] = one.decision
    bound = _bound(standing, merged, barred)
    confirmed, pinned = {}, {}
    for one in standing:
        for place in one.images:
            if place.put_in is None or place.sha256 not in bound:
                continue
            if bound[place.sha256].campaign == _now(place.put_in, merged):
                if one.decision.kind is DecisionKind.CONFIRM_MEMBER:
                    confirmed[place.sha256] = one.decision
                if one.decision.kind in _PINS:
                    pinned[place.sha256] = one.decision
    return Bindings(
        bound=bound,
        barred=barred,
        confirmed=confirmed,
        pinned=pinned,
        closed=_of_campaigns(standing, DecisionKind.CLOSE),
        confirmed_campaigns=_of_campaigns(standing, DecisionKind.CONFIRM),
        names=_names(standing),
        merged={gone: _now(gone, merged) for gone in merged},
    )


def _merged(standing: Sequence[StandingDecision]) -> dict[str, str]:
    return {
        one.decision.other: one.decision.campaign
        for one in standing
        if one.decision.kind is DecisionKind.MERGE and one.decision.other is not None
    }


def _now(campaign: str, merged: Mapping[str, str]) -> str:
    """The campaign that this one is part of by merges."""
    seen: set[str] = set()
    while campaign in merged and campaign not in seen:
        seen.add(campaign)
        campaign = merged[campaign]
    return campaign


def _bound(
    standing: Sequence[StandingDecision], merged: Mapping[str, str], barred: Mapping[str, Mapping[str, Decision]]
) -> dict[str, Binding]:
    bound: dict[str, Binding] = {}
    for by_name, kinds in ((False, _OVER_CAMPAIGNS), (True, _NAMING_IMAGES)):
        for one in standing:
            if one.decision.kind not in kinds:
                continue
            for place in one.images:
                if place.put_in is not None:
                    bound[place.sha256] = Binding(_now(place.put_in, merged), one.decision, by_name)
    return {
        sha256: binding
        for sha256, binding in bound.items()
        if binding.by_name or binding.campaign not in barred.get(sha256, {})
    }


def _of_campaigns(standing: Sequence[StandingDecision], kind: DecisionKind) -> dict[str, Decision]:
    return {one.decision.campaign: one.decision for one in standing if one.decision.kind is kind}


def _names(standing: Sequence[StandingDecision]) -> dict[str, str]:
    """Renames, and the names that parts were given when they were split off."""
    names = {}
    for one in standing:
        decision = one.decision
        if decision.kind is DecisionKind.RENAME and decision.name is not None:
            names[decision.campaign] = decision.name
        if decision.kind is DecisionKind.SPLIT and decision.other is not None and decision.name is not None:
            names[decision.other] = decision.name
    return names
