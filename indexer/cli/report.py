"""`dejafake report`: campaigns as files for other people."""

from datetime import UTC, datetime
from pathlib import Path

import click

from indexer.active_calibration import ActiveCalibration
from indexer.campaigns import ReportFormat, last_reported, write_reports
from indexer.cli.output import console, json_option, plain, print_json, steps, when
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command()
@click.argument("campaign", required=False)
@click.option("--all", "every", is_flag=True, help="All campaigns with an overview; so it is without CAMPAIGN, too.")
@click.option(
    "--since", help="Say what is new since this date or time (UTC, ISO 8601), or since the `last` report in the folder."
)
@click.option("--blur", is_flag=True, help="Make the pictures unrecognisable, for disturbing material.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([form.value for form in ReportFormat]),
    multiple=True,
    help="What to write; may be given several times. Default: all.",
)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to write. Default: home/reports."
)
@json_option
@click.pass_obj
def report(
    settings: Settings,
    campaign: str | None,
    every: bool,
    since: str | None,
    blur: bool,
    formats: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write the report on CAMPAIGN, or on all of them with an overview: a page that stands alone, PDF, JSON and CSV.

    \b
    dejafake report
    dejafake report cmp_k3v9x2m4q7ab --folder for-the-editor/ --blur
    dejafake report --all --since last
    """
    if every and campaign is not None:
        raise UsageError("give a CAMPAIGN or --all, not both")
    target = folder or settings.reports_dir
    start = None if since is None else _time(since, target)
    with Workspace(settings) as workspace, steps("report", quiet=as_json) as update:
        written = write_reports(
            workspace.catalog,
            settings,
            target,
            campaign=campaign,
            since=start,
            blur=blur,
            formats=[ReportFormat(form) for form in formats] or tuple(ReportFormat),
            calibration=ActiveCalibration(workspace.catalog, workspace.resolved).get(),
            progress=update,
        )
    if as_json:
        print_json(tuple(str(path) for path in written))
        return
    out = console()
    if start is not None:
        out.print(f"What is new since {when(start)}.", highlight=False)
    for path in written:
        if path.suffix in (".html", ".pdf"):
            out.print(plain(path), soft_wrap=True)
    out.print(f"{len(written)} files written: open the HTML in a browser, forward the PDF.", highlight=False)


def _time(since: str, folder: Path) -> datetime:
    if since == "last":
        found = last_reported(folder)
        if found is None:
            raise UsageError(f"there is no report in {folder} yet: leave --since away, or give a date")
        return found
    try:
        time = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"--since {since!r} is not a date like 2026-03-01, nor `last`") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
