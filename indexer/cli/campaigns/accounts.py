"""`dejafake accounts`: which accounts shared the same pictures at nearly the same time."""

from pathlib import Path
from typing import Any

import click

from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, json_option, plain, print_json, table, when, write_file
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command()
@click.option(
    "--window",
    type=click.IntRange(1, 10_080),
    default=60,
    show_default=True,
    help="Most minutes between two posts.",
)
@click.option(
    "--min-shared", type=click.IntRange(1, 1_000), default=2, show_default=True, help="Fewest pictures shared so."
)
@click.option("--label", type=click.Choice(["fake", "authentic", "unknown", "any"]), default="any", show_default=True,
              help="Only images with this label.")  # fmt: skip
@click.option("--format", "kind", type=click.Choice(["gexf", "graphml", "coortweet"]), help="Write this instead.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; needed with --format.")
@filter_options
@json_option
@click.pass_obj
def accounts(
    settings: Settings,
    /,
    window: int,
    min_shared: int,
    label: str,
    kind: str | None,
    out: Path | None,
    as_json: bool,
    **conditions: Any,
) -> None:
    """List accounts that shared the same pictures within minutes, more often than chance explains.

    That is no proof of coordination: people with the same interests do so too.

    \b
    dejafake accounts --window 30
    dejafake accounts --campaign cmp_3f2a --format gexf --out accounts.gexf
    """
    if (kind is None) != (out is None):
        raise UsageError("--format and --out belong together: say which file to write, and in what form")
    from indexer.accounts import (  # loads networkx
        AccountQuestion,
        GraphFormat,
        account_links,
        coortweet,
        dated_shares,
        exported,
    )

    question = AccountQuestion(window, min_shared, images=image_filter(label, **conditions))
    with Workspace(settings) as workspace:
        if kind == "coortweet" and out is not None:
            dated, shares = dated_shares(workspace.catalog, settings, question)
            write_file(out, coortweet(shares, dated))
            console().print(f"{len(dated)} posts written to", plain(out))
            return
        links = account_links(workspace.catalog, settings, question)
    if as_json:
        print_json(links)
    elif kind is not None and out is not None:
        write_file(out, exported(links, GraphFormat(kind)))
        console().print(f"{len(links.accounts)} accounts, {len(links.links)} links written to", plain(out))
    else:
        _show(links)


def _show(links: Any) -> None:
    stream = console()
    stream.print(
        f"{links.posts} dated posts of {links.pictures} pictures; {links.tested} pairs of accounts shared enough.",
        highlight=False,
    )
    if links.left_out:
        stream.print(f"{links.left_out} pictures that very many accounts shared were left out.", highlight=False)
    if not links.links:
        stream.print("No two accounts shared the same pictures so often that chance does not explain it.")
        return
    listing = table("group", "account", "and account", "pictures", "minutes apart", "q", "first posted")
    for link in links.links:
        first, second = links.accounts[link.a], links.accounts[link.b]
        listing.add_row(
            str(first.group),
            plain(f"{first.platform}/{first.account}"),
            plain(f"{second.platform}/{second.account}"),
            str(link.shared),
            f"{link.seconds_apart / 60:.1f}",
            f"{link.q:.2g}",
            when(min(first.first_posted, second.first_posted)),
        )
    stream.print(listing)
    stream.print(links.statement, highlight=False)
