"""`dejafake novelties`: what fits nothing that is known."""

import click

from indexer.active_calibration import ActiveCalibration
from indexer.campaigns.novelty import Novelty, outside_campaigns, unlike_known
from indexer.catalog.records import Page
from indexer.cli.output import console, json_option, plain, print_json, table, when
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command()
@click.option(
    "--unlike-known",
    "unlike",
    is_flag=True,
    help="Instead: pictures nobody labelled that the detector scores as fake and that are like no known fake.",
)
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Most images to show.")
@click.option("--cursor", help="Where to go on: `next_cursor` of the page before.")
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
            page = unlike_known(
                workspace.catalog, workspace.index, workspace.resolved, settings, calibration, limit, cursor
            )
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
    made = table("image", "added", "label", "score", "nearest known fake", "cosine")
    for one in page.items:
        made.add_row(
            one.image.sha256[:16],
            when(one.image.added_at),
            plain(one.image.label.value.value),
            _score(one),
            "" if one.nearest is None else one.nearest[:16],
            "" if one.cosine is None else f"{one.cosine:.2f}",
        )
    out.print(made)
    if page.next_cursor is not None:
        out.print(f"More with --cursor {page.next_cursor}", highlight=False)


def _score(one: Novelty) -> str:
    if one.p_fake is None:
        return ""
    if one.calibrated_p_fake is None:
        return f"{one.p_fake:.3f} (uncalibrated)"
    return f"{one.p_fake:.3f} (calibrated {one.calibrated_p_fake:.2f})"
