"""The combined effect of analysts' decisions in force, as a pure function of them.

A decision about a whole campaign (confirm, pin, merge, split) covers the images in it when it was made, and a later one
overrides it. A decision that names an image is stronger: it holds until it is undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from indexer.catalog.records.campaigns import Decision, StandingDecision
from indexer.vocabulary import CampaignState, DecisionKind

_OVER_CAMPAIGNS = {DecisionKind.CONFIRM, DecisionKind.PIN, DecisionKind.MERGE, DecisionKind.SPLIT}
_NAMING_IMAGES = {DecisionKind.CONFIRM_MEMBER, DecisionKind.PIN_MEMBER}
_PINS = {DecisionKind.PIN, DecisionKind.PIN_MEMBER}


@dataclass(frozen=True, slots=True)
class Binding:
    """The campaign an image must be in, and the decision that says so. `by_name`: the decision names the image."""

    campaign: str
    decision: Decision
    by_name: bool


@dataclass(frozen=True, slots=True)
class Bindings:
    """The constraints that decisions impose.

    Attributes:
        bound: the campaign each image must be in, by SHA-256.
        barred: the decision that keeps an image out of a campaign, by (SHA-256, campaign).
        confirmed, pinned: decisions that confirm or pin an image where it is bound, by SHA-256.
        closed, confirmed_campaigns: decisions by campaign.
        names: names given by people, by campaign.
        merged: the campaign that each merged campaign now belongs to.
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
    """The combined effect of these decisions, oldest first."""
    merged = _merged(standing)
    barred: dict[str, dict[str, Decision]] = {}
    for decided in standing:
        if decided.decision.kind is DecisionKind.REJECT_MEMBER:
            for placement in decided.images:
                barred.setdefault(placement.sha256, {})[_now(decided.decision.campaign, merged)] = decided.decision
    bound = _bound(standing, merged, barred)
    confirmed, pinned = {}, {}
    for decided in standing:
        for placement in decided.images:
            if placement.put_in is None or placement.sha256 not in bound:
                continue
            if bound[placement.sha256].campaign == _now(placement.put_in, merged):
                if decided.decision.kind is DecisionKind.CONFIRM_MEMBER:
                    confirmed[placement.sha256] = decided.decision
                if decided.decision.kind in _PINS:
                    pinned[placement.sha256] = decided.decision
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
        decided.decision.other: decided.decision.campaign
        for decided in standing
        if decided.decision.kind is DecisionKind.MERGE and decided.decision.other is not None
    }


def _now(campaign: str, merged: Mapping[str, str]) -> str:
    """The campaign this one has been merged into, following all merges."""
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
        for decided in standing:
            if decided.decision.kind not in kinds:
                continue
            for placement in decided.images:
                if placement.put_in is not None:
                    bound[placement.sha256] = Binding(_now(placement.put_in, merged), decided.decision, by_name)
    return {
        sha256: binding
        for sha256, binding in bound.items()
        if binding.by_name or binding.campaign not in barred.get(sha256, {})
    }


def _of_campaigns(standing: Sequence[StandingDecision], kind: DecisionKind) -> dict[str, Decision]:
    return {decided.decision.campaign: decided.decision for decided in standing if decided.decision.kind is kind}


def _names(standing: Sequence[StandingDecision]) -> dict[str, str]:
    """Names from renames and from splits."""
    names = {}
    for decided in standing:
        decision = decided.decision
        if decision.kind is DecisionKind.RENAME and decision.name is not None:
            names[decision.campaign] = decision.name
        if decision.kind is DecisionKind.SPLIT and decision.other is not None and decision.name is not None:
            names[decision.other] = decision.name
    return names
