"""Applies a decision to the stored campaigns, and records the events that follow."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.campaigns.identity.bindings import Bindings, bindings
from indexer.campaigns.identity.changes import changes
from indexer.campaigns.reasons import decided_reason
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.records.campaigns import CampaignMember, Decision, NewDecision, Placement


class Effects:
    """Changes to stored campaigns, in one transaction of the caller's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def carry_out(self, new: NewDecision) -> Decision:
        """Records a decision and moves its images accordingly."""
        decision = campaign_decisions.record(self._session, new)
        self.apply(decision, new.images)
        return decision

    def apply(self, decision: Decision, places: Sequence[Placement]) -> None:
        """Moves images to where they now belong, updates the affected campaigns to match all decisions in force, and
        records the changes. A campaign left without images is removed.
        """
        concerned = {decision.campaign, *(() if decision.other is None else (decision.other,))}
        concerned |= {name for placement in places for name in (placement.was_in, placement.put_in) if name is not None}
        names = campaigns.names(self._session)
        before = self._members(concerned)
        self._move(decision, places)
        decided = bindings(campaign_decisions.standing(self._session))
        for name in sorted(concerned):
            if campaign_members.tidy(self._session, name):
                self._mark(name, decided)
        names |= campaigns.names(self._session)
        campaign_events.add(self._session, changes(before, self._members(concerned), names), decision=decision.id)

    def _members(self, campaign_ids: set[str]) -> dict[str, frozenset[str]]:
        stored = campaign_members.of_campaigns(self._session, campaign_ids)
        return {name: frozenset(members) for name, members in stored.items()}

    def _move(self, decision: Decision, places: Sequence[Placement]) -> None:
        moving = [placement for placement in places if placement.was_in != placement.put_in]
        ids = {
            sha256: stored.image_id
            for sha256, stored in campaign_members.find(
                self._session, [placement.sha256 for placement in moving]
            ).items()
        }
        reasons = (decided_reason(decision),)
        for target in sorted({placement.put_in for placement in moving if placement.put_in is not None}):
            members = {
                ids[placement.sha256]: CampaignMember(placement.sha256, 0.0, False, reasons)
                for placement in moving
                if placement.put_in == target and placement.sha256 in ids
            }
            campaign_members.put(self._session, target, members)
        campaign_members.take_out(
            self._session,
            [ids[placement.sha256] for placement in moving if placement.put_in is None and placement.sha256 in ids],
        )

    def _mark(self, campaign_id: str, decided: Bindings) -> None:
        here = [sha256 for sha256, binding in decided.bound.items() if binding.campaign == campaign_id]
        campaign_members.mark(
            self._session,
            campaign_id,
            confirmed=[sha256 for sha256 in here if sha256 in decided.confirmed],
            pinned=[sha256 for sha256 in here if sha256 in decided.pinned],
        )
        campaigns.set_standing(
            self._session,
            campaign_id,
            state=decided.state(campaign_id),
            confirmed=campaign_id in decided.confirmed_campaigns,
        )
