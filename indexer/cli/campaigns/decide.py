"""`dejafake decide`: what analysts decide about campaigns. Every decision is recorded, binds later runs, and can be
undone."""

import getpass
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import click
from sqlalchemy.orm import Session

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.catalog.records.campaigns import Decision
from indexer.cli.campaigns.campaign_history import in_words, list_decisions, show_decision
from indexer.cli.finding import find_all_images
from indexer.cli.output import console, json_option, plain, print_json
from indexer.settings import Settings
from indexer.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a decision is made, and by whom."""

    settings: Settings
    author: Author
    as_json: bool

    def decide(self, carry_out: Callable[[Session, list[str]], Decision], images: Sequence[str] = ()) -> None:
        """Makes a decision and prints it. `made` is given the SHA-256 of the images, of which the starts are typed."""
        with Workspace(self.settings) as workspace:
            sha256s = find_all_images(workspace, images)
            with workspace.catalog.writing() as session:
                decision = carry_out(session, sha256s)
        if self.as_json:
            print_json(decision)
            return
        out = console()
        out.print(f"Decision {decision.id}:", plain(decision.campaign), plain(in_words(decision)))
        if decision.undoes is None:
            out.print(f"Take it back with `dejafake decide undo {decision.id}`.")


def _deciding(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that all decisions have, as a `Desk`."""

    @click.option("--by", default=getpass.getuser, help="Who decides. Default: your user name.")
    @click.option("--note", help="Why; kept with the decision.")
    @json_option
    @click.pass_obj
    @wraps(command)
    def taking(settings: Settings, /, by: str, note: str | None, as_json: bool, **given: object) -> None:
        command(Desk(settings, Author(by, note), as_json), **given)

    return taking


@click.group()
def decide() -> None:
    """Decide about campaigns. A decision takes effect at once, binds every later run, and is kept on record. IMAGE
    is a SHA-256 or the start of one.

    \b
    dejafake decide confirm cmp_k3v9x2m4q7ab --note "same watermark, same accounts"
    dejafake decide reject cmp_k3v9x2m4q7ab 3f2a91c0
    dejafake decide list
    dejafake decide undo 12
    """


@decide.command()
@click.argument("campaign")
@click.argument("images", nargs=-1, metavar="[IMAGE…]")
@_deciding
def confirm(desk: Desk, campaign: str, images: tuple[str, ...]) -> None:
    """Confirm that CAMPAIGN, with its current images, is one campaign; or that each IMAGE belongs to it."""

    def made(session: Session, sha256s: list[str]) -> Decision:
        if sha256s:
            return decisions.confirm_members(session, campaign, sha256s, desk.author)
        return decisions.confirm(session, campaign, desk.author)

    desk.decide(made, images)


@decide.command()
@click.argument("campaign")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE…")
@_deciding
def reject(desk: Desk, campaign: str, images: tuple[str, ...]) -> None:
    """State that each IMAGE does not belong to CAMPAIGN: it is removed, and no later run puts it back."""
    desk.decide(lambda session, sha256s: decisions.reject_members(session, campaign, sha256s, desk.author), images)


@decide.command()
@click.argument("campaign")
@click.argument("images", nargs=-1, metavar="[IMAGE…]")
@_deciding
def pin(desk: Desk, campaign: str, images: tuple[str, ...]) -> None:
    """Keep CAMPAIGN with its current images, or keep each IMAGE in it, even when the evidence is gone. This does
    not state that they belong together."""

    def made(session: Session, sha256s: list[str]) -> Decision:
        if sha256s:
            return decisions.pin_members(session, campaign, sha256s, desk.author)
        return decisions.pin(session, campaign, desk.author)

    desk.decide(made, images)


@decide.command()
@click.argument("campaign")
@click.argument("other")
@_deciding
def merge(desk: Desk, campaign: str, other: str) -> None:
    """Merge OTHER into CAMPAIGN. The id of OTHER can still be looked up and points to CAMPAIGN."""
    desk.decide(lambda session, _: decisions.merge(session, campaign, other, desk.author))


@decide.command()
@click.argument("campaign")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE…")
@click.option("--name", help="What the new campaign is called.")
@_deciding
def split(desk: Desk, campaign: str, images: tuple[str, ...], name: str | None) -> None:
    """Move the IMAGEs of CAMPAIGN into a campaign of their own; no later run merges the two again."""
    desk.decide(lambda session, sha256s: decisions.split(session, campaign, sha256s, desk.author, name=name), images)


@decide.command()
@click.argument("campaign")
@click.argument("name")
@_deciding
def rename(desk: Desk, campaign: str, name: str) -> None:
    """Rename CAMPAIGN to NAME."""
    desk.decide(lambda session, _: decisions.rename(session, campaign, name, desk.author))


@decide.command()
@click.argument("campaign")
@_deciding
def annotate(desk: Desk, campaign: str) -> None:
    """Add a note, given with --note, to CAMPAIGN."""
    desk.decide(lambda session, _: decisions.annotate(session, campaign, desk.author))


@decide.command()
@click.argument("campaign")
@_deciding
def close(desk: Desk, campaign: str) -> None:
    """Mark CAMPAIGN as closed: nobody works on it any more. New images still join it."""
    desk.decide(lambda session, _: decisions.close(session, campaign, desk.author))


@decide.command()
@click.argument("decision", type=click.IntRange(1, 2**63 - 1))
@_deciding
def undo(desk: Desk, decision: int) -> None:
    """Take back the decision of this number; `dejafake decide list` shows them."""
    desk.decide(lambda session, _: decisions.undo(session, decision, desk.author))


@decide.command()
@click.argument("decision", type=click.IntRange(1, 2**63 - 1))
@click.option("--limit", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Most images to show.")
@json_option
@click.pass_obj
def show(settings: Settings, decision: int, limit: int, as_json: bool) -> None:
    """Show the decision of this number and the images it is about."""
    with Workspace(settings) as workspace:
        show_decision(workspace.catalog, decision, limit, as_json=as_json)


@decide.command("list")
@click.argument("campaign", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Most rows to show.")
@json_option
@click.pass_obj
def list_(settings: Settings, campaign: str | None, limit: int, as_json: bool) -> None:
    """List decisions, newest first: all, or those about CAMPAIGN."""
    with Workspace(settings) as workspace:
        list_decisions(workspace.catalog, campaign, limit, as_json=as_json)
