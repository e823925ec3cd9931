"""What a decision does to the stored campaigns at once, and the events it makes."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from indexer.campaigns.bindings import Bindings, bindings
from indexer.campaigns.changes import changes
from indexer.campaigns.wording import automatic_name, is_automatic, kept_reason
from indexer.catalog import campaign_decisions, campaign_events, campaign_members, campaigns
from indexer.catalog.campaign_records import Decision, NewDecision, Placement
from indexer.catalog.records import CampaignMember


class Effects:
    """Changes to stored campaigns, in one transaction of the caller's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def carry_out(self, new: NewDecision) -> Decision:
        """Records a decision and puts the images it is about where it says."""
        made = campaign_decisions.record(self._session, new)
        self.apply(made, new.images)
        return made

    def apply(self, decision: Decision, places: Sequence[Placement]) -> None:
        """Puts images where they now belong, brings the campaigns concerned up to date with all standing decisions, and
        records what happened to them. A campaign that has no images left is removed."""
        concerned = {decision.campaign, *(() if decision.other is None else (decision.other,))}
        concerned |= {name for place in places for name in (place.was_in, place.put_in) if name is not None}
        names = campaigns.names(self._session)
        before = self._members(concerned)
        self._move(decision, places)
        decided = bindings(campaign_decisions.standing(self._session))
        for name in sorted(concerned):
            if campaign_members.tidy(self._session, name):
                self._mark(name, decided)
                rename_automatically(self._session, name)
        names = campaigns.names(self._session) | names
        campaign_events.add(self._session, changes(before, self._members(concerned), names), decision=decision.id)

    def _members(self, campaign_ids: set[str]) -> dict[str, frozenset[str]]:
        found = campaign_members.of_campaigns(self._session, campaign_ids)
        return {name: frozenset(members) for name, members in found.items()}

    def _move(self, decision: Decision, places: Sequence[Placement]) -> None:
        moving = [place for place in places if place.was_in != place.put_in]
        ids = {
            sha256: stored.image_id
            for sha256, stored in campaign_members.find(self._session, [place.sha256 for place in moving]).items()
        }
        reasons = (kept_reason(decision),)
        for target in sorted({place.put_in for place in moving if place.put_in is not None}):
            members = {
                ids[place.sha256]: CampaignMember(place.sha256, 0.0, False, reasons)
                for place in moving
                if place.put_in == target and place.sha256 in ids
            }
            campaign_members.put(self._session, target, members)
        campaign_members.take_out(
            self._session, [ids[place.sha256] for place in moving if place.put_in is None and place.sha256 in ids]
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


def rename_automatically(session: Session, campaign_id: str) -> None:
    """Makes an automatic name say again how many images a campaign has; other names stay."""
    found = campaigns.existing(session, campaign_id)
    name = automatic_name(found.size, found.first_seen)
    if is_automatic(found.name) and found.name != name:
        campaigns.rename(session, campaign_id, name)
