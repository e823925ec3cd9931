"""`dejafake cluster` and `campaigns`: groups of known fakes that belong together."""

import click

from indexer.campaigns import cluster as run_clustering
from indexer.campaigns.report.member_reasons import ShownMember, shown_members
from indexer.catalog.campaigns import campaigns as stored
from indexer.catalog.database import Catalog
from indexer.catalog.records.campaigns import Campaign
from indexer.cli.alerts import look_for_alerts
from indexer.cli.campaigns.campaign_history import list_decisions, list_events, list_rejected
from indexer.cli.output import console, json_option, plain, print_json, steps, table, when
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.workspace import Workspace

_PAGE = 200


@click.command()
@json_option
@click.pass_obj
def cluster(settings: Settings, as_json: bool) -> None:
    """Group the known fakes of the catalogue into campaigns. Campaigns keep their ids: run it again whenever new
    images were added.

    \b
    dejafake cluster && dejafake campaigns
    """
    with Workspace(settings) as workspace:
        with steps("cluster", quiet=as_json) as update:
            run = run_clustering(workspace.catalog, workspace.index, settings, progress=update)
        look_for_alerts(workspace, as_json=as_json)
    if as_json:
        print_json(run)
    else:
        console().print(
            f"{run.campaigns} campaigns among {run.images} known fakes; {run.noise} belong to none. "
            "See them with `dejafake campaigns`."
        )


@click.command()
@click.argument("campaign", required=False)
@click.option("--events", "show", flag_value="events", help="What happened, newest first.")
@click.option("--decisions", "show", flag_value="decisions", help="What analysts decided, newest first.")
@click.option("--rejected", "show", flag_value="rejected", help="The images that analysts rejected from CAMPAIGN.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=_PAGE, show_default=True, help="Most rows to show.")
@json_option
@click.pass_obj
def campaigns(settings: Settings, campaign: str | None, show: str | None, limit: int, as_json: bool) -> None:
    """List the campaigns, or the members of one CAMPAIGN, or what happened to them. Decide with `dejafake decide`.

    \b
    dejafake campaigns
    dejafake campaigns cmp_k3v9x2m4q7ab
    dejafake campaigns --events cmp_k3v9x2m4q7ab
    """
    if show == "rejected" and campaign is None:
        raise UsageError("--rejected needs a campaign: name one")
    with Workspace(settings) as workspace:
        if show == "events":
            list_events(workspace.catalog, campaign, limit, as_json=as_json)
        elif show == "decisions":
            list_decisions(workspace.catalog, campaign, limit, as_json=as_json)
        elif campaign is None:
            _list(workspace.catalog, limit, as_json=as_json)
        elif show == "rejected":
            list_rejected(workspace.catalog, campaign, limit, as_json=as_json)
        else:
            _members(workspace.catalog, campaign, limit, as_json=as_json)


def _list(catalog: Catalog, limit: int, *, as_json: bool) -> None:
    with catalog.reading() as session:
        campaigns: tuple[Campaign, ...] = stored.page(session, limit=limit, cursor=None).items
        run = stored.last_run(session)
    if as_json:
        print_json(campaigns)
        return
    if not campaigns:
        hint = "run `dejafake cluster` first" if run is None else "the last clustering found none"
        console().print(f"No campaigns: {hint}.")
        return
    listing = table("campaign", "name", "images", "cohesion", "state", "first seen", "last seen", "platforms")
    for campaign in campaigns:
        listing.add_row(
            campaign.id,
            plain(campaign.name),
            str(campaign.size),
            f"{campaign.cohesion:.2f}",
            f"{campaign.state.value}, confirmed" if campaign.confirmed else campaign.state.value,
            when(campaign.first_seen),
            when(campaign.last_seen),
            plain(", ".join(campaign.platforms)),
        )
    console().print(listing)


def _members(catalog: Catalog, campaign: str, limit: int, *, as_json: bool) -> None:
    with catalog.reading() as session:
        stored.existing(session, campaign)
        members: tuple[ShownMember, ...] = shown_members(session, campaign, limit).items
    if as_json:
        print_json(members)
        return
    listing = table("image", "strength", "exemplar", "state", "why")
    for member in members:
        why = plain("; ".join(member.reasons))
        state = f"{member.state.value}, pinned" if member.pinned else member.state.value
        listing.add_row(member.sha256[:16], f"{member.strength:.2f}", "yes" if member.exemplar else "", state, why)
    console().print(listing)
