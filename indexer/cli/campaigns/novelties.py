"""`dejafake novelties`: what fits nothing that is known."""

import click

from indexer.campaigns.novelty import Comparer, Novelty, outside_campaigns, unlike_known
from indexer.catalog.records.pages import Page
from indexer.cli.output import console, json_option, plain, print_json, table, when
from indexer.settings import Settings
from indexer.verdict.active_calibration import ActiveCalibration
from indexer.workspace import Workspace


@click.command()
@click.option(
    "--unlike-known",
    "unlike",
    is_flag=True,
    help="Instead: unlabelled pictures that the detector scores as fake and that are not similar to any known fake.",
)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Most images to show.")
@click.option("--cursor", help="Where to continue: `next_cursor` of the previous page.")
@json_option
@click.pass_obj
def novelties(settings: Settings, unlike: bool, limit: int, cursor: str | None, as_json: bool) -> None:
    """List known fakes that are in no campaign, newest first.

    \b
    dejafake novelties
    dejafake novelties --unlike-known
    """
    with Workspace(settings) as workspace:
        if unlike:
            calibration = ActiveCalibration(workspace.catalog, workspace.resolved).get()
            by = Comparer(workspace.catalog, workspace.index, workspace.resolved, settings, calibration)
            page = unlike_known(by, limit, cursor)
        else:
            page = outside_campaigns(workspace.catalog, limit, cursor)
    if as_json:
        print_json(page)
    else:
        _show(page)


def _show(page: Page[Novelty]) -> None:
    out = console()
    if not page.items and page.next_cursor is None:
        out.print("None.")
        return
    listing = table("image", "added", "label", "score", "nearest known fake", "cosine")
    for novelty in page.items:
        listing.add_row(
            novelty.image.sha256[:16],
            when(novelty.image.added_at),
            plain(novelty.image.label.value.value),
            _score(novelty),
            "" if novelty.nearest is None else novelty.nearest[:16],
            "" if novelty.cosine is None else f"{novelty.cosine:.2f}",
        )
    out.print(listing)
    if page.next_cursor is not None:
        out.print(f"More with --cursor {page.next_cursor}", highlight=False)


def _score(novelty: Novelty) -> str:
    if novelty.p_fake is None:
        return ""
    if novelty.calibrated_p_fake is None:
        return f"{novelty.p_fake:.3f} (uncalibrated)"
    return f"{novelty.p_fake:.3f} (calibrated {novelty.calibrated_p_fake:.2f})"
