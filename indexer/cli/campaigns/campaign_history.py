"""What happened to campaigns and what analysts decided about them, as tables and as JSON."""

from dataclasses import dataclass

from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.database import Catalog
from indexer.catalog.records.campaigns import CampaignEvent, Decision, Placement
from indexer.cli.output import console, plain, print_json, table, when
from indexer.vocabulary import CampaignEventKind, DecisionKind


@dataclass(frozen=True, slots=True)
class DecisionWithImages:
    """A decision and the images it is about."""

    decision: Decision
    images: tuple[Placement, ...]


def list_events(catalog: Catalog, campaign: str | None, limit: int, *, as_json: bool) -> None:
    """What happened to all campaigns, or to one, newest first."""
    with catalog.reading() as session:
        if campaign is not None:
            campaigns.check_known(session, campaign)
        events = campaign_events.page(session, limit, campaign=campaign).items
    if as_json:
        print_json(events)
        return
    listing = table("when", "campaign", "name", "images", "what happened", "by")
    for event in events:
        listing.add_row(
            when(event.at), event.campaign, plain(event.name), str(event.size), plain(_happened(event)), _cause(event)
        )
    console().print(listing if events else "Nothing happened yet: run `dejafake cluster`.")


def list_decisions(catalog: Catalog, campaign: str | None, limit: int, *, as_json: bool) -> None:
    """What analysts decided about all campaigns, or about one, newest first."""
    with catalog.reading() as session:
        if campaign is not None:
            campaigns.check_known(session, campaign)
        decisions = campaign_decisions.page(session, limit, campaign=campaign).items
    if as_json:
        print_json(decisions)
        return
    listing = table("decision", "when", "campaign", "decided", "by", "note")
    for decision in decisions:
        listing.add_row(
            str(decision.id),
            when(decision.at),
            decision.campaign,
            plain(in_words(decision)),
            plain(decision.by),
            plain(decision.note),
        )
    console().print(listing if decisions else "Nobody decided anything yet: see `dejafake decide --help`.")


def show_decision(catalog: Catalog, number: int, limit: int, *, as_json: bool) -> None:
    """A decision and the images it is about."""
    with catalog.reading() as session:
        decision = campaign_decisions.get(session, number)
        images = campaign_decisions.images_page(session, number, limit).items
    if as_json:
        print_json(DecisionWithImages(decision, images))
        return
    out = console()
    out.print(f"Decision {decision.id}:", plain(decision.campaign), plain(in_words(decision)))
    out.print(f"{when(decision.at)}, by", plain(decision.by), plain(decision.note and f"({decision.note})"))
    listing = table("image", "was in", "put in")
    for placement in images:
        listing.add_row(placement.sha256[:16], placement.was_in or "none", placement.put_in or "none")
    if images:
        out.print(listing)


def list_rejected(catalog: Catalog, campaign: str, limit: int, *, as_json: bool) -> None:
    """The images that analysts took out of a campaign for good."""
    with catalog.reading() as session:
        campaigns.existing(session, campaign)
        rejected = campaign_decisions.rejected(session, campaign, limit).items
    if as_json:
        print_json(rejected)
        return
    listing = table("image", "decision", "when", "by", "note")
    for member in rejected:
        listing.add_row(member.sha256[:16], str(member.decision), when(member.at), plain(member.by), plain(member.note))
    console().print(listing if rejected else "No image was rejected from it.")


def in_words(decision: Decision) -> str:
    """What was decided, in a line."""
    images = f"{decision.images} image{'' if decision.images == 1 else 's'}"
    said = {
        DecisionKind.CONFIRM: f"confirmed, with {images}",
        DecisionKind.PIN: f"pinned, with {images}",
        DecisionKind.CONFIRM_MEMBER: f"{images} confirmed in it",
        DecisionKind.PIN_MEMBER: f"{images} pinned in it",
        DecisionKind.REJECT_MEMBER: f"{images} rejected from it",
        DecisionKind.MERGE: f"{decision.other} merged into it",
        DecisionKind.SPLIT: f"{decision.other} split off it",
        DecisionKind.RENAME: f"renamed to {decision.name}",
        DecisionKind.ANNOTATE: "annotated",
        DecisionKind.CLOSE: "closed",
        DecisionKind.UNDO: f"decision {decision.undoes} undone",
    }[decision.kind]
    return said if decision.undone_by is None else f"{said} (undone by decision {decision.undone_by})"


def _happened(event: CampaignEvent) -> str:
    return {
        CampaignEventKind.BORN: "born",
        CampaignEventKind.DIED: "died",
        CampaignEventKind.MERGED: f"merged into {event.other}",
        CampaignEventKind.SPLIT: f"split off {event.other}",
        CampaignEventKind.GREW: f"grew by {event.added}",
        CampaignEventKind.SHRANK: f"shrank by {event.removed}",
        CampaignEventKind.RENAMED: f"renamed, before: {event.name_before}",
    }[event.kind]


def _cause(event: CampaignEvent) -> str:
    if event.decision is not None:
        return f"decision {event.decision}"
    if event.run is not None:
        return f"run {event.run}"
    return "ingest" if event.kind is CampaignEventKind.GREW else "deletion"
